import { formatClock, formatExact } from '../lib/duration';

export interface ValueRange {
  top?: number | undefined;
  bottom?: number | undefined;
  zero?: boolean | undefined;
  /** Values that must be seen, such as thresholds. */
  seen?: number[] | undefined;
}

/** The value axis for what is drawn: from zero unless that is switched off, with some air above. */
export function valueRange(low: number | null, high: number | null, options: ValueRange): [number, number] {
  const seen = options.seen ?? [];
  let min = Math.min(low ?? 0, ...seen);
  let max = Math.max(high ?? 0, ...seen);
  if (options.bottom !== undefined) {
    // An edge that was asked for holds until something is drawn beyond it.
    const lowest = Math.min(options.bottom, low ?? options.bottom);
    const highest = Math.max(options.top ?? max * 1.08, max);
    return [lowest, highest > lowest ? highest : lowest + 1];
  }
  if (options.top !== undefined) return [Math.min(0, min), Math.max(options.top, max)];
  if (options.zero === false) {
    const air = (max - min || Math.abs(max) || 1) * 0.1;
    return [min - air, max + air];
  }
  min = Math.min(0, min);
  max = Math.max(0, max);
  if (min === 0 && max === 0) return [0, 1];
  return [min * 1.08, max * 1.08];
}

/** Words under the time axis: as exact as the step between ticks, the date where a day begins. */
export function timeTicks(ticks: number[], step: number): string[] {
  return ticks.map((tick, i) => {
    const clock = formatClock(tick);
    const date = formatExact(tick).slice(5, 10);
    if (step >= 86400) return date;
    if (clock === '00:00:00' || (i === 0 && step >= 14400)) return clock === '00:00:00' ? date : clock.slice(0, 5);
    return step < 60 ? clock : clock.slice(0, 5);
  });
}

/** Steps between ticks of the time axis, in seconds. */
export const timeSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000,
];
