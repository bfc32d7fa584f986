import type { Lookback } from '../api/prom';
import type { Labels } from '../api/types';
import type { Unit } from '../lib/units';

export interface ChartQuery {
  /** PromQL; a function is given the window for rate() and the like, as `5s`. */
  expr: string | ((window: string) => string);
  /** What its series are called: `{{device}} read`. Without it, the labels in which they differ. */
  name?: string;
  /** Colour tokens; series of this query take them in turn. */
  tones?: string[];
  /** Names in the order in which they are stacked and coloured; others come after them. */
  order?: string[];
  /** Drawn below zero, such as what is sent against what is received. Read as positive. */
  below?: boolean;
  /** For how long a sample speaks, where they come less often than every second. */
  lookback?: Lookback;
}

export interface Threshold {
  value: number;
  severity: 'warning' | 'critical';
}

/** When an alert was open; unix seconds, no end while it is. */
export interface AlertSpan {
  from: number;
  to?: number | undefined;
  severity: 'warning' | 'critical' | 'no_data' | 'pending';
  name: string;
}

/** What a chart shows, apart from where and when. */
export interface ChartSpec {
  title: string;
  queries: ChartQuery[];
  /** By default read from the first query. */
  unit?: Unit;
  stacked?: boolean;
  /** The upper edge of the value axis, where a whole is known (1 for shares). */
  top?: number;
  /** The lower edge, where it is to stand still. */
  bottom?: number;
  /** False lets the value axis begin above zero. */
  zero?: boolean;
  thresholds?: Threshold[];
  /** Seconds between points; by default as many as the chart has room for. */
  step?: number | undefined;
  /** Says what the chart shows. */
  help?: string;
}

/** One line of a chart. */
export interface SeriesInfo {
  key: string;
  query: number;
  name: string;
  labels: Labels;
  tone: string;
  below: boolean;
}

/** The time range that a chart is part of: dragging on the chart changes it for all. */
export interface RangeControl {
  zoom(from: number, to: number): void;
  back(): void;
  pan(by: number): void;
}

export function exprText(query: ChartQuery, window: string): string {
  return typeof query.expr === 'string' ? query.expr : query.expr(window);
}
