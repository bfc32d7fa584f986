import { api } from '../api/client';
import { live } from '../api/live';
import type { Silence } from '../api/types';
import { openAlerts } from './alerts.svelte';
import { Resource } from './resource.svelte';

const period = 5000;

/** The silences, while some page looks at them. They are on no live topic: asked for now and then, and after each change. */
class Silences {
  private readonly resource = new Resource(
    async (signal) => (await api.get<{ silences: Silence[] }>('/silences', undefined, signal)).silences,
  );
  private watchers = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private endLive: (() => void) | undefined;
  private seen: string | undefined;

  get list(): Silence[] {
    return this.resource.data ?? [];
  }
  get loaded(): boolean {
    return this.resource.data !== undefined;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }
  find(id: string): Silence | undefined {
    return this.list.find((silence) => silence.id === id);
  }

  async load(): Promise<void> {
    await this.resource.load();
    // What each hides has changed with them: the list of alerts is told by no frame.
    const seen = this.list.map(({ id, status, text }) => `${id} ${status.state} ${text}`).join('\n');
    if (!this.resource.data || this.seen === seen) return;
    if (this.seen !== undefined) void openAlerts.reload();
    this.seen = seen;
  }

  /** For an $effect. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) {
      void this.load();
      this.timer = setInterval(() => !document.hidden && void this.load(), period);
      let planned = false;
      this.endLive = live.subscribe(
        { topic: 'alerts' },
        () => {
          if (planned) return;
          planned = true;
          setTimeout(() => {
            planned = false;
            if (this.watchers > 0 && !document.hidden) void this.load();
          }, 1000);
        },
        () => void this.load(),
      );
    }
    return () => {
      this.watchers -= 1;
      if (this.watchers > 0) return;
      clearInterval(this.timer);
      this.endLive?.();
      this.resource.stop();
    };
  }

  /** Answers the silence as it is stored; another id than before when it could not be changed in place. */
  async put(body: Record<string, string>): Promise<Silence> {
    const made = await api.post<Silence>('/silences', body);
    await this.load();
    return made;
  }
  async expire(id: string): Promise<void> {
    await api.remove(`/silences/${encodeURIComponent(id)}`);
    await this.load();
  }
}

export const silences = new Silences();
