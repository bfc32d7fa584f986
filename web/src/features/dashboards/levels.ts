import type { Thresholds } from '../../api/dashboards';
import type { Threshold } from '../../charts/spec';

export type Level = 'ok' | 'warning' | 'critical' | 'no_data';

/** Whether less is worse: the critical threshold lies below the warning one. */
export function isLowerWorse({ warning, critical }: Thresholds): boolean {
  return warning !== undefined && critical !== undefined && critical < warning;
}

export function levelOf(value: number | undefined, thresholds: Thresholds | undefined): Level {
  if (value === undefined || Number.isNaN(value)) return 'no_data';
  if (!thresholds) return 'ok';
  const lower = isLowerWorse(thresholds);
  const reaches = (limit: number | undefined): boolean => limit !== undefined && (lower ? value <= limit : value >= limit);
  if (reaches(thresholds.critical)) return 'critical';
  return reaches(thresholds.warning) ? 'warning' : 'ok';
}

/** Without thresholds 0 is down and anything else is up, as `up` and `check_up` have it. */
export function stateOf(value: number | undefined, thresholds: Thresholds | undefined): string {
  if (value === undefined || Number.isNaN(value)) return 'no_data';
  if (!thresholds || (thresholds.warning === undefined && thresholds.critical === undefined)) return value === 0 ? 'down' : 'up';
  return levelOf(value, thresholds);
}

/** The lines that a chart draws. */
export function thresholdLines(thresholds: Thresholds | undefined): Threshold[] {
  const lines: Threshold[] = [];
  if (thresholds?.warning !== undefined) lines.push({ value: thresholds.warning, severity: 'warning' });
  if (thresholds?.critical !== undefined) lines.push({ value: thresholds.critical, severity: 'critical' });
  return lines;
}

/** The ends of a gauge: as written, else 0 and 1, or what holds the values and thresholds beyond it. */
export function gaugeEnds(
  body: { min?: number; max?: number; unit?: string; thresholds?: Thresholds },
  values: number[],
  unit: string,
): { min: number; max: number } {
  const min = body.min ?? Math.min(0, ...values);
  if (body.max !== undefined) return { min, max: Math.max(body.max, min + 1e-9) };
  const whole = unit === 'ratio' ? 1 : unit === 'percent' ? 100 : undefined;
  const seen = [...values, body.thresholds?.warning ?? 0, body.thresholds?.critical ?? 0].filter(Number.isFinite);
  const most = Math.max(...seen, min);
  if (most <= (whole ?? 1)) return { min, max: whole ?? 1 };
  return { min, max: most > min ? roundUp(most) : min + 1 };
}

/** The next of 1, 2, 5, 10, 20 … that is not below. */
export function roundUp(value: number): number {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((candidate) => candidate * power >= value * 0.999999)!;
  return step * power;
}
