import { quote } from './match';

export type MatcherOp = '=' | '!=' | '=~' | '!~';
/** A condition on one label, as Alertmanager has them; a label that is missing counts as empty. */
export interface Matcher {
  name: string;
  op: MatcherOp;
  value: string;
}
export const matcherOps: MatcherOp[] = ['=', '!=', '=~', '!~'];

const one = /\s*([a-zA-Z_:][\w:.-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,{}"]*))\s*/y;
const unescape = (text: string): string => text.replace(/\\(.)/gs, (_, c: string) => (c === 'n' ? '\n' : c));

/** `{a="b", c=~d}`, with or without braces and quotes → its matchers; undefined when it is something else. */
export function parseMatchers(text: string): Matcher[] | undefined {
  let inside = text.trim();
  if (inside.startsWith('{') && inside.endsWith('}')) inside = inside.slice(1, -1);
  const found: Matcher[] = [];
  one.lastIndex = 0;
  while (inside.slice(one.lastIndex).trim() !== '') {
    const match = one.exec(inside);
    if (!match) return undefined;
    const [, name, op, quoted, bare] = match;
    found.push({ name: name!, op: op as MatcherOp, value: quoted === undefined ? bare! : unescape(quoted) });
    if (one.lastIndex === inside.length) break;
    if (inside[one.lastIndex] !== ',') return undefined;
    one.lastIndex += 1;
  }
  return found;
}

export function formatMatcher({ name, op, value }: Matcher): string {
  return `${name}${op}${quote(value)}`;
}

/** Without braces; empty without matchers, so that it leaves no trace in an address. */
export function formatMatchers(matchers: Matcher[]): string {
  return matchers.map(formatMatcher).join(',');
}

/** The words of a line, and the matchers among them: `disk team=ops` is one of each. Quotes keep spaces together. */
export function splitWords(line: string): { text: string; matchers: Matcher[] } {
  const words: string[] = [];
  const matchers: Matcher[] = [];
  for (const [word] of line.matchAll(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g)) {
    const found = /^[a-zA-Z_:]/.test(word) ? parseMatchers(word) : undefined;
    if (found && found.length > 0 && found.every(({ value }) => value !== '')) matchers.push(...found);
    else words.push(word);
  }
  return { text: words.join(' '), matchers };
}

/** The whole value must fit, `.` fits a line break too, as at the server. Undefined: not understood here. */
function patternOf(value: string): RegExp | undefined {
  const flags = /^\(\?([is]+)\)/.exec(value);
  try {
    return new RegExp(`^(?:${value.slice(flags?.[0].length ?? 0)})$`, flags?.[1]?.includes('i') ? 'isu' : 'su');
  } catch {
    return undefined;
  }
}

/** What is wrong with a matcher, in words; empty when nothing is. */
export function faultOf({ name, op, value }: Matcher): string {
  if (name.trim() === '') return 'a label is missing';
  if (op.endsWith('~') && !patternOf(value)) return `“${value}” is no regular expression`;
  return '';
}

/** Whether labels meet all matchers. Made once for many labels; an expression that is not understood meets nothing. */
export function predicateOf(matchers: Matcher[]): (labels: Record<string, string>) => boolean {
  const tests = matchers.map(({ name, op, value }) => {
    if (op === '=') return (labels: Record<string, string>) => (labels[name] ?? '') === value;
    if (op === '!=') return (labels: Record<string, string>) => (labels[name] ?? '') !== value;
    const pattern = patternOf(value);
    const wanted = op === '=~';
    return (labels: Record<string, string>) => pattern !== undefined && pattern.test(labels[name] ?? '') === wanted;
  });
  return (labels) => tests.every((test) => test(labels));
}

const escapeValue = (value: string): string => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * Matchers that all of these meet: what is the same in all, and of the labels named in `telling` the values there are.
 * Which others they meet too is for a preview to show.
 */
export function matchersFor(all: Record<string, string>[], telling: string[]): Matcher[] {
  const [first, ...rest] = all;
  if (!first) return [];
  const found: Matcher[] = [];
  for (const [name, value] of Object.entries(first)) {
    if (rest.every((labels) => labels[name] === value)) found.push({ name, op: '=', value });
    else if (telling.includes(name) && all.every((labels) => labels[name])) {
      const values = [...new Set(all.map((labels) => labels[name]!))].sort();
      found.push({ name, op: '=~', value: values.map(escapeValue).join('|') });
    }
  }
  return found;
}
