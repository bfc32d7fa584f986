export type LogLevel = 'error' | 'warning' | 'info' | 'debug' | 'none';

const words: [LogLevel, RegExp][] = [
  ['error', /\b(emerg(ency)?|alert|crit(ical)?|fatal|panic|err(or)?|failed)\b/i],
  ['warning', /\b(warn(ing)?)\b/i],
  ['info', /\b(info|notice)\b/i],
  ['debug', /\b(debug|trace)\b/i],
];

/** The level of a line: its label when it has one, else the first level word near its start. */
export function levelOf(labels: Record<string, string>, line: string): LogLevel {
  const label = labels.level ?? labels.severity;
  const text = label !== undefined ? label : line.slice(0, 160);
  for (const [level, pattern] of words) if (pattern.test(text)) return level;
  return 'none';
}
