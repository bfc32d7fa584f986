import { api } from '../../api/client';
import type { Alert, AlertDetail } from '../../api/types';
import { runMany, type Outcome } from '../../lib/many';
import { openAlerts } from '../../state/alerts.svelte';
import { toasts } from '../../state/toasts.svelte';

export type Verb = 'ack' | 'unack' | 'shelve' | 'unshelve' | 'close' | 'note';

/** What a person says along with a command. */
export interface Said {
  note?: string;
  /** RFC 3339; or how long, as `4h`. */
  until?: string;
  for?: string;
}

interface Command {
  /** `Acknowledge 3 alerts`. */
  word: string;
  /** `3 alerts acknowledged`. */
  done: string;
  method: 'POST' | 'DELETE';
  path: string;
  /** Whether there is anything to do for it. */
  fits: (alert: Alert) => boolean;
}

const isOpen = (alert: Alert): boolean => alert.state !== 'resolved';
export const commands: Record<Verb, Command> = {
  ack: { word: 'Acknowledge', done: 'acknowledged', method: 'POST', path: 'ack', fits: isOpen },
  unack: { word: 'Take back', done: 'no longer acknowledged', method: 'DELETE', path: 'ack', fits: (alert) => isOpen(alert) && !!alert.ack },
  shelve: { word: 'Shelve', done: 'shelved', method: 'POST', path: 'shelve', fits: isOpen },
  unshelve: { word: 'Unshelve', done: 'taken from the shelf', method: 'DELETE', path: 'shelve', fits: (alert) => !!alert.shelf },
  close: { word: 'Close', done: 'closed', method: 'POST', path: 'close', fits: isOpen },
  note: { word: 'Add note', done: 'remarked on', method: 'POST', path: 'notes', fits: () => true },
};

export const countOf = (count: number): string => `${count} ${count === 1 ? 'alert' : 'alerts'}`;

export function bodyOf(verb: Verb, { note = '', until, for: lasts }: Said): Record<string, string> {
  const text = note.trim();
  if (verb === 'note') return { text };
  const body: Record<string, string> = {};
  if (text) body.note = text;
  if (verb === 'ack' || verb === 'shelve') {
    if (until) body.until = until;
    else if (lasts) body.for = lasts;
  }
  return body;
}

function send(verb: Verb, alert: Alert, said: Said): Promise<AlertDetail> {
  const { method, path } = commands[verb];
  const address = `/alerts/${encodeURIComponent(alert.id)}/${path}`;
  return method === 'POST' ? api.post<AlertDetail>(address, bodyOf(verb, said)) : api.remove<AlertDetail>(address);
}

export type AlertOutcome = Outcome<Alert, AlertDetail>;

/** One command for many alerts; what the answers say is known everywhere at once. */
export function runAll(verb: Verb, alerts: Alert[], said: Said, onProgress?: (done: number) => void, sent = send): Promise<AlertOutcome> {
  return runMany(alerts, (alert) => sent(verb, alert, said), (details) => openAlerts.merge(details), onProgress);
}

/** As runAll, and says in a toast what came of it. */
export async function act(verb: Verb, alerts: Alert[], said: Said = {}, onProgress?: (done: number) => void): Promise<AlertOutcome> {
  const outcome = await runAll(verb, alerts, said, onProgress);
  const { done, failed } = outcome;
  if (failed.length > 0) {
    toasts.failure(failed[0]!.reason);
    if (alerts.length > 1) toasts.show('warning', `${countOf(failed.length)} not ${commands[verb].done}`, `${done.length} of ${alerts.length} are.`);
  } else if (alerts.length > 1) {
    toasts.show('ok', `${countOf(done.length)} ${commands[verb].done}`);
  }
  return outcome;
}
