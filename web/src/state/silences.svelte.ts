import { api } from '../api/client';
import { live } from '../api/live';
import type { Silence } from '../api/types';
import { toSeconds } from '../lib/duration';
import { Resource } from './resource.svelte';

const period = 10_000;
/** A little after a begin or an end, so that the server has seen it too; in ms. */
const after = 300;
const longest = 86_400_000;

/**
 * The silences, while some page looks at them: asked for again when the server says that they are others now, when one
 * begins or ends, and now and then, as what they hide changes with every alert.
 */
class Silences {
  private readonly resource = new Resource(
    async (signal) => (await api.get<{ silences: Silence[] }>('/silences', undefined, signal)).silences,
  );
  private watchers = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private edge: ReturnType<typeof setTimeout> | undefined;
  private endLive: (() => void) | undefined;

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
    this.planEdge();
  }

  private planEdge(): void {
    clearTimeout(this.edge);
    if (this.watchers === 0) return;
    const now = Date.now() / 1000;
    const edges = this.list.flatMap(({ startsAt, endsAt }) => [toSeconds(startsAt) ?? 0, toSeconds(endsAt) ?? 0]);
    const next = Math.min(...edges.filter((at) => at > now));
    const wait = (next - now) * 1000 + after;
    if (wait < longest) this.edge = setTimeout(() => void this.load(), wait);
  }

  /** For an $effect. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) {
      void this.load();
      this.timer = setInterval(() => !document.hidden && void this.load(), period);
      this.endLive = live.subscribe({ topic: 'silences' }, () => void this.load(), () => void this.load());
    }
    return () => {
      this.watchers -= 1;
      if (this.watchers > 0) return;
      clearInterval(this.timer);
      clearTimeout(this.edge);
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
