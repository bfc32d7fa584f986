import { api } from '../../api/client';
import { live } from '../../api/live';
import { numberOf } from '../../api/prom';
import type { Check, LiveFrame } from '../../api/types';
import { stateLook } from '../../lib/statelook';
import { Resource } from '../../state/resource.svelte';

/** A check on one host, by what its series and its log lines carry. */
function keyOf(check: string, type: string, instance: string): string {
  return `${check} ${type} ${instance}`;
}

/** The `check` label of a check's series: the last part of its id. */
export function labelOf(check: Check): string {
  return check.id.slice(check.id.lastIndexOf('/') + 1);
}

/** All checks of the tenant, one row a host; state and text move as results are stored. */
export class Checks {
  private readonly resource = new Resource(async (signal) => (await api.get<{ checks: Check[] }>('/checks', undefined, signal)).checks);
  /** Seconds that the newest run of each check took; `version` moves with it. */
  private readonly durations = new Map<string, number>();
  private version = $state(0);
  private ends: (() => void)[] = [];
  readonly list: Check[] = $derived(worstFirst(this.resource.data ?? []));

  get loaded(): boolean {
    return this.resource.data !== undefined;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }

  load(): Promise<void> {
    return this.resource.load();
  }

  start(): void {
    void this.load();
    this.ends = [
      live.subscribe({ topic: 'query', query: 'check_up' }, (frames) => this.onStates(frames), () => void this.load()),
      live.subscribe({ topic: 'query', query: 'check_duration_seconds' }, (frames) => this.onDurations(frames)),
      live.subscribe({ topic: 'logs', match: '{check=~".+"}' }, (frames) => this.onTexts(frames)),
    ];
  }

  stop(): void {
    for (const end of this.ends) end();
    this.ends = [];
  }

  duration(check: Check): number | undefined {
    void this.version;
    return this.durations.get(keyOf(labelOf(check), check.type, check.on));
  }

  async remove(check: Check): Promise<void> {
    await api.remove(`/checks/${check.id}`);
    await this.load();
  }

  private onStates(frames: LiveFrame[]): void {
    const changed = new Map<string, Partial<Check>>();
    for (const { metric, value } of frames.flatMap((frame) => frame.result ?? [])) {
      changed.set(keyOf(metric.check ?? '', metric.type ?? '', metric.instance ?? ''), { state: numberOf(value) > 0 ? 'up' : 'down' });
    }
    this.change(changed);
  }

  private onTexts(frames: LiveFrame[]): void {
    const changed = new Map<string, Partial<Check>>();
    for (const { labels, line, time } of frames.flatMap((frame) => frame.logs ?? [])) {
      changed.set(keyOf(labels.check ?? '', labels.type ?? '', labels.instance ?? ''), { text: line, since: time });
    }
    this.change(changed);
  }

  private onDurations(frames: LiveFrame[]): void {
    for (const { metric, value } of frames.flatMap((frame) => frame.result ?? [])) {
      this.durations.set(keyOf(metric.check ?? '', metric.type ?? '', metric.instance ?? ''), numberOf(value));
    }
    this.version += 1;
  }

  /** Only rows that say something else are replaced: most results are as the ones before. */
  private change(changed: Map<string, Partial<Check>>): void {
    const before = this.resource.data;
    if (!before) return;
    let moved = false;
    const after = before.map((check) => {
      const patch = changed.get(keyOf(labelOf(check), check.type, check.on));
      if (!patch || Object.entries(patch).every(([name, value]) => check[name as keyof Check] === value)) return check;
      moved = true;
      return { ...check, ...patch };
    });
    if (moved) this.resource.data = after;
  }
}

function worstFirst(checks: Check[]): Check[] {
  return [...checks].sort(
    (a, b) =>
      stateLook(b.state).rank - stateLook(a.state).rank ||
      a.name.localeCompare(b.name, undefined, { numeric: true }) ||
      a.on.localeCompare(b.on, undefined, { numeric: true }),
  );
}
