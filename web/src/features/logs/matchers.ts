import { quote } from '../../lib/match';

export interface Matcher {
  name: string;
  op: '=' | '!=' | '=~' | '!~';
  value: string;
}

/** `{file="a",level!="debug"}` → its matchers; undefined when it is not such a selector. */
export function parseSelector(text: string): Matcher[] | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined;
  const one = /\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(,|$)/y;
  const inside = trimmed.slice(1, -1);
  const found: Matcher[] = [];
  while (one.lastIndex < inside.length && inside.slice(one.lastIndex).trim() !== '') {
    const match = one.exec(inside);
    if (!match) return undefined;
    const value = match[3]!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    found.push({ name: match[1]!, op: match[2] as Matcher['op'], value });
  }
  return found;
}

/** Empty without matchers, so that it leaves no trace in an address. */
export function formatSelector(matchers: Matcher[]): string {
  if (matchers.length === 0) return '';
  return `{${matchers.map(({ name, op, value }) => `${name}${op}${quote(value)}`).join(',')}}`;
}

const escapeValue = (value: string): string => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const unescapeValue = (value: string): string => value.replace(/\\([.*+?^${}()|[\]\\])/g, '$1');

/** The values of a label that are asked for by `=` or by a list of alternatives. */
export function chosenValues(matchers: Matcher[], name: string): string[] {
  for (const { name: of, op, value } of matchers) {
    if (of !== name) continue;
    if (op === '=') return [value];
    if (op === '=~') return value.split(/(?<!\\)\|/).map(unescapeValue);
  }
  return [];
}

/** The matchers with a label asked for by these values; none takes its matcher away. */
export function withValues(matchers: Matcher[], name: string, values: string[]): Matcher[] {
  const rest = matchers.filter((matcher) => matcher.name !== name || matcher.op.startsWith('!'));
  if (values.length === 0) return rest;
  if (values.length === 1) return [...rest, { name, op: '=', value: values[0]! }];
  return [...rest, { name, op: '=~', value: values.map(escapeValue).join('|') }];
}

export function toggled(values: string[], value: string): string[] {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}
