import { api } from '../../api/client';
import { live } from '../../api/live';
import type { Notice } from '../../api/types';
import { Resource } from '../../state/resource.svelte';
import { newTest } from './deliveries';

const limit = 100;
const every = 5000;
const testEvery = 400;
/** A test that has said nothing for this long is left to the list of notifications. */
const testPatience = 60_000;

/** Recent notifications and the tests sent from this page; asked for again while any is on its way. */
export class Notices {
  readonly resource = new Resource(
    async (signal) => (await api.get<{ notifications: Notice[] }>('/notifications', { limit }, signal)).notifications,
  );
  /** By channel: the test on its way, or what became of it. */
  tests = $state.raw<ReadonlyMap<string, Notice | 'sending'>>(new Map());

  /** Returns what ends it. */
  start(): () => void {
    void this.resource.load();
    const timer = setInterval(() => !document.hidden && void this.resource.load(), every);
    const reload = (): void => void this.resource.load();
    const ends = [live.subscribe({ topic: 'notifications' }, reload), live.subscribe({ topic: 'alerts' }, reload, reload)];
    return () => {
      clearInterval(timer);
      for (const end of ends) end();
    };
  }

  /** Sends a test and follows it until it has an answer. */
  async test(channel: string): Promise<void> {
    const before = new Set((await this.fetch()).map((notice) => notice.id));
    this.put(channel, 'sending');
    try {
      await api.post(`/channels/${channel}/test`);
      for (const begin = Date.now(); Date.now() - begin < testPatience; ) {
        const sent = newTest(await this.fetch(), channel, before);
        if (sent) this.put(channel, sent);
        if (sent && (sent.attempts?.length ?? 0) > 0) return;
        await new Promise((resolve) => setTimeout(resolve, testEvery));
      }
    } catch (reason) {
      this.put(channel, undefined);
      throw reason;
    }
  }

  private async fetch(): Promise<Notice[]> {
    await this.resource.load();
    return this.resource.data ?? [];
  }

  private put(channel: string, what: Notice | 'sending' | undefined): void {
    const tests = new Map(this.tests);
    if (what) tests.set(channel, what);
    else tests.delete(channel);
    this.tests = tests;
  }
}
