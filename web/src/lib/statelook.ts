export type Shape = 'circle' | 'triangle' | 'square' | 'dashed' | 'check' | 'half' | 'cross' | 'shelf' | 'muted' | 'note';

export interface Look {
  shape: Shape;
  word: string;
  colour: string;
  /** Larger is worse: the order of "worst first". */
  rank: number;
}

const looks: Record<string, Look> = {
  ok: { shape: 'circle', word: 'OK', colour: '--ok', rank: 0 },
  up: { shape: 'circle', word: 'Up', colour: '--ok', rank: 0 },
  sent: { shape: 'check', word: 'Sent', colour: '--ok', rank: 0 },
  resolved: { shape: 'check', word: 'Resolved', colour: '--ok', rank: 1 },
  closed: { shape: 'check', word: 'Closed', colour: '--ack', rank: 1 },
  shelved: { shape: 'shelf', word: 'Shelved', colour: '--ack', rank: 1.5 },
  suppressed: { shape: 'muted', word: 'Silenced', colour: '--ack', rank: 1.6 },
  silence_active: { shape: 'muted', word: 'Active', colour: '--accent', rank: 2 },
  silence_pending: { shape: 'half', word: 'Pending', colour: '--muted', rank: 1 },
  silence_expired: { shape: 'check', word: 'Expired', colour: '--muted', rank: 0 },
  note: { shape: 'note', word: 'Note', colour: '--muted', rank: 1 },
  acked: { shape: 'check', word: 'Acknowledged', colour: '--ack', rank: 2 },
  queued: { shape: 'half', word: 'Queued', colour: '--muted', rank: 2 },
  checking: { shape: 'half', word: 'Checking', colour: '--muted', rank: 2 },
  never: { shape: 'dashed', word: 'Never seen', colour: '--nodata', rank: 2 },
  unknown: { shape: 'dashed', word: 'Unknown', colour: '--nodata', rank: 2 },
  pending: { shape: 'half', word: 'Pending', colour: '--warn', rank: 3 },
  retrying: { shape: 'half', word: 'Retrying', colour: '--warn', rank: 3 },
  no_data: { shape: 'dashed', word: 'No data', colour: '--nodata', rank: 4 },
  warning: { shape: 'triangle', word: 'Warning', colour: '--warn', rank: 5 },
  firing: { shape: 'square', word: 'Firing', colour: '--crit', rank: 6 },
  critical: { shape: 'square', word: 'Critical', colour: '--crit', rank: 6 },
  broken: { shape: 'cross', word: 'Broken', colour: '--crit', rank: 6 },
  error: { shape: 'cross', word: 'Error', colour: '--crit', rank: 6 },
  failing: { shape: 'cross', word: 'Failing', colour: '--crit', rank: 6 },
  failed: { shape: 'cross', word: 'Failed', colour: '--crit', rank: 6 },
  down: { shape: 'cross', word: 'Down', colour: '--crit', rank: 7 },
};

export function stateLook(state: string): Look {
  return looks[state] ?? { shape: 'dashed', word: state || 'Unknown', colour: '--nodata', rank: 2 };
}

/** Of an open alert what nobody is told of, or somebody is on already; its severity is then shown beside. */
export const isQuiet = (look: string): boolean => look === 'shelved' || look === 'suppressed' || look === 'acked';

/** What an alert shows as: what people did with it, pending, no data or resolved by its state, else its severity. */
export function alertLook(alert: {
  state: string;
  severity: string;
  ack?: unknown;
  shelf?: unknown;
  closed?: unknown;
  silenced_by?: string[];
}): string {
  if (alert.state === 'resolved') return alert.closed ? 'closed' : 'resolved';
  if (alert.shelf) return 'shelved';
  if (alert.silenced_by && alert.silenced_by.length > 0) return 'suppressed';
  if (alert.ack) return 'acked';
  if (alert.state === 'pending' || alert.state === 'no_data') return alert.state;
  return alert.severity === 'none' ? 'firing' : alert.severity;
}

/** What a host shows as: down before its alerts, its alerts before up. */
export function hostLook(host: {
  state: string;
  alerts?: { critical?: number; warning?: number; no_data?: number } | undefined;
}): string {
  if (host.state !== 'up') return host.state;
  if (host.alerts?.critical) return 'critical';
  if (host.alerts?.warning) return 'warning';
  if (host.alerts?.no_data) return 'no_data';
  return 'up';
}
