import type { TypeExpr, Value } from '../../../api/packages';
import { formatDuration } from '../../../lib/duration';
import { formatValue } from '../../../lib/units';
import { nextRuns, parseCron } from './cron';

const sizes: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

/** `1h30m` → 5400; undefined when it is no duration. */
export function durationSeconds(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[smhdwy]))+$/.test(text.trim())) return text.trim() === '0' ? 0 : undefined;
  let total = 0;
  for (const [, count, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|[smhdwy])/g)) total += Number(count) * sizes[unit!]!;
  return total;
}

/** `8MiB` → 8388608; undefined when it is no size. */
export function sizeBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kKMGTP])(i?))?B?$/.exec(text.trim());
  if (!match) return undefined;
  const rank = match[2] ? 'kmgtp'.indexOf(match[2].toLowerCase()) + 1 : 0;
  return Number(match[1]) * (match[3] ? 1024 : 1000) ** rank;
}

const stamp = (date: Date): string =>
  date.toLocaleString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** What a value means, in words, beside its field; "" where the value says it itself. */
export function hintOf(type: TypeExpr, value: Value | undefined, now: Date): string {
  if (value === undefined || value === null || value === '') return '';
  const text = String(value);
  if (text.includes('${') || type.or?.includes(text)) return '';
  switch (type.kind) {
    case 'duration': {
      const seconds = durationSeconds(text);
      const words = seconds === undefined ? '' : formatDuration(seconds);
      return words.replace(/ /g, '') === text.trim() ? '' : words;
    }
    case 'bytes': {
      const bytes = sizeBytes(text);
      return bytes === undefined || bytes < 1024 ? '' : `${formatValue(bytes, 'bytes')} = ${bytes.toLocaleString('en-GB').replace(/,/g, ' ')} bytes`;
    }
    case 'ratio': {
      const share = Number(text);
      return Number.isNaN(share) ? '' : `${Number((share * 100).toFixed(4))} %`;
    }
    case 'time': {
      const at = Date.parse(text);
      return Number.isNaN(at) ? '' : `${stamp(new Date(at))} in your zone`;
    }
    case 'cron': {
      if (!parseCron(text)) return '';
      const runs = nextRuns(text, now, 3);
      return runs.length > 0 ? `Next: ${runs.map(stamp).join(' · ')}` : 'Never: there is no such day';
    }
    default:
      return '';
  }
}

/** Numbers as numbers, so that YAML has them plain; anything else (`${port}`, `never`, a slip) as it was typed. */
export function scalarOf(type: TypeExpr, text: string): Value {
  const isNumeric = ['integer', 'number', 'ratio', 'port', 'bytes'].includes(type.kind);
  if (isNumeric && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text.trim())) {
    const value = Number(text);
    if (Number.isFinite(value) && (type.kind !== 'integer' || Number.isSafeInteger(value) || !/^-?\d+$/.test(text.trim()))) return value;
  }
  return text;
}

/** RE2 and the browser's language of patterns agree but for flags at the front; undefined: it cannot be tried here. */
export function tryPattern(pattern: string, line: string): { begin: number; end: number } | 'no' | undefined {
  const match = /^\(\?([ims]+)\)/.exec(pattern);
  try {
    const found = new RegExp(match ? pattern.slice(match[0].length) : pattern, match?.[1] ?? '').exec(line);
    return found ? { begin: found.index, end: found.index + found[0].length } : 'no';
  } catch {
    return undefined;
  }
}

/** Bounds in words: "1 to 10", "at least 1 s". */
export function boundsOf(type: TypeExpr): string {
  const say = (value: number): string => {
    if (type.kind === 'duration') return formatDuration(value / 1000);
    if (type.kind === 'bytes') return formatValue(value, 'bytes');
    return String(value);
  };
  const isLength = ['text', 'markdown', 'list', 'map', 'script'].includes(type.kind);
  const { min, max } = type;
  const isOne = (max ?? min) === 1;
  const of = !isLength ? '' : type.kind === 'list' || type.kind === 'map' ? (isOne ? ' entry' : ' entries') : isOne ? ' letter' : ' letters';
  if (min !== undefined && max !== undefined) return `${say(min)} to ${say(max)}${of}`;
  if (min !== undefined) return `at least ${say(min)}${of}`;
  return max === undefined ? '' : `at most ${say(max)}${of}`;
}

/** A default or example as it would be typed. */
export function asTyped(value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(asTyped).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
