import type { LiveFrame, Topic } from '../api/types';

export interface Listener {
  onFrames: (frames: LiveFrame[]) => void;
  onResync?: (() => void) | undefined;
}

interface Entry {
  id: string;
  topic: Topic;
  key: string;
  listeners: Set<Listener>;
  newest: Listener;
}

/** What the page listens to, apart from any connection: equal topics share one entry. */
export class Subscriptions {
  private readonly byKey = new Map<string, Entry>();
  private readonly byId = new Map<string, Entry>();
  private next = 1;

  add(topic: Topic, listener: Listener): { entry: Entry; isNew: boolean } {
    const key = JSON.stringify(topic, Object.keys(topic).sort());
    const known = this.byKey.get(key);
    if (known) {
      known.listeners.add(listener);
      known.newest = listener;
      return { entry: known, isNew: false };
    }
    const entry: Entry = { id: `s${this.next++}`, topic, key, listeners: new Set([listener]), newest: listener };
    this.byKey.set(key, entry);
    this.byId.set(entry.id, entry);
    return { entry, isNew: true };
  }

  /** True when nobody listens to the entry any more: it is gone. */
  remove(id: string, listener: Listener): boolean {
    const entry = this.byId.get(id);
    if (!entry || !entry.listeners.delete(listener) || entry.listeners.size > 0) return false;
    this.byId.delete(id);
    this.byKey.delete(entry.key);
    return true;
  }

  all(): { id: string; topic: Topic }[] {
    return [...this.byId.values()];
  }

  /** Hands frames to their listeners, in order and together; frames of ended entries are dropped. */
  deliver(frames: LiveFrame[]): void {
    const grouped = new Map<string, LiveFrame[]>();
    for (const frame of frames) {
      if (frame.type === 'ready') continue;
      const group = grouped.get(frame.id);
      if (group) group.push(frame);
      else grouped.set(frame.id, [frame]);
    }
    for (const [id, group] of grouped) {
      for (const listener of this.byId.get(id)?.listeners ?? []) listener.onFrames(group);
    }
  }

  resync(): void {
    for (const entry of this.byId.values()) for (const listener of [...entry.listeners]) listener.onResync?.();
  }
}

/** Milliseconds before the next attempt: quick at first, ten seconds at most, spread by `random`. */
export function backoff(failures: number, random: number): number {
  return Math.min(10_000, 250 * 2 ** Math.min(failures, 10)) * (0.75 + random / 2);
}
