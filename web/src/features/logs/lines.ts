import type { LogRecord } from '../../api/types';
import { toSeconds } from '../../lib/duration';
import { levelOf, type LogLevel } from '../../lib/loglevel';

/** A line as it is shown. `n` counts on by one through a list, also across what is put before it. */
export interface Line {
  n: number;
  /** The same for the same line, however it came: names it in addresses. */
  key: string;
  time: number;
  labels: Record<string, string>;
  text: string;
  level: LogLevel;
  /** How many characters wide it is in a mono font. */
  columns: number;
}

function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(36);
}

/** Live lines have no id of the store, so time, labels and text name a line. */
export function keyOf(record: LogRecord): string {
  const labels = Object.entries(record.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const ms = Math.round((toSeconds(record.time) ?? 0) * 1000);
  return `${ms.toString(36)}-${hash(`${JSON.stringify(labels)}${record.line}`)}`;
}

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]|[\u{1f300}-\u{1faff}]/gu;

/** Columns of a text in a mono font; what is drawn twice as wide counts twice. */
export function columnsOf(text: string): number {
  let plain = true;
  for (let i = 0; i < text.length && plain; i += 1) plain = text.charCodeAt(i) < 0x1100;
  return plain ? text.length : [...text].length + (text.match(wide)?.length ?? 0);
}

export function toLine(record: LogRecord, n: number, key = keyOf(record)): Line {
  // A row is one line high: what would break it is shown, tabs as two spaces.
  const text = record.line.replace(/\t/g, '  ').replace(/\r?\n/g, ' ⏎ ');
  const level = levelOf(record.labels, record.line);
  return { n, key, time: toSeconds(record.time) ?? 0, labels: record.labels, text, level, columns: columnsOf(text) };
}

/** The records that are not among `known`; a line that stands there twice is taken away twice. */
export function without(records: LogRecord[], known: Iterable<{ key: string }>): { record: LogRecord; key: string }[] {
  const counts = new Map<string, number>();
  for (const { key } of known) counts.set(key, (counts.get(key) ?? 0) + 1);
  const rest: { record: LogRecord; key: string }[] = [];
  for (const record of records) {
    const key = keyOf(record);
    const count = counts.get(key) ?? 0;
    if (count > 0) counts.set(key, count - 1);
    else rest.push({ record, key });
  }
  return rest;
}

/** New lines at the end, in the order of `records`. */
export function append(lines: Line[], records: { record: LogRecord; key?: string }[]): Line[] {
  const next = lines.length > 0 ? lines[lines.length - 1]!.n + 1 : 0;
  return [...lines, ...records.map(({ record, key }, i) => toLine(record, next + i, key))];
}

/** Older lines at the beginning; `records` are newest first, as the store answers. */
export function prepend(lines: Line[], records: { record: LogRecord; key?: string }[]): Line[] {
  const first = lines.length > 0 ? lines[0]!.n : 0;
  const older = records.map(({ record, key }, i) => toLine(record, first - 1 - i, key)).reverse();
  return [...older, ...lines];
}

/** The tops of rows and the end of the last one, in rows of text: how many each line takes when wrapped. */
export function rowTops(lines: { columns: number }[], columns: number | undefined): Float64Array {
  const tops = new Float64Array(lines.length + 1);
  for (let i = 0; i < lines.length; i += 1) {
    tops[i + 1] = tops[i]! + (columns === undefined ? 1 : Math.max(1, Math.ceil(lines[i]!.columns / columns)));
  }
  return tops;
}

/** The last row that begins at or before `position`. */
export function rowAt(tops: Float64Array, position: number): number {
  let low = 0;
  let high = tops.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** What is searched for, as this browser finds it; undefined when it cannot read the server's syntax. */
export function patternOf(text: string, regex: string): RegExp | undefined {
  if (regex) {
    const flags = /^\(\?([imsU]+)\)/.exec(regex);
    const known = flags ? flags[1]!.replace(/U/g, '') : '';
    try {
      return new RegExp(flags ? regex.slice(flags[0].length) : regex, `g${known}`);
    } catch {
      return undefined;
    }
  }
  return text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi') : undefined;
}

/** A text in parts; `hit` ones are what was searched for. */
export function hitParts(text: string, pattern: RegExp | undefined): { text: string; hit: boolean }[] {
  if (!pattern) return [{ text, hit: false }];
  const parts: { text: string; hit: boolean }[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match[0] === '') continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), hit: false });
    parts.push({ text: match[0], hit: true });
    end = match.index + match[0].length;
    if (parts.length > 50) break;
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), hit: false });
  return parts;
}

/** Where a line comes from, in a word. */
export function sourceOf(labels: Record<string, string>): string {
  const file = labels.file?.split('/').filter(Boolean).pop();
  return file ?? labels.check ?? labels.unit ?? labels.job ?? '';
}
