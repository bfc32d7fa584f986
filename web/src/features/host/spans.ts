import type { Alert } from '../../api/types';
import type { AlertSpan, ChartSpec } from '../../charts/spec';
import { exprText } from '../../charts/spec';
import { toSeconds } from '../../lib/duration';

/** The metrics that an expression reads. */
export function metricsOf(expr: string): string[] {
  const bare = expr.replace(/\{[^}]*\}|\b(by|without|on|ignoring)\s*\([^)]*\)|"[^"]*"/g, ' ');
  return (bare.match(/[a-zA-Z_:][\w:]*/g) ?? []).filter((word) => word.includes('_') && !/_over_time$/.test(word));
}

/** The alerts that belong on a chart: their rule reads what the chart shows. */
export function spansFor(spec: ChartSpec, alerts: Alert[]): AlertSpan[] {
  const shown = new Set(spec.queries.flatMap((query) => metricsOf(exprText(query, '5s'))));
  return alerts.flatMap((alert) => {
    if (!alert.expr || !metricsOf(alert.expr).some((metric) => shown.has(metric))) return [];
    const from = toSeconds(alert.fired ?? alert.started);
    if (from === undefined) return [];
    const isOpen = alert.state !== 'resolved';
    const severity: AlertSpan['severity'] =
      alert.state === 'pending' || alert.state === 'no_data'
        ? alert.state
        : alert.severity === 'critical'
          ? 'critical'
          : 'warning';
    return [{ from, to: isOpen ? undefined : toSeconds(alert.resolved ?? alert.updated), severity, name: alert.name }];
  });
}
