/** `3 m 20 s`: at most two units, the largest first. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds > 0 && seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    if (parts.length === 2 || (parts.length === 1 && rest === 0)) break;
    if (parts.length === 1 && count === 0) break;
  }
  return parts.join(' ') || '0 s';
}

/** `15m`, `1h30m`, `90` (seconds) → seconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim().replace(/\s+/g, '');
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(trimmed)) return undefined;
  const sizes: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
  let total = 0;
  for (const [, count, , unit] of trimmed.matchAll(/(\d+(\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(count) * (sizes[unit ?? 's'] ?? 1);
  }
  return total;
}

/** Seconds → the shortest exact text that parseDuration reads: `90` → `90s`, `3600` → `1h`. */
export function compactDuration(seconds: number): string {
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['m', 60]] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

/** How long ago, for people: `just now`, `12 s ago`, `3 h ago`; `in 5 m` for what is to come. */
export function formatAgo(at: number, now: number): string {
  const seconds = now - at;
  if (seconds > -2 && seconds < 2) return 'just now';
  const size = Math.abs(seconds);
  const [unit, divisor] = size < 60 ? ['s', 1] : size < 3600 ? ['m', 60] : size < 86400 ? ['h', 3600] : ['d', 86400];
  const text = `${Math.floor(size / Number(divisor))} ${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');

/** Unix seconds → `2025-03-04 05:06:07` in the viewer's zone. */
export function formatExact(at: number, withMillis = false): string {
  const d = new Date(at * 1000);
  const base = `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${formatClock(at)}`;
  return withMillis ? `${base}.${pad(d.getMilliseconds(), 3)}` : base;
}

/** Unix seconds → `05:06:07` in the viewer's zone. */
export function formatClock(at: number): string {
  const d = new Date(at * 1000);
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

/** A time to come, for people: the hour and minute, with the day unless it is today. */
export function formatUntil(at: number, now = Date.now() / 1000): string {
  const text = formatExact(at).slice(0, 16);
  return text.slice(0, 10) === formatExact(now).slice(0, 10) ? text.slice(11) : text;
}

/** RFC 3339 text or unix seconds, as the API gives times → unix seconds; undefined when absent. */
export function toSeconds(time: string | number | null | undefined): number | undefined {
  if (time === null || time === undefined || time === '') return undefined;
  if (typeof time === 'number') return time > 1e11 ? time / 1000 : time;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? undefined : parsed / 1000;
}
