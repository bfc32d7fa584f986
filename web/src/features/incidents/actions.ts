import { incidentsApi, type Incident, type IncidentDetail } from '../../api/incidents';
import { runMany, type Outcome } from '../../lib/many';
import { toasts } from '../../state/toasts.svelte';
import { incidents } from './store.svelte';

export type Verb = 'ack' | 'unack' | 'assign' | 'close' | 'merge' | 'note';

/** What a person says along with a command. */
export interface Said {
  note?: string;
  until?: string;
  for?: string;
  /** Empty: nobody. */
  owner?: string;
  /** The incident that goes on. */
  into?: string;
}

interface Command {
  word: string;
  /** `3 incidents acknowledged`. */
  done: string;
  fits: (incident: Incident) => boolean;
}

const goesOn = ({ state }: Incident): boolean => state !== 'closed';
export const commands: Record<Verb, Command> = {
  ack: { word: 'Acknowledge', done: 'acknowledged', fits: goesOn },
  unack: { word: 'Take back', done: 'no longer acknowledged', fits: ({ state }) => state === 'acknowledged' },
  assign: { word: 'Assign', done: 'assigned', fits: goesOn },
  close: { word: 'Close', done: 'closed', fits: goesOn },
  merge: { word: 'Merge', done: 'merged', fits: goesOn },
  note: { word: 'Add note', done: 'remarked on', fits: () => true },
};

export const countOf = (count: number): string => `${count} ${count === 1 ? 'incident' : 'incidents'}`;

export function send(verb: Verb, { id }: Incident, { note = '', until, for: lasts, owner = '', into = '' }: Said): Promise<IncidentDetail> {
  const text = note.trim();
  const remark = text ? { note: text } : {};
  switch (verb) {
    case 'ack':
      return incidentsApi.ack(id, { ...remark, ...(until ? { until } : lasts ? { for: lasts } : {}) });
    case 'unack':
      return incidentsApi.unack(id);
    case 'assign':
      return incidentsApi.assign(id, { owner: owner.trim(), ...remark });
    case 'close':
      return incidentsApi.close(id, remark);
    case 'merge':
      return incidentsApi.merge(id, { into: into.trim(), ...remark });
    case 'note':
      return incidentsApi.note(id, text);
  }
}

/** One command for one incident or many; a toast says what came of it. */
export async function act(
  verb: Verb,
  list: Incident[],
  said: Said = {},
  onProgress?: (done: number) => void,
): Promise<Outcome<Incident, IncidentDetail>> {
  const outcome = await runMany(list, (incident) => send(verb, incident, said), (details) => incidents.merge(details), onProgress);
  const { done, failed } = outcome;
  if (failed.length > 0) {
    toasts.failure(failed[0]!.reason);
    if (list.length > 1) toasts.show('warning', `${countOf(failed.length)} not ${commands[verb].done}`, `${done.length} of ${list.length} are.`);
  } else if (list.length > 1) {
    toasts.show('ok', `${countOf(done.length)} ${commands[verb].done}`);
  }
  return outcome;
}
