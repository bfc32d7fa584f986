import type { Incident, IncidentEvent } from '../../api/incidents';
import type { AlertEvent, Severity } from '../../api/types';
import { formatUntil, toSeconds } from '../../lib/duration';
import { lookOf, wordOf } from '../alerts/words';

/** What an incident shows as: closed, acknowledged, else how bad it is. */
export function incidentLook({ state, severity }: Pick<Incident, 'state' | 'severity'>): string {
  if (state === 'closed') return 'closed';
  if (state === 'acknowledged') return 'acked';
  return severity === 'none' ? 'firing' : severity;
}

/** `3 alerts: 1 critical, 1 warning, 1 unknown`; of one that is over how many there were. */
export function countWords({ state, counts }: Pick<Incident, 'state' | 'counts'>): string {
  const alerts = (count: number): string => `${count} ${count === 1 ? 'alert' : 'alerts'}`;
  if (state === 'closed' || counts.open === 0) return `${alerts(counts.total)} in all`;
  const parts = (['critical', 'warning', 'no_data', 'unknown'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${counts[kind]} ${kind === 'no_data' ? 'without data' : kind}`);
  return `${alerts(counts.open)}${parts.length > 1 || counts.open > 1 ? `: ${parts.join(', ')}` : ''}`;
}

/** Who is on it, until when and why; nothing where nobody is. */
export function concernOf({ owner, ack }: Incident): string {
  if (!ack) return owner ?? '';
  const until = toSeconds(ack.until);
  return [owner ?? ack.by, until === undefined ? '' : ` until ${formatUntil(until)}`, ack.note ? `: ${ack.note}` : ''].join('');
}

/** Why an alert belongs to it. */
export const joinedBy: Record<string, string> = { first: 'opened it', group: 'same labels', correlate: 'a rule says so', topology: 'depends on it', person: 'merged' };

export interface Moment {
  key: string;
  at: number;
  look: string;
  word: string;
  by: string;
  /** What a person said. */
  note: string;
  text: string;
  alert: { id: string; name: string; where: string } | undefined;
  kind: 'people' | 'alerts' | 'notifications';
}

const said = new Set(['acknowledged', 'unacknowledged', 'note', 'closed']);
const own: Record<string, { look: string; word: string }> = {
  opened: { look: 'firing', word: 'Opened' },
  reopened: { look: 'firing', word: 'Opened again' },
  closed: { look: 'closed', word: 'Closed' },
  acknowledged: { look: 'acked', word: 'Acknowledged' },
  unacknowledged: { look: 'queued', word: 'Acknowledgement ended' },
  assigned: { look: 'note', word: 'Assigned' },
  note: { look: 'note', word: 'Note' },
  joined: { look: 'pending', word: 'Joined' },
  merged: { look: 'closed', word: 'Merged' },
};

const bySeverity = (severity: Severity | undefined): string => (severity === 'critical' || severity === 'warning' ? severity : 'firing');

function lookAndWord(event: IncidentEvent): { look: string; word: string } {
  if (event.kind === 'alert') {
    const line: AlertEvent = { at: event.at, to: event.to ?? '', ...(event.from ? { from: event.from } : {}), ...(event.severity ? { severity: event.severity } : {}), ...(event.by ? { by: event.by } : {}) };
    return { look: lookOf(line), word: wordOf(line, undefined) };
  }
  if (event.kind === 'notification') {
    const state = event.notification?.state ?? 'queued';
    const words = { sent: 'Told', failed: 'Not told', retrying: 'Not told yet', queued: 'To be told' };
    return { look: state, word: words[state] };
  }
  if (event.kind === 'severity') {
    return { look: bySeverity(event.severity), word: event.severity === 'none' ? 'Severity' : `Now ${event.severity ?? ''}` };
  }
  if (event.kind === 'opened' || event.kind === 'reopened') return { ...own[event.kind]!, look: bySeverity(event.severity) };
  if (event.kind === 'unacknowledged' && event.by) return { look: 'queued', word: 'Acknowledgement taken back' };
  return own[event.kind] ?? { look: 'note', word: event.kind };
}

/** What the event says beside its word; what a person said is a note. */
function textOf({ kind, text = '', notification }: IncidentEvent, isSaid: boolean): string {
  if (kind === 'joined') return joinedBy[text] ?? text;
  if (kind === 'assigned') return `to ${text}`;
  if (notification) return [notification.channel, text].filter(Boolean).join(': ');
  return isSaid ? '' : text;
}

/** What happened, newest first. */
export function timeline(events: IncidentEvent[]): Moment[] {
  return events
    .map((event, i): Moment => {
      const isSaid = said.has(event.kind === 'alert' ? (event.to ?? '') : event.kind) && !!event.by;
      const alert = event.alert;
      const people = isSaid || event.kind === 'assigned' || (event.kind === 'merged' && event.by) ? 'people' : 'alerts';
      return {
        key: `${i}`,
        at: toSeconds(event.at) ?? 0,
        ...lookAndWord(event),
        by: event.by ?? '',
        note: isSaid ? (event.text ?? '') : '',
        text: textOf(event, isSaid),
        alert: alert ? { id: alert.id, name: alert.name, where: alert.labels?.instance ?? '' } : undefined,
        kind: event.kind === 'notification' ? 'notifications' : people,
      };
    })
    .reverse();
}
