import type { Alert, AlertEvent, Labels, MatrixSeries, Word } from '../../api/types';
import { formatUntil, toSeconds } from '../../lib/duration';
import { defaultRange, presets, type TimeRange } from '../../lib/timerange';
import { formatValue, unitOf, type Unit } from '../../lib/units';

export interface Threshold {
  side: 'above' | 'below';
  level: number;
}

/** The threshold in the text of a gauge's judgement: `7.99 is above 3`. */
export function thresholdOf(text: string | undefined): Threshold | undefined {
  const match = /\bis (above|below) ([-+]?[\d.]+(?:e[-+]?\d+)?)/i.exec(text ?? '');
  const level = match ? Number(match[2]) : NaN;
  return Number.isFinite(level) ? { side: match![1]!.toLowerCase() as Threshold['side'], level } : undefined;
}

export function unitOfAlert(alert: Pick<Alert, 'kind' | 'expr'>): Unit {
  return alert.kind === 'gauge' && alert.expr ? unitOf(alert.expr) : 'count';
}

/** The value in the words of its kind; empty when a kind has no value worth showing. */
export function valueText(alert: Pick<Alert, 'kind' | 'expr' | 'value' | 'state'>): string {
  const { kind, value } = alert;
  if (value === undefined || value === null || alert.state === 'no_data') return '–';
  const number = Number(value);
  if (kind === 'binary') return number > 0 ? 'up' : 'down';
  if (kind === 'tailable') return `${formatValue(number, 'count')} ${number === 1 ? 'line' : 'lines'}`;
  return formatValue(number, unitOfAlert(alert));
}

/** A judgement's text for people: the numbers of a gauge's in its unit, anything else as it is. */
export function sentenceOf(
  judged: { text?: string; value?: number | string | null },
  of: Pick<Alert, 'kind' | 'expr'>,
): string {
  const text = judged.text ?? '';
  const threshold = of.kind === 'gauge' ? thresholdOf(text) : undefined;
  if (!threshold || judged.value === null || judged.value === undefined) return text;
  const unit = unitOfAlert(of);
  return `${formatValue(Number(judged.value), unit)} is ${threshold.side} ${formatValue(threshold.level, unit)}`;
}

/** What an alert says in one line. */
export function summaryOf(alert: Alert): string {
  return alert.annotations?.summary || alert.annotations?.description || sentenceOf(alert, alert);
}

/** What people did with an open alert, in a few words: who, until when, and why. */
export function concernOf(alert: Alert): string {
  if (alert.state === 'resolved') return alert.closed ? said(alert.closed) : '';
  if (alert.shelf) return said(alert.shelf);
  if (alert.ack) return said(alert.ack);
  if (alert.unknown_because) return `unknown because of ${alert.unknown_because.name}`;
  const silences = alert.silenced_by?.length ?? 0;
  return silences === 0 ? '' : silences === 1 ? 'by a silence' : `by ${silences} silences`;
}

function said({ by, until, note }: Word): string {
  const end = toSeconds(until);
  return `${by}${end === undefined ? '' : ` until ${formatUntil(end)}`}${note ? `: ${note}` : ''}`;
}

export interface TimelineItem {
  key: string;
  at: number;
  /** A name of lib/statelook. */
  look: string;
  word: string;
  text: string;
  by: string;
  note: string;
  late: boolean;
  /** Seconds between the data and the judgement, when that is worth a word. */
  delay: number | undefined;
  /** How long what came before had lasted. */
  after: number | undefined;
  /** The first of an earlier episode than the item above it. */
  opensEpisode: number | undefined;
}

const worseThan = (severity: string | undefined): number => (severity === 'critical' ? 2 : severity === 'warning' ? 1 : 0);

export function wordOf(event: AlertEvent, before: AlertEvent | undefined): string {
  switch (event.to) {
    case 'pending':
      return 'Pending';
    case 'firing': {
      const severity = event.severity === 'critical' ? 'Critical' : event.severity === 'warning' ? 'Warning' : 'Firing';
      if (event.from !== 'firing' || !before) return severity;
      const change = worseThan(event.severity) - worseThan(before.severity);
      return change > 0 ? `Worse: ${severity.toLowerCase()}` : change < 0 ? `Better: ${severity.toLowerCase()}` : severity;
    }
    case 'no_data':
      return 'No data';
    case 'resolved':
      return 'Resolved';
    case 'acknowledged':
      return 'Acknowledged';
    case 'unacknowledged':
      return event.by ? 'Acknowledgement taken back' : 'Acknowledgement ended';
    case 'shelved':
      return 'Shelved';
    case 'unshelved':
      return event.by ? 'Taken from the shelf' : 'Back from the shelf';
    case 'closed':
      return 'Closed';
    case 'note':
      return 'Note';
    case 'value':
      return 'Another value';
    default:
      return event.to;
  }
}

export function lookOf(event: AlertEvent): string {
  if (event.to === 'acknowledged') return 'acked';
  if (event.to === 'unacknowledged' || event.to === 'unshelved') return 'queued';
  if (event.to !== 'firing') return event.to;
  return event.severity === 'critical' || event.severity === 'warning' ? event.severity : 'firing';
}

/** Lines by which the state itself does not change. */
const remarks = new Set(['acknowledged', 'unacknowledged', 'shelved', 'unshelved', 'note', 'value']);

/** The history as a time line, newest first. A command's text is its note. */
export function timeline(history: AlertEvent[], alert: Pick<Alert, 'kind' | 'expr'>): TimelineItem[] {
  const ordered = history
    .map((event, i) => ({ event, i, at: toSeconds(event.at) ?? 0 }))
    .sort((a, b) => a.at - b.at || a.i - b.i);
  const items: TimelineItem[] = [];
  let before: AlertEvent | undefined;
  let state: AlertEvent | undefined;
  for (const { event, i, at } of ordered) {
    const isRemark = remarks.has(event.to);
    const isCommand = isRemark || event.to === 'closed';
    const opens = before !== undefined && event.episode !== undefined && event.episode !== before.episode;
    if (opens) state = undefined;
    const data = toSeconds(event.data_at);
    items.push({
      key: `${at}-${i}`,
      at,
      look: lookOf(event),
      word: wordOf(event, state),
      text: isCommand ? '' : sentenceOf(event, alert),
      by: event.by ?? '',
      note: isCommand ? (event.text ?? '') : '',
      late: event.late ?? false,
      delay: event.late && data !== undefined ? Math.max(0, at - data) : undefined,
      after: !isRemark && state ? at - (toSeconds(state.at) ?? at) : undefined,
      opensEpisode: opens ? event.episode : undefined,
    });
    before = event;
    if (!isRemark) state = event;
  }
  return items.reverse();
}

/** The stretch that shows an alert from before it began to after it ended; open ones move with the present. */
export function rangeFor(alert: Pick<Alert, 'state' | 'started' | 'resolved'>, now: number): TimeRange {
  const started = toSeconds(alert.started) ?? now;
  const ended = toSeconds(alert.resolved);
  if (alert.state === 'resolved' && ended !== undefined) {
    const margin = Math.max(300, (ended - started) * 0.25);
    return { kind: 'fixed', from: Math.round(started - margin), to: Math.round(Math.min(ended + margin, now)) };
  }
  const wanted = (now - started) * 1.25;
  if (defaultRange.kind === 'live' && wanted <= defaultRange.seconds) return defaultRange;
  return { kind: 'live', seconds: presets.find((seconds) => seconds >= wanted) ?? presets[presets.length - 1]! };
}

/** The series of an expression that an alert is about: those whose labels are all among its own. */
export function seriesOfAlert(series: MatrixSeries[], labels: Labels): MatrixSeries[] {
  return series.filter(({ metric }) =>
    Object.entries(metric).every(([name, value]) => name === '__name__' || labels[name] === value),
  );
}

export interface Part {
  text: string;
  href?: string;
}

/** A text in parts, of which web addresses are links. */
export function linkParts(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?]/g)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: match[0], href: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}
