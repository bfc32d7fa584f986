import type { ActiveAlert, AlertingRule, RecordingRule, RuleGroup } from '../../api/prom';
import type { Alert, Labels, Rule } from '../../api/types';
import { toSeconds } from '../../lib/duration';
import { stateLook } from '../../lib/statelook';

export type RuleKind = 'alerting' | 'recording' | 'threshold';

/** A rule as the list has it, whichever notation it is in. */
export interface RuleView {
  /** What names it in the address, behind `rules`. */
  path: string[];
  kind: RuleKind;
  name: string;
  title: string;
  /** The group that it is in; of thresholds with the package. */
  group: string;
  file: string;
  expr: string;
  /** Words of `stateLook`. */
  state: string;
  error: string;
  /** Unix seconds; seconds. Of thresholds nobody says: every sample is judged. */
  evaluated?: number | undefined;
  took?: number | undefined;
  interval?: number | undefined;
  /** Of a result; of thresholds the series that are judged. */
  samples?: number | undefined;
  hold?: number;
  keep?: number;
  labels: Labels;
  annotations: Labels;
  alerts: RuleAlert[];
  /** Where it is written: package, section, path. */
  item?: string[] | undefined;
  isLog: boolean;
}

export interface RuleAlert {
  labels: Labels;
  state: string;
  value: string;
  since?: number | undefined;
  /** Of our own alerts. */
  id?: string;
}

const state = (rule: AlertingRule | RecordingRule): string => {
  if (rule.health === 'err') return 'error';
  if (rule.health === 'unknown' && !(toSeconds(rule.lastEvaluation)! > 0)) return 'unknown';
  if (rule.type === 'recording') return 'ok';
  return rule.state === 'inactive' ? 'ok' : rule.state;
};

const alertOf = ({ labels, state: now, value, activeAt }: ActiveAlert): RuleAlert => ({ labels, state: now, value, since: toSeconds(activeAt) });

/** Files of packages are named from the package's folder on; others are paths of the machine. */
function itemOf(group: RuleGroup): string[] | undefined {
  const parts = group.file.split('/');
  return parts.length > 1 && parts[0] !== '' && parts[0] !== '.' && parts[0] !== '..' ? [parts[0]!, 'groups', group.name] : undefined;
}

function ofGroup(group: RuleGroup): RuleView[] {
  const seen = new Map<string, number>();
  return group.rules.map((rule) => {
    // A name may come several times in a group, with other labels.
    const nth = (seen.get(rule.name) ?? 0) + 1;
    seen.set(rule.name, nth);
    const evaluated = toSeconds(rule.lastEvaluation);
    const alerts = rule.type === 'alerting' ? (rule.alerts ?? []).map(alertOf) : [];
    return {
      path: ['group', group.file, group.name, rule.name, ...(nth > 1 ? [String(nth)] : [])],
      kind: rule.type,
      name: rule.name,
      title: rule.name,
      group: group.name,
      file: group.file,
      expr: rule.query,
      state: state(rule),
      error: rule.lastError ?? '',
      evaluated: evaluated !== undefined && evaluated > 0 ? evaluated : undefined,
      took: rule.evaluationTime,
      interval: group.interval,
      samples: rule.samples ?? (rule.type === 'alerting' ? alerts.length : undefined),
      ...(rule.type === 'alerting' && { hold: rule.duration, keep: rule.keepFiringFor ?? 0 }),
      labels: rule.labels ?? {},
      annotations: rule.type === 'alerting' ? (rule.annotations ?? {}) : {},
      alerts,
      item: itemOf(group),
      isLog: false,
    };
  });
}

function ofThreshold(rule: Rule, open: Alert[]): RuleView {
  const [name, ...rest] = rule.id.split('/');
  return {
    path: ['threshold', ...rule.id.split('/')],
    kind: 'threshold',
    name: rule.name,
    title: rule.title || rule.name,
    group: [rule.package, rule.group].filter(Boolean).join(' / '),
    file: rule.file ?? '',
    expr: rule.expr ?? '',
    state: rule.state,
    error: rule.error ?? '',
    samples: rule.series,
    labels: {},
    annotations: {},
    alerts: open.map((alert) => ({
      id: alert.id,
      labels: alert.labels,
      state: alert.state === 'firing' && alert.severity !== 'none' ? alert.severity : alert.state,
      value: alert.value === null || alert.value === undefined ? '' : String(alert.value),
      since: toSeconds(alert.started),
    })),
    item: [name!, 'rules', ...rest],
    isLog: rule.kind === 'tailable',
  };
}

/** All rules of both notations. */
export function rulesOf(groups: RuleGroup[], thresholds: Rule[], open: Alert[]): RuleView[] {
  const byRule = new Map<string, Alert[]>();
  for (const alert of open) if (alert.rule) byRule.set(alert.rule, [...(byRule.get(alert.rule) ?? []), alert]);
  return [...groups.flatMap(ofGroup), ...thresholds.map((rule) => ofThreshold(rule, byRule.get(rule.id) ?? []))];
}

export const shows = ['firing', 'pending', 'no_data', 'error', 'unknown', 'ok'] as const;
export type Show = (typeof shows)[number];

export interface RuleFilter {
  show: Show | '';
  kind: RuleKind | '';
  text: string;
}

type Query = Record<string, string | undefined>;

export function filterFromQuery(query: Query): RuleFilter {
  const { show = '', kind = '', text = '' } = query;
  return {
    show: (shows as readonly string[]).includes(show) ? (show as Show) : '',
    kind: kind === 'alerting' || kind === 'recording' || kind === 'threshold' ? kind : '',
    text,
  };
}
export const filterToQuery = ({ show, kind, text }: RuleFilter): Query => ({ show: show || undefined, kind: kind || undefined, text: text || undefined });

/** The choice that a state belongs to. */
export function showOf({ state: now }: RuleView): Show {
  if (now === 'critical' || now === 'warning' || now === 'firing') return 'firing';
  return (shows as readonly string[]).includes(now) ? (now as Show) : 'unknown';
}

/** What a filter finds, the worst first, and how many each choice would find. */
export function arrange(all: RuleView[], { show, kind, text }: RuleFilter): { rows: RuleView[]; counts: Record<Show | '', number>; kinds: Record<RuleKind | '', number> } {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (rule: RuleView): boolean => {
    const told = `${rule.title} ${rule.name} ${rule.group} ${rule.file} ${rule.expr} ${Object.entries(rule.labels).flat().join(' ')}`.toLowerCase();
    return words.every((word) => told.includes(word));
  };
  const found = all.filter(fits);
  const counts = { '': 0, firing: 0, pending: 0, no_data: 0, error: 0, unknown: 0, ok: 0 };
  const kinds = { '': 0, alerting: 0, recording: 0, threshold: 0 };
  for (const rule of found) {
    const choice = showOf(rule);
    if (!kind || rule.kind === kind) (counts[choice] += 1), (counts[''] += 1);
    if (!show || choice === show) (kinds[rule.kind] += 1), (kinds[''] += 1);
  }
  const rows = found
    .filter((rule) => (!kind || rule.kind === kind) && (!show || showOf(rule) === show))
    .map((rule, i) => ({ rule, i, rank: stateLook(rule.state).rank }))
    .sort((a, b) => b.rank - a.rank || a.i - b.i)
    .map(({ rule }) => rule);
  return { rows, counts, kinds };
}
