import { live } from '../../../api/live';
import { numberOf, queryInstant } from '../../../api/prom';
import type { Labels, LiveFrame } from '../../../api/types';
import { hub } from '../../../charts/hub.svelte';
import { seriesKey } from '../../../charts/naming';
import type { TimeRange } from '../../../lib/timerange';

/** Seconds for which a sample speaks: scrapes are up to a minute apart. */
export const lookback = 65;
const every = 20_000;
/** Series that one widget holds; more are counted only. */
const mostSeries = 2000;

export interface Value {
  key: string;
  query: number;
  labels: Labels;
  value: number;
}

/** The values of some queries at one moment: the present, moving, or the end of a fixed stretch. */
export class Values {
  list = $state.raw<Value[]>([]);
  error = $state.raw<unknown>(undefined);
  loaded = $state(false);
  slow = $state(false);
  /** Series beyond the most that are held. */
  hidden = $state(0);
  private exprs: string[] = [];
  private at: number | undefined;
  private found = new Map<string, Value>();
  private controller: AbortController | undefined;

  /** For an $effect: returns what ends it. */
  show(exprs: string[], range: TimeRange): () => void {
    this.exprs = exprs;
    this.at = range.kind === 'fixed' ? range.to : undefined;
    this.loaded = false;
    this.error = undefined;
    const ends: (() => void)[] = [];
    if (exprs.length > 0) {
      void this.load();
      if (range.kind === 'live') {
        exprs.forEach((query, i) => {
          const topic = { topic: 'query' as const, query, lookback_delta: `${lookback}s` };
          ends.push(live.subscribe(topic, (frames) => this.merge(i, frames), i === 0 ? () => void this.load() : undefined));
        });
        // Frames tell what changed, never what went silent: asking again does.
        const timer = setInterval(() => !document.hidden && void this.load(), every);
        ends.push(() => clearInterval(timer));
      }
    }
    return () => {
      this.controller?.abort();
      for (const end of ends) end();
    };
  }

  reload(): void {
    void this.load();
  }

  private async load(): Promise<void> {
    this.controller?.abort();
    const controller = (this.controller = new AbortController());
    const timer = setTimeout(() => (this.slow = true), 200);
    const answers = await Promise.allSettled(this.exprs.map((expr) => queryInstant(expr, this.at, controller.signal)));
    clearTimeout(timer);
    if (controller.signal.aborted) return;
    this.slow = false;
    const failed = answers.find((answer) => answer.status === 'rejected');
    this.error = failed?.status === 'rejected' ? failed.reason : undefined;
    const found = new Map<string, Value>();
    let hidden = 0;
    answers.forEach((answer, query) => {
      if (answer.status === 'rejected') return;
      for (const { metric, value } of answer.value) {
        const key = seriesKey(query, metric);
        if (found.size >= mostSeries) hidden += 1;
        else found.set(key, { key, query, labels: metric, value: numberOf(value[1]) });
      }
    });
    this.found = found;
    this.hidden = hidden;
    this.list = [...found.values()];
    this.loaded = true;
  }

  private merge(query: number, frames: LiveFrame[]): void {
    if (!this.loaded) return;
    let changed = false;
    for (const { time, result } of frames) {
      if (time !== undefined) hub.observe(time);
      for (const { metric, value } of result ?? []) {
        const key = seriesKey(query, metric);
        if (!this.found.has(key) && this.found.size >= mostSeries) continue;
        this.found.set(key, { key, query, labels: metric, value: numberOf(value) });
        changed = true;
      }
    }
    if (changed) this.list = [...this.found.values()];
  }
}
