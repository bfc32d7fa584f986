import type { Alert } from '../../api/types';
import { formatMatchers, parseMatchers, predicateOf, splitWords, type Matcher } from '../../lib/matchers';
import { alertLook, stateLook } from '../../lib/statelook';
import { toSeconds } from '../../lib/duration';

/** Every open alert is in exactly one of these, so that their counts add up. */
export type Group = 'critical' | 'warning' | 'no_data' | 'pending' | 'acked' | 'shelved' | 'suppressed';
export const groups: Group[] = ['critical', 'warning', 'no_data', 'pending', 'acked', 'shelved', 'suppressed'];

export interface AlertFilter {
  /** Open alerts of one group or of all; or those that are over. */
  show: Group | 'open' | 'resolved';
  /** How bad they are or were; in the groups that do not say so themselves. */
  severity: '' | 'critical' | 'warning';
  host: string;
  matchers: Matcher[];
  /** Words, all of which are to be found; matchers may stand among them. */
  text: string;
  /** The id of a silence that hides them. */
  silence: string;
}

export const noFilter: AlertFilter = { show: 'open', severity: '', host: '', matchers: [], text: '', silence: '' };

type Query = Record<string, string | undefined>;
const quietStates = new Set<string>(['no_data', 'pending', 'acked', 'shelved', 'suppressed']);

/** Reads an address. `severity=critical` alone means the open critical ones. */
export function filterFromQuery(query: Query): AlertFilter {
  const severity = query.severity === 'critical' || query.severity === 'warning' ? query.severity : '';
  const state = query.state ?? '';
  let show: AlertFilter['show'] = severity || 'open';
  if (state === 'resolved' || quietStates.has(state)) show = state as Group;
  return {
    show,
    severity: show === severity ? '' : severity,
    host: query.host ?? '',
    matchers: parseMatchers(query.match ?? '') ?? [],
    text: query.text ?? '',
    silence: query.silence ?? '',
  };
}

/** The address parts of a filter; what is not filtered leaves no trace. */
export function filterToQuery(filter: AlertFilter): Query {
  const { show } = filter;
  const isSeverity = show === 'critical' || show === 'warning';
  return {
    state: show === 'open' || isSeverity ? undefined : show,
    severity: isSeverity ? show : (show !== 'open' && filter.severity) || undefined,
    host: filter.host || undefined,
    match: formatMatchers(filter.matchers) || undefined,
    text: filter.text || undefined,
    silence: filter.silence || undefined,
  };
}

/** With the matchers among its words among its matchers. */
export function absorb(filter: AlertFilter): AlertFilter {
  const { text, matchers } = splitWords(filter.text);
  if (matchers.length === 0) return filter;
  const known = new Set(filter.matchers.map((matcher) => formatMatchers([matcher])));
  return { ...filter, text, matchers: [...filter.matchers, ...matchers.filter((one) => !known.has(formatMatchers([one])))] };
}

export const isFiltered = (filter: AlertFilter): boolean => Object.values(filterToQuery(filter)).some(Boolean);

export function groupOf(alert: Alert): Group {
  const look = alertLook(alert);
  return (groups as string[]).includes(look) ? (look as Group) : 'critical';
}

export const hostOf = (alert: Alert): string => alert.labels.instance ?? '';

/** Labels whose values tell alerts apart: a silence for several of them lists these. */
export const telling = ['alertname', 'instance', 'job', 'service', 'device', 'mountpoint'];

/** As silences and routes see it: with its severity among its labels. */
export function seenLabels(alert: Pick<Alert, 'labels' | 'severity'>): Record<string, string> {
  if (alert.severity === 'none' || alert.labels.severity) return alert.labels;
  return { ...alert.labels, severity: alert.severity };
}

/** What sorting and filtering need of an alert, found out once: alerts are never changed, only replaced. */
interface Facts {
  rank: number;
  since: number;
  group: Group;
  labels: Record<string, string>;
  words: string;
}
const known = new WeakMap<Alert, Facts>();

function factsOf(alert: Alert): Facts {
  let facts = known.get(alert);
  if (!facts) {
    const { summary = '', description = '' } = alert.annotations ?? {};
    facts = {
      rank: stateLook(alertLook(alert)).rank,
      since: toSeconds(alert.fired ?? alert.started) ?? 0,
      group: groupOf(alert),
      labels: seenLabels(alert),
      words: [alert.name, alert.text ?? '', summary, description, ...Object.values(alert.labels)].join('\n').toLowerCase(),
    };
    known.set(alert, facts);
  }
  return facts;
}

/** Whether an alert meets all of a filter but its group and its host. */
export function wanted(filter: AlertFilter, titleOf: (alert: Alert) => string): (alert: Alert) => boolean {
  const { text, matchers } = absorb(filter);
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const meets = matchers.length > 0 ? predicateOf(matchers) : undefined;
  return (alert) => {
    const facts = factsOf(alert);
    if (filter.silence && !alert.silenced_by?.includes(filter.silence)) return false;
    if (meets && !meets(facts.labels)) return false;
    if (filter.severity && alert.severity !== filter.severity) return false;
    if (words.length === 0) return true;
    const title = titleOf(alert).toLowerCase();
    return words.every((word) => facts.words.includes(word) || title.includes(word));
  };
}

export interface Arranged {
  rows: Alert[];
  /** How many of each group fit the rest of the filter. */
  counts: Record<Group | 'open', number>;
  /** Open alerts by host among those that fit the rest of the filter, most first. */
  hosts: [host: string, count: number][];
}

/** The open alerts that a filter shows, worst first, then newest; with what the other choices would show. */
export function arrange(alerts: Alert[], filter: AlertFilter, titleOf: (alert: Alert) => string): Arranged {
  const fits = wanted(filter, titleOf);
  const counts = { open: 0, critical: 0, warning: 0, no_data: 0, pending: 0, acked: 0, shelved: 0, suppressed: 0 };
  const perHost = new Map<string, number>();
  const rows: Alert[] = [];
  for (const alert of alerts) {
    if (!fits(alert)) continue;
    const { group } = factsOf(alert);
    const host = hostOf(alert);
    const fitsHost = !filter.host || host === filter.host;
    const fitsGroup = filter.show === 'open' || filter.show === group;
    if (fitsHost) {
      counts[group] += 1;
      counts.open += 1;
    }
    if (fitsGroup && host) perHost.set(host, (perHost.get(host) ?? 0) + 1);
    if (fitsHost && fitsGroup) rows.push(alert);
  }
  const hosts = [...perHost].sort((a, b) => b[1] - a[1] || order.compare(a[0], b[0]));
  return { rows: worstFirst(rows), counts, hosts };
}

const order = new Intl.Collator(undefined, { numeric: true });

export function worstFirst(alerts: Alert[]): Alert[] {
  return [...alerts].sort((a, b) => {
    const [x, y] = [factsOf(a), factsOf(b)];
    return y.rank - x.rank || y.since - x.since || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  });
}

/** The row to go to from `id`, `by` rows on; the first or the last one from nowhere. */
export function step(rows: { id: string }[], id: string, by: 1 | -1): number {
  const at = rows.findIndex((row) => row.id === id);
  if (at < 0) return by > 0 ? 0 : rows.length - 1;
  return Math.max(0, Math.min(rows.length - 1, at + by));
}
