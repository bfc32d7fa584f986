import type { Answer, Receiver, Route, Visit } from '../../api/routes';
import { formatDuration, parseDuration } from '../../lib/duration';
import { formatMatchers, parseMatchers } from '../../lib/matchers';

/** What became of the question at a route. */
export type Verdict = 'ends' | 'takes' | 'refuses' | 'unasked';

export interface Asked {
  verdict: Verdict;
  /** The matcher that does not match. */
  refuses: string;
}

/** Where the question came by, by the routes' ids; undefined without a question. */
export function pathOf(answer: Answer | undefined): ((route: Route) => Asked) | undefined {
  if (!answer) return undefined;
  const visits = new Map<string, Visit>(answer.path.map((visit) => [visit.route, visit]));
  return ({ id }) => {
    const visit = visits.get(id);
    if (!visit) return { verdict: 'unasked', refuses: '' };
    return { verdict: visit.ends ? 'ends' : visit.takes ? 'takes' : 'refuses', refuses: visit.refuses ?? '' };
  };
}

const words = (text: string): string => formatDuration(parseDuration(text) ?? NaN);

/** `grouped by cluster, service`, `all together`, `each alert alone`. */
export function groupWords(names: string[]): string {
  if (names.length === 0) return 'all together';
  return names[0] === '...' ? 'each alert alone' : `grouped by ${names.join(', ')}`;
}

type Times = Pick<Route, 'group_wait' | 'group_interval' | 'repeat_interval'>;

/** When a group is told, in words: only what is not as the parent has it. */
export function timeWords(times: Times, parent?: Times): string[] {
  const out: string[] = [];
  if (times.group_wait !== parent?.group_wait) out.push(isNone(times.group_wait) ? 'at once' : `waits ${words(times.group_wait)}`);
  if (times.group_interval !== parent?.group_interval) {
    out.push(isNone(times.group_interval) ? 'changes at once' : `changes after ${words(times.group_interval)}`);
  }
  if (!parent || times.repeat_interval !== parent.repeat_interval) {
    out.push(times.repeat_interval === undefined ? 'never repeats' : `repeats after ${words(times.repeat_interval)}`);
  }
  return out;
}
const isNone = (text: string): boolean => parseDuration(text) === 0;

/** What the route says of groups and times beyond what it has from its parent. */
export function ownWords(route: Route, parent?: Route): string[] {
  const groups = parent && parent.group_by.join('\n') === route.group_by.join('\n') ? [] : [groupWords(route.group_by)];
  return [...groups, ...timeWords(route, parent)];
}

export interface Told {
  name: string;
  /** It keeps the route quiet now. */
  acts: boolean;
  word: string;
}

/** The time intervals of a route, with what they mean now. */
export function intervalsOf(route: Route): Told[] {
  const acts = (name: string): boolean => route.muted_by.includes(name);
  return [
    ...route.mute_time_intervals.map((name) => ({ name, acts: acts(name), word: acts(name) ? `muted now: ${name}` : `muted in ${name}` })),
    ...route.active_time_intervals.map((name) => ({ name, acts: acts(name), word: acts(name) ? `quiet now, outside ${name}` : `active in ${name}` })),
  ];
}

export function countRoutes(route: Route): number {
  return route.routes.reduce((count, below) => count + countRoutes(below), 1);
}

/** The matchers from the root down to a route as an address of the alerts; undefined where they are not understood here. */
export function matchOf(chain: Route[]): string | undefined {
  const found = chain.flatMap(({ matchers }) => matchers.map((text) => parseMatchers(text)));
  return found.some((one) => one === undefined) ? undefined : formatMatchers(found.flatMap((one) => one!));
}

/** Whom an alert would reach now: receivers that are not quiet and have a way to be told. */
export function reached(answer: Answer, receivers: Receiver[]): string[] {
  if (answer.muted) return [];
  const loud = new Set(answer.routes.filter(({ muted_by }) => muted_by.length === 0).map(({ receiver }) => receiver));
  return receivers.filter(({ name, integrations }) => loud.has(name) && integrations.some((one) => one.carried_out)).map(({ name }) => name);
}

/** The same in a sentence. */
export function sentenceOf(answer: Answer, receivers: Receiver[]): string {
  const found = reached(answer, receivers);
  if (found.length > 0) return `${found.join(', ')} would be told`;
  return answer.muted ? 'Nobody would be told now' : 'Nobody would be told: no receiver on the way has an integration';
}

/** For whom nothing is configured yet: a section to paste into a package. */
export const sample = `alertmanager:
  route:
    receiver: everyone
    group_by: [alertname, instance]
    routes:
    - matchers: [severity="critical"]
      receiver: on-call
      group_wait: 0s
  receivers:
  - name: everyone
    email_configs:
    - {to: team@example.org, from: atalaya@example.org, smarthost: 'localhost:25'}
  - name: on-call
    webhook_configs:
    - {url: 'https://example.org/page'}
`;
