import { formatDuration } from './duration';

/** What a value measures; decides its prefix and its digits. */
export const units = ['bytes', 'bytes/s', 'bits/s', 'seconds', 'ratio', 'percent', 'count', 'per second', 'timestamp'] as const;
/** One of these, or any other word, which is written behind the number: `rpm`, `°C`. */
export type Unit = (typeof units)[number] | (string & {});

/** The unit a PromQL expression gives, read from the metric's name and the functions around it. */
export function unitOf(expr: string): Unit {
  // Whatever it counts, the number of things has no unit.
  if (/^\s*(count|count_values|absent|group)\s*(\(|by\b|without\b)/.test(expr) && !/\)\s*[-+*/]/.test(expr)) return 'count';
  const isRate = /\brate\s*\(/.test(expr);
  const bare = expr.replace(/\{[^}]*\}|\b(by|without)\s*\([^)]*\)/g, ' ');
  const names = (bare.match(/[a-zA-Z_:][\w:]*/g) ?? []).filter((name) => name.includes('_'));
  const name = names[0] ?? '';
  if (names.length === 2 && /\//.test(expr) && suffix(names[0]!) === suffix(names[1]!)) return 'ratio';
  const kind = suffix(name);
  if (kind === 'ratio') return 'ratio';
  if (kind === 'bytes') return isRate ? 'bytes/s' : 'bytes';
  if (kind === 'seconds') return isRate ? 'ratio' : 'seconds';
  return isRate ? 'per second' : 'count';
}

function suffix(metric: string): 'bytes' | 'seconds' | 'ratio' | 'other' {
  if (/(^|_)bytes(_total)?$/.test(metric)) return 'bytes';
  if (/(^|_)seconds(_total)?$/.test(metric)) return 'seconds';
  if (/_(ratio|percent)$/.test(metric)) return 'ratio';
  return 'other';
}

/** At most three significant figures, no trailing zeros, thin grouping above a thousand. */
export function digits(value: number, significant = 3): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US').replace(/,/g, ' ');
  const decimals = Math.max(0, Math.min(6, significant - 1 - Math.floor(Math.log10(size))));
  const text = value.toFixed(decimals);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const decimal = ['', ' k', ' M', ' G', ' T', ' P'];

function scaled(value: number, base: number, names: string[], significant: number): string {
  let rank = 0;
  let size = value;
  // 999.5 would be written as 1000: it moves on to the next prefix.
  while (Math.abs(size) >= base - 0.5 && rank < names.length - 1) {
    size /= base;
    rank += 1;
  }
  return digits(size, significant) + (base === 1024 ? ` ${names[rank]}` : names[rank]);
}

/**
 * A value as people read it: `1.5 GiB`, `12 MiB/s`, `37 %`, `4.2 ms`. Absent or NaN is `–`. `significant`: figures at
 * the most, one less in small percentages.
 */
export function formatValue(value: number | null | undefined, unit: Unit, significant = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const minus = value < 0 ? '−' : '';
  const size = Math.abs(value);
  switch (unit) {
    case 'bytes':
      return minus + scaled(size, 1024, binary, significant);
    case 'bytes/s':
      return `${minus}${scaled(size, 1024, binary, significant)}/s`;
    case 'seconds':
      return minus + formatSeconds(size, significant);
    case 'ratio': {
      const percent = size * 100;
      return `${minus}${percent !== 0 && percent < 0.05 ? '<0.1' : digits(percent, percent < 10 ? significant - 1 : significant)} %`;
    }
    case 'per second':
      return `${minus}${scaled(size, 1000, decimal, significant)}/s`;
    case 'timestamp':
      return new Date(value * 1000).toISOString();
    case 'percent':
      return `${minus}${digits(size, size < 10 ? significant - 1 : significant)} %`;
    case 'bits/s': {
      const text = scaled(size, 1000, decimal, significant);
      return `${minus}${text}${text.includes(' ') ? '' : ' '}bit/s`;
    }
    case 'count':
      return minus + plain(size, significant);
    default: {
      const text = plain(size, significant);
      // The prefix belongs to the unit: 1.2 kW.
      return `${minus}${text}${text.includes(' ') && /[a-zA-Z]$/.test(text) ? '' : ' '}${unit}`;
    }
  }
}

const plain = (size: number, significant: number): string =>
  size < 1000 ? digits(size, significant) : scaled(size, 1000, decimal, significant);

function formatSeconds(size: number, significant: number): string {
  if (size === 0) return '0 s';
  if (size < 1e-3) return `${digits(size * 1e6, significant)} µs`;
  if (size < 1) return `${digits(size * 1e3, significant)} ms`;
  return size < 120 ? `${digits(size, significant)} s` : formatDuration(size);
}

/** Words beside the ticks of an axis: with as many figures as tell neighbours apart. */
export function formatTicks(ticks: number[], unit: Unit): string[] {
  for (let significant = 3; ; significant += 1) {
    const words = ticks.map((tick) => formatValue(tick, unit, significant));
    if (significant === 7 || words.every((word, i) => i === 0 || word !== words[i - 1])) return words;
  }
}


/** Axis steps that fall on round numbers in this unit (powers of two for bytes). */
export function axisIncrements(unit: Unit): number[] {
  const steps: number[] = [];
  if (unit === 'bytes' || unit === 'bytes/s') {
    for (let rank = 0; rank <= 5; rank += 1) {
      for (const n of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) steps.push(n * 1024 ** rank);
    }
    return steps;
  }
  for (let rank = -6; rank <= 15; rank += 1) for (const n of [1, 2, 2.5, 5]) steps.push(n * 10 ** rank);
  return steps;
}
