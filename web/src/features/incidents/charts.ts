import type { IncidentDetail, MemberAlert } from '../../api/incidents';

/** Alerts whose rules look at the same. */
export interface Group {
  expr: string;
  alerts: MemberAlert[];
}

/** What of an incident can be drawn: the series that the server names, by expression; lines of logs are none. */
export function chartsOf(incident: Pick<IncidentDetail, 'alerts' | 'series'>): Group[] {
  const byId = new Map(incident.alerts.map((alert) => [alert.id, alert]));
  const groups = new Map<string, Group>();
  for (const { alert: id, expr } of incident.series) {
    const alert = byId.get(id);
    if (!alert || !expr || alert.kind === 'tailable') continue;
    const group = groups.get(expr) ?? { expr, alerts: [] };
    group.alerts.push({ ...alert, expr });
    groups.set(expr, group);
  }
  return [...groups.values()];
}
