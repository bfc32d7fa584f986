import type { Incident, IncidentState } from '../../api/incidents';
import { toSeconds } from '../../lib/duration';

export type Show = '' | IncidentState;
export const states: IncidentState[] = ['open', 'acknowledged', 'closed'];
/** In the address: those that nobody owns. */
export const nobody = '-';

export interface IncidentFilter {
  /** One state alone; else all of them on the board, what is not closed in a list. */
  show: Show;
  owner: string;
  severity: '' | 'critical' | 'warning';
  text: string;
  /** What the board's columns are. */
  by: 'state' | 'owner';
}

type Query = Record<string, string | undefined>;

export function filterFromQuery(query: Query): IncidentFilter {
  const { state = '', severity = '', owner = '', text = '', by = '' } = query;
  return {
    show: states.find((one) => one === state) ?? '',
    severity: severity === 'critical' || severity === 'warning' ? severity : '',
    owner,
    text,
    by: by === 'owner' ? 'owner' : 'state',
  };
}

export function filterToQuery({ show, owner, severity, text, by }: IncidentFilter): Query {
  return {
    state: show || undefined,
    owner: owner || undefined,
    severity: severity || undefined,
    text: text || undefined,
    by: by === 'owner' ? by : undefined,
  };
}

export const isFiltered = ({ owner, severity, text }: IncidentFilter): boolean => owner !== '' || severity !== '' || text.trim() !== '';

/** Every word is to be found in title, labels or owner; `#42` and `42` are its number. */
export function fits(filter: IncidentFilter): (incident: Incident) => boolean {
  const words = filter.text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return (incident) => {
    if (filter.owner === nobody ? incident.owner : filter.owner && incident.owner !== filter.owner) return false;
    if (filter.severity && incident.severity !== filter.severity) return false;
    if (words.length === 0) return true;
    const labels = Object.entries(incident.labels).map(([name, value]) => `${name}=${value}`);
    const text = [incident.title, incident.owner ?? '', ...labels].join('\n').toLowerCase();
    return words.every((word) => incident.id === word.replace(/^#/, '') || text.includes(word));
  };
}

const ranks: Record<string, number> = { critical: 2, warning: 1 };
const rankOf = ({ severity }: Incident): number => ranks[severity] ?? 0;
const endOf = (incident: Incident): number => toSeconds(incident.closed) ?? toSeconds(incident.updated) ?? 0;

/** Open before acknowledged before closed; worst first, then newest; closed ones by their end. */
export function order(incidents: Incident[]): Incident[] {
  return [...incidents].sort((a, b) => {
    if (a.state !== b.state) return states.indexOf(a.state) - states.indexOf(b.state);
    if (a.state === 'closed') return endOf(b) - endOf(a) || Number(b.id) - Number(a.id);
    return rankOf(b) - rankOf(a) || (toSeconds(b.opened) ?? 0) - (toSeconds(a.opened) ?? 0) || Number(b.id) - Number(a.id);
  });
}

export interface Column {
  key: string;
  title: string;
  rows: Incident[];
}

const words: Record<IncidentState, string> = { open: 'Open', acknowledged: 'Acknowledged', closed: 'Closed lately' };
export const stateWord = (state: IncidentState): string => (state === 'closed' ? 'Closed' : words[state]);

/** The columns of the board; without owners none is empty by chance: those of states are always there. */
export function columnsOf(incidents: Incident[], filter: IncidentFilter): Column[] {
  const rows = order(incidents.filter(fits(filter)));
  if (filter.by === 'owner') {
    const owners = new Map<string, Incident[]>([['', []]]);
    for (const incident of rows) {
      if (filter.show ? incident.state !== filter.show : incident.state === 'closed') continue;
      const list = owners.get(incident.owner ?? '');
      if (list) list.push(incident);
      else owners.set(incident.owner ?? '', [incident]);
    }
    return [...owners]
      .sort(([a], [b]) => (a === '' ? -1 : b === '' ? 1 : a.localeCompare(b)))
      .map(([owner, list]) => ({ key: owner || nobody, title: owner || 'Nobody', rows: list }));
  }
  const shown = filter.show ? [filter.show] : states;
  return shown.map((state) => ({ key: state, title: words[state], rows: rows.filter((incident) => incident.state === state) }));
}

/** The same as one list: without a state what is not closed. */
export function rowsOf(incidents: Incident[], filter: IncidentFilter): Incident[] {
  return order(incidents.filter(fits(filter))).filter(({ state }) => (filter.show ? state === filter.show : state !== 'closed'));
}

/** How many there are of each state that meet the rest of the filter. */
export function countsOf(incidents: Incident[], filter: IncidentFilter): Record<IncidentState, number> {
  const counts = { open: 0, acknowledged: 0, closed: 0 };
  const meets = fits(filter);
  for (const incident of incidents) if (meets(incident)) counts[incident.state] += 1;
  return counts;
}

/** Who owns something, whatever is shown of it. */
export function ownersOf(incidents: Incident[]): string[] {
  return [...new Set(incidents.flatMap(({ owner }) => owner ?? []))].sort((a, b) => a.localeCompare(b));
}
