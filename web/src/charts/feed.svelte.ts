import { live } from '../api/live';
import { askRange, numberOf, type Notes } from '../api/prom';
import type { Labels, LiveFrame, MatrixSeries } from '../api/types';
import { SeriesTable } from '../lib/table';
import { bounds, rateWindow, span, stepFor, type TimeRange } from '../lib/timerange';
import { hub } from './hub.svelte';
import { arrangeSeries, seriesKey } from './naming';
import { exprText, type ChartQuery, type SeriesInfo } from './spec';

/** Lines that one chart draws; more can be read neither by people nor quickly. */
const mostSeries = 60;
/** Seconds of silence that a line bridges where the server decides how long a sample speaks. */
const bridgedBlindly = 300;
/** With steps above this a chart is asked for again instead of fed live. */
const longestLiveStep = 30;

/**
 * The points of one chart: history by range queries, then what the live socket brings. `version`
 * moves once a change; the table itself is not reactive.
 */
export class Feed {
  version = $state(0);
  series = $state.raw<SeriesInfo[]>([]);
  error = $state.raw<unknown>(undefined);
  /** By query: why it has no answer, or what the server says beside the answer. */
  failures = $state.raw<unknown[]>([]);
  notes = $state.raw<(Notes | undefined)[]>([]);
  /** Whether history has been asked for and has come (or failed). */
  loaded = $state(false);
  slow = $state(false);
  /** Series beyond the most that a chart draws. */
  hidden = $state(0);
  step = 1;
  table = new SeriesTable(5);
  private queries: ChartQuery[] = [];
  private range: TimeRange = { kind: 'live', seconds: 60 };
  private found = new Map<string, { query: number; labels: Labels; key: string }>();
  private ends: (() => void)[] = [];
  private controller: AbortController | undefined;
  private early: { query: number; frame: LiveFrame }[] | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Seconds of silence that break a line. */
  get gap(): number {
    const slowest = Math.max(...this.queries.map(({ lookback }) => (lookback === 'server' ? bridgedBlindly : (lookback ?? 0))), 0);
    return Math.max(2.5 * this.step, 5, slowest);
  }

  /** `step` in seconds; without, so that there are about `points`. */
  show(queries: ChartQuery[], range: TimeRange, points: number, step?: number): void {
    this.stop();
    this.queries = queries;
    this.range = range;
    this.step = step ?? stepFor(span(range), points);
    this.loaded = false;
    void this.load();
    if (range.kind === 'live') this.follow();
  }

  stop(): void {
    this.controller?.abort();
    for (const end of this.ends) end();
    this.ends = [];
    clearInterval(this.timer);
  }

  reload(): void {
    void this.load();
  }

  private follow(): void {
    if (this.step > longestLiveStep) {
      this.timer = setInterval(() => !document.hidden && this.reload(), this.step * 1000);
      return;
    }
    this.queries.forEach((query, i) => {
      const topic = {
        topic: 'query' as const,
        query: exprText(query, rateWindow(this.step)),
        ...(query.lookback === 'server' ? {} : { lookback_delta: `${query.lookback ?? 5}s` }),
      };
      const onResync = i === 0 ? () => this.reload() : undefined;
      this.ends.push(live.subscribe(topic, (frames) => this.onFrames(i, frames), onResync));
    });
  }

  private async load(): Promise<void> {
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    this.early = [];
    const { from, to } = bounds(this.range, hub.now);
    const start = Math.floor(from / this.step) * this.step;
    const end = this.range.kind === 'live' ? Math.floor(to / this.step) * this.step : Math.ceil(to / this.step) * this.step;
    const timer = setTimeout(() => (this.slow = true), 200);
    const window = rateWindow(this.step);
    const answers = await Promise.allSettled(
      this.queries.map((query) => askRange(exprText(query, window), start, end, this.step, controller.signal, query.lookback)),
    );
    clearTimeout(timer);
    if (this.controller !== controller || controller.signal.aborted) return;
    this.slow = false;
    this.failures = answers.map((answer) => (answer.status === 'rejected' ? answer.reason : undefined));
    this.notes = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.notes : undefined));
    this.error = this.failures.find((failure) => failure !== undefined);
    this.fill(start, end, answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.series : [])));
    this.loaded = true;
    this.version += 1;
  }

  /** History first, then the live points that came meanwhile. */
  private fill(start: number, end: number, answers: MatrixSeries[][]): void {
    this.found.clear();
    this.hidden = 0;
    const table = new SeriesTable(this.gap);
    const series = answers.flatMap((matrix, query) =>
      matrix.flatMap(({ metric, values }) => {
        const key = this.admit(query, metric);
        return key ? [{ key, points: values.map(([time, text]) => [time, numberOf(text)] as [number, number]) }] : [];
      }),
    );
    table.load(start, end, this.step, series);
    this.table = table;
    const early = this.early ?? [];
    this.early = undefined;
    for (const { query, frame } of early) this.append(query, frame);
    this.series = arrangeSeries(this.queries, [...this.found.values()]);
  }

  /** The key of a series that is drawn; undefined when there are too many. */
  private admit(query: number, labels: Labels): string | undefined {
    const key = seriesKey(query, labels);
    if (this.found.has(key)) return key;
    if (this.found.size >= mostSeries) {
      this.hidden += 1;
      return undefined;
    }
    this.found.set(key, { query, labels, key });
    return key;
  }

  private onFrames(query: number, frames: LiveFrame[]): void {
    const before = this.found.size;
    for (const frame of frames) {
      if (frame.time === undefined || !frame.result) continue;
      hub.observe(frame.time);
      this.append(query, frame);
      this.early?.push({ query, frame });
    }
    if (this.found.size !== before) this.series = arrangeSeries(this.queries, [...this.found.values()]);
    this.version += 1;
  }

  private append(query: number, { time, result }: LiveFrame): void {
    const rows: [string, number][] = [];
    for (const { metric, value } of result!) {
      const known = this.found.size;
      const key = known < mostSeries ? this.admit(query, metric) : this.knownKey(query, metric);
      if (key) rows.push([key, numberOf(value)]);
    }
    // A row stands for a step: until it is over, newer values replace those of its beginning.
    this.table.append(time!, rows, Math.max(0.5, this.step - 0.5));
    this.table.dropBefore(hub.now - span(this.range));
  }

  private knownKey(query: number, labels: Labels): string | undefined {
    const key = seriesKey(query, labels);
    return this.found.has(key) ? key : undefined;
  }
}
