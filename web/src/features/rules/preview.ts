import type { Labels, MatrixSeries } from '../../api/types';
import { numberOf } from '../../api/prom';
import { seriesKey } from '../../charts/naming';

/** An alerting rule in the notation of Prometheus. Durations are seconds. */
export interface AlertingDraft {
  kind: 'alerting';
  name: string;
  expr: string;
  hold: number;
  keep: number;
  interval: number;
  offset: number;
}

/** A rule with thresholds: every sample is judged. */
export interface ThresholdDraft {
  kind: 'gauge' | 'binary';
  name: string;
  expr: string;
  hold: number;
  above: boolean;
  warning?: number | undefined;
  critical?: number | undefined;
  hysteresis: number;
  /** Of binary rules: how many times in a row it is down. */
  failures: number;
  severity: 'warning' | 'critical';
  /** Silence that is told; undefined: never. */
  noData: number | undefined;
}

export type Draft = AlertingDraft | ThresholdDraft;
export type PreviewState = 'pending' | 'firing' | 'warning' | 'critical' | 'no_data';

export interface PreviewSpan {
  from: number;
  /** The end of what was looked at when it lasts. */
  to: number;
  state: PreviewState;
  lasts: boolean;
}

/** What one alert would have been through. */
export interface Track {
  labels: Labels;
  spans: PreviewSpan[];
  /** How often people would have been told, and for how many seconds in all it fired. */
  fired: number;
  firing: number;
}

/** The instants that are judged: from, from + step … to. Spans before `seen` are only what led there. */
export interface Grid {
  from: number;
  seen: number;
  to: number;
  step: number;
}

/** Fewer than a range query may have, the time before the range included. */
export const mostSteps = 6000;

/** Seconds between two judgements: as often as the rule would be evaluated, unless that is too many. */
export function stepOf(draft: Draft, seconds: number): number {
  const own = draft.kind === 'alerting' ? draft.interval : 1;
  return Math.max(own, Math.ceil((seconds + leadOf(draft, seconds)) / mostSteps));
}

/** How long before a range of `seconds` a rule must have been watched to be known at its beginning; a day at most. */
export function leadOf(draft: Draft, seconds: number): number {
  const own = draft.kind === 'alerting' ? draft.hold + draft.keep + draft.interval : draft.hold + Math.min(draft.noData ?? 0, seconds);
  return Math.min(own, 86_400);
}

type Judge = (at: number, value: number | undefined) => PreviewState | undefined;

/** As Prometheus counts: pending, after `for` firing, and `keep_firing_for` more when the result has gone. */
function alertingJudge({ hold, keep }: AlertingDraft): Judge {
  let state: 'pending' | 'firing' | undefined;
  let active = 0;
  let keeping: number | undefined;
  return (at, value) => {
    if (value === undefined) {
      if (state === 'firing' && keep > 0) {
        keeping ??= at;
        if (at - keeping < keep) return state;
      }
      state = undefined;
      keeping = undefined;
      return undefined;
    }
    keeping = undefined;
    if (!state) [state, active] = ['pending', at];
    if (at - active >= hold) state = 'firing';
    return state;
  };
}

type Level = 'warning' | 'critical' | undefined;

/** A level that was reached is left only when the value has come back by the hysteresis. */
function gaugeLevel(draft: ThresholdDraft, before: Level, value: number): Level {
  const crosses = (threshold: number, held: boolean): boolean => {
    const slack = held ? draft.hysteresis : 0;
    return draft.above ? value > threshold - slack : value < threshold + slack;
  };
  if (draft.critical !== undefined && crosses(draft.critical, before === 'critical')) return 'critical';
  if (draft.warning !== undefined && crosses(draft.warning, before !== undefined)) return 'warning';
  return undefined;
}

function thresholdJudge(draft: ThresholdDraft): Judge {
  let level: Level;
  let since: number | undefined;
  let failures = 0;
  let seen: number | undefined;
  return (at, value) => {
    if (value === undefined || Number.isNaN(value)) {
      if (seen !== undefined && draft.noData !== undefined && at - seen > draft.noData) return 'no_data';
    } else {
      seen = at;
      if (draft.kind === 'gauge') level = gaugeLevel(draft, level, value);
      else {
        failures = value === 0 ? failures + 1 : 0;
        if (failures === 0) level = undefined;
        else if (failures >= draft.failures) level = draft.severity;
      }
      since = level === undefined ? undefined : (since ?? at);
    }
    if (level === undefined || since === undefined) return undefined;
    return at - since >= draft.hold ? level : 'pending';
  };
}

const isTold = (state: PreviewState | undefined): boolean => state !== undefined && state !== 'pending';

function trackOf(labels: Labels, values: Map<number, number>, judge: Judge, { from, seen, to, step }: Grid): Track {
  const track: Track = { labels, spans: [], fired: 0, firing: 0 };
  let open: PreviewSpan | undefined;
  let before: PreviewState | undefined;
  const count = Math.round((to - from) / step);
  for (let i = 0; i <= count; i += 1) {
    const at = from + i * step;
    const state = judge(at, values.get(i));
    if (at >= seen) {
      if (isTold(state) && (!isTold(before) || track.spans.length + Number(open !== undefined) === 0)) track.fired += 1;
      if (open?.state !== state) {
        if (open) track.spans.push({ ...open, to: at });
        open = state && { from: at, to: at, state, lasts: false };
      }
    }
    before = state;
  }
  if (open) track.spans.push({ ...open, to, lasts: true });
  track.firing = track.spans.filter((span) => span.state !== 'pending' && span.state !== 'no_data').reduce((sum, span) => sum + span.to - span.from, 0);
  return track;
}

/** Labels of the alert: the result's without the metric's name. */
const alertLabels = ({ __name__: _, ...labels }: Labels): Labels => labels;

/**
 * What a rule would have done over the answer of a range query on this grid, the worst first; alerts that would never
 * have been active are left out. `same`: two series would be one alert, which the server refuses.
 */
export function previewOf(draft: Draft, series: MatrixSeries[], grid: Grid): { tracks: Track[]; same: boolean } {
  const tracks = new Map<string, { labels: Labels; values: Map<number, number> }>();
  let same = false;
  const shift = draft.kind === 'alerting' ? draft.offset : 0;
  for (const { metric, values } of series) {
    const labels = alertLabels(metric);
    const key = seriesKey(0, labels);
    const track = tracks.get(key) ?? { labels, values: new Map<number, number>() };
    for (const [time, text] of values) {
      const row = Math.round((time + shift - grid.from) / grid.step);
      same ||= track.values.has(row);
      track.values.set(row, numberOf(text));
    }
    tracks.set(key, track);
  }
  const judged = [...tracks.values()].map(({ labels, values }) =>
    trackOf(labels, values, draft.kind === 'alerting' ? alertingJudge(draft) : thresholdJudge(draft), grid),
  );
  return { tracks: judged.filter(({ spans }) => spans.length > 0).sort((a, b) => b.fired - a.fired || b.firing - a.firing), same };
}
