import type { Alert } from '../../api/types';
import { alertLook, stateLook } from '../../lib/statelook';
import { toSeconds } from '../../lib/duration';

/** Every open alert is in exactly one of these, so that their counts add up. */
export type Group = 'critical' | 'warning' | 'no_data' | 'pending' | 'acked';
export const groups: Group[] = ['critical', 'warning', 'no_data', 'pending', 'acked'];

export interface AlertFilter {
  /** Open alerts of one group or of all; or those that are over. */
  show: Group | 'open' | 'resolved';
  /** Of resolved ones only: how bad they were. */
  severity: '' | 'critical' | 'warning';
  host: string;
  text: string;
}

type Query = Record<string, string | undefined>;

/** Reads an address. `severity=critical` alone means the open critical ones. */
export function filterFromQuery(query: Query): AlertFilter {
  const severity = query.severity === 'critical' || query.severity === 'warning' ? query.severity : '';
  const state = query.state ?? '';
  let show: AlertFilter['show'] = severity || 'open';
  if (state === 'resolved') show = 'resolved';
  else if (state === 'no_data' || state === 'pending' || state === 'acked') show = state;
  return { show, severity: show === 'resolved' ? severity : '', host: query.host ?? '', text: query.text ?? '' };
}

/** The address parts of a filter; what is not filtered leaves no trace. */
export function filterToQuery(filter: AlertFilter): Query {
  const { show } = filter;
  const isSeverity = show === 'critical' || show === 'warning';
  return {
    state: show === 'open' || isSeverity ? undefined : show,
    severity: isSeverity ? show : (show === 'resolved' && filter.severity) || undefined,
    host: filter.host || undefined,
    text: filter.text || undefined,
  };
}

export function groupOf(alert: Alert): Group {
  const look = alertLook(alert);
  return look === 'acked' || look === 'pending' || look === 'no_data' || look === 'warning' ? look : 'critical';
}

export const hostOf = (alert: Alert): string => alert.labels.instance ?? '';

function fitsText(alert: Alert, title: string, wanted: string): boolean {
  if (!wanted) return true;
  const { summary = '', description = '' } = alert.annotations ?? {};
  const haystack = [title, alert.name, alert.text ?? '', summary, description, ...Object.values(alert.labels)];
  return wanted.split(/\s+/).every((word) => haystack.some((text) => text.toLowerCase().includes(word)));
}

export interface Arranged {
  rows: Alert[];
  /** How many of each group fit the host and the text. */
  counts: Record<Group | 'open', number>;
  /** Open alerts by host among those that fit the group and the text, most first. */
  hosts: [host: string, count: number][];
}

/** The open alerts that a filter shows, worst first, then newest; with what the other choices would show. */
export function arrange(alerts: Alert[], filter: AlertFilter, titleOf: (alert: Alert) => string): Arranged {
  const wanted = filter.text.trim().toLowerCase();
  const counts = { open: 0, critical: 0, warning: 0, no_data: 0, pending: 0, acked: 0 };
  const perHost = new Map<string, number>();
  const rows: Alert[] = [];
  for (const alert of alerts) {
    if (!fitsText(alert, titleOf(alert), wanted)) continue;
    const group = groupOf(alert);
    const fitsHost = !filter.host || hostOf(alert) === filter.host;
    const fitsGroup = filter.show === 'open' || filter.show === group;
    if (fitsHost) {
      counts[group] += 1;
      counts.open += 1;
    }
    if (fitsGroup && hostOf(alert)) perHost.set(hostOf(alert), (perHost.get(hostOf(alert)) ?? 0) + 1);
    if (fitsHost && fitsGroup) rows.push(alert);
  }
  const hosts = [...perHost].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0], undefined, { numeric: true }));
  return { rows: worstFirst(rows), counts, hosts };
}

export function worstFirst(alerts: Alert[]): Alert[] {
  const keyed = alerts.map((alert) => ({
    alert,
    rank: stateLook(alertLook(alert)).rank,
    since: toSeconds(alert.fired ?? alert.started) ?? 0,
  }));
  keyed.sort((a, b) => b.rank - a.rank || b.since - a.since || a.alert.id.localeCompare(b.alert.id));
  return keyed.map(({ alert }) => alert);
}

/** The row to go to from `id`, `by` rows on; the first or the last one from nowhere. */
export function step(rows: { id: string }[], id: string, by: 1 | -1): number {
  const at = rows.findIndex((row) => row.id === id);
  if (at < 0) return by > 0 ? 0 : rows.length - 1;
  return Math.max(0, Math.min(rows.length - 1, at + by));
}
