import type { Value } from '../../api/packages';
import { parseDuration } from '../../lib/duration';
import { isFields } from '../packages/values';
import type { AlertingDraft, Draft, ThresholdDraft } from './preview';

/** As it is written; in effective values durations are milliseconds. */
const seconds = (value: Value | undefined, otherwise: number): number =>
  typeof value === 'number' ? value / 1000 : (parseDuration(String(value ?? '')) ?? otherwise);
const numeric = (value: Value | undefined): number | undefined => {
  const found = typeof value === 'string' ? Number(value) : value;
  return typeof found === 'number' && !Number.isNaN(found) ? found : undefined;
};
const text = (value: Value | undefined): string => (typeof value === 'string' ? value.trim() : '');

function thresholdOf(name: string, written: { [key: string]: Value }): ThresholdDraft[] {
  const kind = isFields(written.gauge) ? 'gauge' : isFields(written.binary) ? 'binary' : undefined;
  if (!kind) return [];
  const spec = written[kind] as { [key: string]: Value };
  const above = isFields(spec.above);
  const levels = isFields(spec.above) ? spec.above : isFields(spec.below) ? spec.below : {};
  const draft: ThresholdDraft = {
    kind,
    name: text(written.title) || name,
    expr: text(spec.expr),
    hold: seconds(written.for, 0),
    above,
    warning: numeric(levels.warning),
    critical: numeric(levels.critical),
    hysteresis: numeric(spec.hysteresis) ?? 0,
    failures: numeric(spec.failures) ?? 1,
    severity: spec.severity === 'warning' ? 'warning' : 'critical',
    noData: written.no_data === 'never' || written.no_data === null ? undefined : seconds(written.no_data, 300),
  };
  const isWhole = draft.expr !== '' && (kind === 'binary' || draft.warning !== undefined || draft.critical !== undefined);
  return isWhole ? [draft] : [];
}

function alertingOf(written: { [key: string]: Value }): AlertingDraft[] {
  if (!Array.isArray(written.rules)) return [];
  return written.rules.flatMap((rule) => {
    if (!isFields(rule) || !text(rule.alert) || !text(rule.expr)) return [];
    return [
      {
        kind: 'alerting' as const,
        name: text(rule.alert),
        expr: text(rule.expr),
        hold: seconds(rule.for, 0),
        keep: seconds(rule.keep_firing_for, 0),
        interval: seconds(written.interval, 60),
        offset: seconds(written.query_offset, 0),
      },
    ];
  });
}

/** What of an item can be previewed as it is written; nothing while its expression still waits for a parameter. */
export function draftsOf(section: string, name: string, written: Value): Draft[] {
  if (!isFields(written)) return [];
  const all: Draft[] = section === 'rules' ? thresholdOf(name, written) : section === 'groups' ? alertingOf(written) : [];
  return all.filter(({ expr }) => !expr.includes('${'));
}
