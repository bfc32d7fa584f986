import { compactDuration, formatDuration, formatExact, formatClock, parseDuration } from './duration';

/** What a page looks at: the last n seconds, moving, or a fixed stretch. Times are unix seconds. */
export type TimeRange = { kind: 'live'; seconds: number } | { kind: 'fixed'; from: number; to: number };

export const presets = [60, 300, 900, 3600, 10800, 21600, 43200, 86400, 172800, 604800];
export const defaultRange: TimeRange = { kind: 'live', seconds: 900 };

export function bounds(range: TimeRange, now: number): { from: number; to: number } {
  return range.kind === 'live' ? { from: now - range.seconds, to: now } : { from: range.from, to: range.to };
}

export function span(range: TimeRange): number {
  return range.kind === 'live' ? range.seconds : range.to - range.from;
}

/** Reads `range=15m` or `from=…&to=…` of an address; the fallback when neither is sound. */
export function rangeFromQuery(query: Record<string, string>, fallback: TimeRange = defaultRange): TimeRange {
  const from = Number(query.from);
  const to = Number(query.to);
  if (query.from && query.to && Number.isFinite(from) && Number.isFinite(to) && to > from) {
    return { kind: 'fixed', from, to };
  }
  const seconds = query.range ? parseDuration(query.range) : undefined;
  return seconds && seconds >= 10 ? { kind: 'live', seconds } : fallback;
}

/** The address parts of a range; the fallback leaves no trace. */
export function rangeToQuery(range: TimeRange, fallback: TimeRange = defaultRange): Record<string, string | undefined> {
  if (range.kind === 'fixed') {
    return { from: String(Math.round(range.from)), to: String(Math.round(range.to)), range: undefined };
  }
  const isDefault = fallback.kind === 'live' && range.seconds === fallback.seconds;
  return { range: isDefault ? undefined : compactDuration(range.seconds), from: undefined, to: undefined };
}

export function rangeLabel(range: TimeRange): string {
  if (range.kind === 'live') return `Last ${formatDuration(range.seconds)}`;
  const sameDay = formatExact(range.from).slice(0, 10) === formatExact(range.to).slice(0, 10);
  return `${formatExact(range.from)} – ${sameDay ? formatClock(range.to) : formatExact(range.to)}`;
}

/** The same for a narrow screen: how long, or from when to when without seconds and years. */
export function shortRangeLabel(range: TimeRange): string {
  if (range.kind === 'live') return formatDuration(range.seconds);
  const [from, to] = [formatExact(range.from), formatExact(range.to)];
  const [day, end] = [from.slice(5, 10), to.slice(5, 10)];
  const clock = (exact: string): string => exact.slice(11, 16);
  return from.slice(0, 10) === to.slice(0, 10) ? `${clock(from)}–${clock(to)}` : `${day} – ${end}`;
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];

/** Seconds between points so that a range gives about `points` of them; never under a second. */
export function stepFor(seconds: number, points: number): number {
  const wanted = seconds / Math.max(1, points);
  return steps.find((step) => step >= wanted) ?? 86400;
}

/** The window of rate(): wide enough for two samples at 1 s and for what lies between two steps. */
export function rateWindow(step: number): string {
  return `${Math.max(4 * step, 5)}s`;
}

/** A dragged selection; drags of less than `least` seconds are widened around their middle. */
export function zoomTo(from: number, to: number, least = 10): TimeRange {
  const middle = (from + to) / 2;
  const half = Math.max(to - from, least) / 2;
  return { kind: 'fixed', from: Math.round(middle - half), to: Math.round(middle + half) };
}

export function pan(range: TimeRange, by: number, now: number): TimeRange {
  const { from, to } = bounds(range, now);
  // Panning past the present returns to it.
  if (range.kind === 'fixed' && by > 0 && to + by >= now) return { kind: 'live', seconds: Math.round(to - from) };
  return { kind: 'fixed', from: Math.round(from + by), to: Math.round(to + by) };
}
