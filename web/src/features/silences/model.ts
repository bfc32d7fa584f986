import type { Alert, Silence, SilenceWindow } from '../../api/types';
import { formatDuration, formatUntil, toSeconds } from '../../lib/duration';
import { faultOf, formatMatchers, parseMatchers, predicateOf, type Matcher } from '../../lib/matchers';
import { seenLabels } from '../alerts/filter';

export type SilenceState = 'active' | 'pending' | 'expired';
export const silenceStates: SilenceState[] = ['active', 'pending', 'expired'];

type Timed = Pick<Silence, 'startsAt' | 'endsAt'> & Partial<Pick<Silence, 'windows' | 'status'>>;

/** Begins and ends come true by the clock, before the server is asked again; windows of the calendar when it has been. */
export function stateAt(silence: Timed, now: number): SilenceState {
  if ((toSeconds(silence.endsAt) ?? 0) <= now) return 'expired';
  if ((toSeconds(silence.startsAt) ?? 0) > now) return 'pending';
  return silence.windows && silence.status ? silence.status.state : 'active';
}

/** Later than this it is said to have no end. */
const never = Date.parse('9999-01-01') / 1000;
export const hasEnd = (silence: Timed): boolean => (toSeconds(silence.endsAt) ?? 0) < never;

/** From here on a date says more than a number of days. */
const far = 30 * 86400;

/** `2 h left`, `until 2100-01-01`, `from 14:00, for 2 h`, `ended 5 m ago`; of one that recurs, when. */
export function whenText(silence: Timed, now: number): string {
  const [starts, ends] = [toSeconds(silence.startsAt) ?? 0, toSeconds(silence.endsAt) ?? 0];
  const state = stateAt(silence, now);
  if (state === 'expired') return `ended ${formatDuration(Math.max(0, now - ends))} ago`;
  if (silence.windows) return silence.windows.map(windowText).join('; ');
  if (state === 'pending') return `from ${formatUntil(starts, now)}, for ${formatDuration(ends - starts)}`;
  if (!hasEnd(silence)) return 'without an end';
  return ends - now > far ? `until ${formatUntil(ends, now).slice(0, 10)}` : `${formatDuration(ends - now)} left`;
}

/** `monday–friday 22:00–24:00 Europe/Madrid`. */
function windowText(window: SilenceWindow): string {
  const ranges = (texts: string[] = []): string => texts.map((text) => text.replace(':', '–')).join(', ');
  const times = (window.times ?? []).map(({ start_time, end_time }) => `${start_time}–${end_time}`).join(', ');
  const days = window.days_of_month ? `day ${ranges(window.days_of_month)}` : '';
  const parts = [ranges(window.years), ranges(window.months), days, ranges(window.weekdays), times, window.location];
  return parts.filter(Boolean).join(' ') || 'always';
}

export const matchersOf = (silence: Silence): Matcher[] =>
  silence.matchers.map(({ name, value, isRegex, isEqual }) => ({
    name,
    value,
    op: isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=',
  }));

export function fitsText(silence: Silence, text: string): boolean {
  const haystack = [silence.text, silence.comment, silence.createdBy, silence.origin ?? ''].join('\n').toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => haystack.includes(word));
}

/** The way to the package item that declares a silence: `ops/works` is the item works of package ops. */
export function originPath(origin: string): string[] {
  const [name, ...item] = origin.split('/');
  return ['packages', name!, 'silences', ...item];
}

/** What is written in the form of a silence. */
export interface Draft {
  /** Of the one that is changed. */
  id: string;
  matchers: Matcher[];
  /** RFC 3339; empty: now. */
  starts: string;
  for?: string;
  until?: string;
  comment: string;
}

export function newDraft(match = ''): Draft {
  const matchers = parseMatchers(match) ?? [];
  return { id: '', matchers: matchers.length > 0 ? matchers : [{ name: '', op: '=', value: '' }], starts: '', for: '1h', comment: '' };
}

/** The form for a silence as it is, or (`again`) for another one like it from now on. */
export function draftOf(silence: Silence, now: number, again: boolean): Draft {
  const draft: Draft = { ...newDraft(), matchers: matchersOf(silence), comment: silence.comment };
  if (again) return draft;
  delete draft.for;
  const begun = stateAt(silence, now) !== 'pending';
  return { ...draft, id: silence.id, starts: begun ? '' : String(silence.startsAt), until: String(silence.endsAt) };
}

/** Rows of the form in which something is written. */
export const written = (draft: Draft): Matcher[] => draft.matchers.filter(({ name, value }) => name.trim() !== '' || value !== '');

/** Why a draft cannot be sent; empty when it can. */
export function faultOfDraft(draft: Draft, now: number): string {
  const matchers = written(draft);
  if (matchers.length === 0) return 'Say which alerts: at least one matcher.';
  for (const matcher of matchers) {
    const fault = faultOf(matcher);
    if (fault) return `Matcher ${matcher.name || '?'}: ${fault}.`;
  }
  if (matchers.every((matcher) => predicateOf([matcher])({}))) return 'These match every alert: name a label that the alerts have.';
  if (draft.until === '') return 'Say until when.';
  const starts = Math.max(now, toSeconds(draft.starts) ?? now);
  if (draft.until && (toSeconds(draft.until) ?? 0) <= starts) return 'It would end before it begins.';
  return '';
}

export function bodyOf(draft: Draft): Record<string, string> {
  const body: Record<string, string> = {
    matchers: formatMatchers(written(draft).map((matcher) => ({ ...matcher, name: matcher.name.trim() }))),
    comment: draft.comment.trim(),
  };
  if (draft.id) body.id = draft.id;
  if (draft.starts) body.starts = draft.starts;
  if (draft.until) body.until = draft.until;
  else if (draft.for) body.for = draft.for;
  return body;
}

/** Open alerts that a silence of these matchers would hide. */
export function hiddenBy(matchers: Matcher[], alerts: Alert[]): Alert[] {
  if (matchers.length === 0 || matchers.some((matcher) => faultOf(matcher) !== '')) return [];
  const meets = predicateOf(matchers);
  return alerts.filter((alert) => meets(seenLabels(alert)));
}

/** Names of labels, or values of one, that the alerts have; most frequent first. */
export function labelNames(alerts: Alert[]): string[] {
  return ranked(alerts.flatMap((alert) => Object.keys(seenLabels(alert))));
}
export function labelValues(alerts: Alert[], name: string): string[] {
  return ranked(alerts.flatMap((alert) => seenLabels(alert)[name] ?? []));
}

const most = 100;
function ranked(texts: string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, most).map(([text]) => text);
}
