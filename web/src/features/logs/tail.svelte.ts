import { api } from '../../api/client';
import { live } from '../../api/live';
import type { LiveFrame, LogRecord } from '../../api/types';
import { bounds, type TimeRange } from '../../lib/timerange';
import { nowSeconds } from '../../state/clock.svelte';
import { append, patternOf, prepend, without, type Line } from './lines';

export interface LogQuery {
  match: string;
  text: string;
  regex: string;
}

const firstPage = 500;
const nextPage = 1000;
/** Lines kept in the page, and lines held back while it is paused. */
const most = 50_000;
const mostHeld = 20_000;

const iso = (seconds: number): string => new Date(Math.round(seconds * 1000)).toISOString();

/** The lines of a query, oldest first: the newest page, older ones on demand, and what comes live. */
export class LogTail {
  lines = $state.raw<Line[]>([]);
  loaded = $state(false);
  slow = $state(false);
  error = $state.raw<unknown>(undefined);
  /** Whether lines before the first one may exist within the range. */
  older = $state<'some' | 'loading' | 'none'>('none');
  paused = $state(false);
  /** Lines that came while it was paused. */
  held = $state(0);
  /** When the range began as it was asked for. */
  from = $state(0);
  private holding: LogRecord[] = [];
  private early: LogRecord[] | undefined;
  private query: LogQuery = { match: '', text: '', regex: '' };
  private range: TimeRange = { kind: 'live', seconds: 900 };
  private controller = new AbortController();
  private end: (() => void) | undefined;
  private catching = false;

  /** For an $effect: returns what ends it. */
  show(query: LogQuery, range: TimeRange): () => void {
    this.stop();
    this.query = query;
    this.range = range;
    this.paused = false;
    this.held = 0;
    this.holding = [];
    if (range.kind === 'live') this.follow();
    void this.load();
    return () => this.stop();
  }

  private stop(): void {
    this.controller.abort();
    this.end?.();
    this.end = undefined;
  }

  private fetch(from: number, to: number | undefined, limit: number, signal: AbortSignal): Promise<LogRecord[]> {
    const { match, text, regex } = this.query;
    const params = { match, text, regex, from: iso(from), to: to === undefined ? undefined : iso(to), limit };
    return api.get<{ logs: LogRecord[] }>('/logs', params, signal).then(({ logs }) => logs);
  }

  async load(): Promise<void> {
    this.controller.abort();
    const controller = (this.controller = new AbortController());
    const { from, to } = bounds(this.range, nowSeconds());
    this.from = from;
    this.early = [];
    const timer = setTimeout(() => (this.slow = true), 200);
    try {
      const records = await this.fetch(from, this.range.kind === 'live' ? undefined : to, firstPage, controller.signal);
      if (controller.signal.aborted) return;
      const lines = prepend([], records.map((record) => ({ record })));
      this.lines = append(lines, without(this.early ?? [], lines));
      this.older = records.length < firstPage ? 'none' : 'some';
      this.error = undefined;
      this.loaded = true;
    } catch (reason) {
      if (controller.signal.aborted) return;
      this.error = reason;
      this.loaded = false;
    } finally {
      clearTimeout(timer);
      if (this.controller === controller) {
        this.early = undefined;
        this.slow = false;
      }
    }
  }

  async loadOlder(): Promise<void> {
    const first = this.lines[0];
    if (this.older !== 'some' || !first) return;
    this.older = 'loading';
    const { signal } = this.controller;
    try {
      // The first line's own millisecond again: others of it may lie on the next page.
      const edge = first.time + 0.001;
      const records = await this.fetch(this.from, edge, nextPage, signal);
      if (signal.aborted) return;
      const fresh = without(records, this.lines.slice(0, 5000).filter(({ time }) => time <= edge));
      this.lines = prepend(this.lines, fresh);
      this.older = records.length < nextPage || fresh.length === 0 ? 'none' : 'some';
    } catch (reason) {
      if (signal.aborted) return;
      this.error = reason;
      this.older = 'some';
    }
  }

  private follow(): void {
    const { match, text, regex } = this.query;
    const pattern = patternOf('', regex);
    const onFrames = (frames: LiveFrame[]): void => {
      const failed = frames.find((frame) => frame.type === 'error');
      if (failed && this.loaded) this.error = new Error(failed.error);
      const records = frames.flatMap((frame) => frame.logs ?? []);
      if (records.length === 0) return;
      // An expression that only the server can read: it is asked again.
      if (regex && !pattern) return void this.catchUp();
      this.take(pattern ? records.filter(({ line }) => line.search(pattern) >= 0) : records);
    };
    this.end = live.subscribe(
      { topic: 'logs', ...(match ? { match } : {}), ...(text ? { text } : {}) },
      onFrames,
      () => void this.catchUp(),
    );
  }

  private take(records: LogRecord[]): void {
    if (records.length === 0) return;
    if (this.early) this.early.push(...records);
    else if (this.paused) {
      this.held += records.length;
      this.holding.push(...records);
      if (this.holding.length > mostHeld) this.holding.splice(0, this.holding.length - mostHeld);
    } else this.add(records.map((record) => ({ record })));
  }

  private add(records: { record: LogRecord; key?: string }[]): void {
    let lines = append(this.lines, records);
    if (lines.length > most) {
      lines = lines.slice(lines.length - most + 5000);
      this.older = 'some';
    }
    this.lines = lines;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    const held = this.held;
    const records = this.holding;
    this.held = 0;
    this.holding = [];
    if (held > records.length) void this.load();
    else this.add(records.map((record) => ({ record })));
  }

  /** What came while the socket was away, or all of it anew when that was much. */
  private async catchUp(): Promise<void> {
    if (this.catching || !this.loaded) return;
    this.catching = true;
    const { signal } = this.controller;
    try {
      const last = this.lines[this.lines.length - 1];
      const records = await this.fetch((last?.time ?? this.from) - 2, undefined, nextPage, signal);
      if (signal.aborted) return;
      if (records.length === nextPage) return void this.load();
      const known = [...this.lines.slice(-5000), ...without(this.holding, [])];
      const fresh = without(records, known).map(({ record }) => record);
      this.take(fresh.reverse());
    } catch {
      // The next frame, or the return of the socket, tries again.
    } finally {
      this.catching = false;
    }
  }
}
