import { functionNamed, groupingWords, isAggregation } from './words';
import { tokensOf, unquote, type Token } from './tokens';

export interface Matcher {
  name: string;
  op: string;
  value: string;
}

/** What may stand at a place of an expression, and what of it is there: text from `from` up to the place. */
export type Context =
  | { kind: 'value'; from: number; word: string; wantsRange: boolean }
  | { kind: 'operator'; from: number; word: string; afterAggregation: boolean }
  | { kind: 'label'; from: number; word: string; metric: string; matchers: Matcher[]; quoted: boolean }
  | { kind: 'matcher-operator'; from: number; word: string }
  | { kind: 'label-value'; from: number; to: number; word: string; label: string; op: string; quote: string; closed: boolean; metric: string; matchers: Matcher[] }
  | { kind: 'grouping'; from: number; word: string; taken: string[]; metrics: string[] }
  | { kind: 'duration'; from: number; word: string }
  | undefined;

interface Frame {
  /** `{`, `[`, `(` of a call, of labels after `by`, or any other. */
  kind: 'braces' | 'range' | 'call' | 'grouping' | 'group';
  /** Index of the bracket. */
  at: number;
  name: string;
}

function frameOf(tokens: Token[], index: number): Frame {
  const before = tokens[index - 1];
  const name = before?.kind === 'name' ? before.text : '';
  const text = tokens[index]!.text;
  if (text === '{') return { kind: 'braces', at: index, name };
  if (text === '[') return { kind: 'range', at: index, name: '' };
  if (groupingWords.has(name.toLowerCase())) return { kind: 'grouping', at: index, name };
  return functionNamed(name) ? { kind: 'call', at: index, name } : { kind: 'group', at: index, name: '' };
}

/** The brackets that are open behind the last token. */
function openFrames(tokens: Token[]): Frame[] {
  const frames: Frame[] = [];
  tokens.forEach((token, index) => {
    if (token.kind === 'open') frames.push(frameOf(tokens, index));
    else if (token.kind === 'close') frames.pop();
  });
  return frames;
}

/** The matchers between braces, those that are complete. */
function matchersIn(tokens: Token[], from: number, to: number): Matcher[] {
  const found: Matcher[] = [];
  for (let i = from; i + 2 < to; i += 1) {
    const [name, op, value] = [tokens[i]!, tokens[i + 1]!, tokens[i + 2]!];
    const isName = name.kind === 'name' || (name.kind === 'string' && name.closed);
    if (!isName || !/^(=|!=|=~|!~)$/.test(op.text) || value.kind !== 'string' || !value.closed) continue;
    found.push({ name: name.kind === 'string' ? unquote(name.text) : name.text, op: op.text, value: unquote(value.text) });
    i += 2;
  }
  return found;
}

/** Index of the bracket that closes the one at `open`; the end of the tokens when nothing does. */
function closingOf(tokens: Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i += 1) {
    if (tokens[i]!.kind === 'open') depth += 1;
    else if (tokens[i]!.kind === 'close' && (depth -= 1) === 0) return i;
  }
  return tokens.length;
}

/** The selector whose braces open at `at`: its metric and the matchers before and behind the place. */
function selectorAt(all: Token[], at: number, place: number): { metric: string; matchers: Matcher[] } {
  const metric = all[at - 1]?.kind === 'name' && all[at - 1]!.to <= all[at]!.from ? all[at - 1]!.text : '';
  const end = closingOf(all, at);
  const before = all.findIndex((token) => token.to >= place && token.from >= all[at]!.to);
  const cut = before < 0 ? end : before;
  // What is being written now is no condition for what may be written.
  const begin = lastSeparator(all, at, cut);
  const next = all.findIndex((token, index) => index >= cut && index < end && token.kind === 'comma');
  return {
    metric,
    matchers: [...matchersIn(all, at + 1, begin), ...(next < 0 ? [] : matchersIn(all, next + 1, end))],
  };
}

function lastSeparator(tokens: Token[], open: number, before: number): number {
  for (let i = before - 1; i > open; i -= 1) if (tokens[i]!.kind === 'comma') return i;
  return open + 1;
}

/** Names of metrics anywhere in an expression: those whose labels an aggregation may keep. */
export function metricsIn(text: string): string[] {
  const tokens = tokensOf(text);
  const frames: Frame[] = [];
  const found = new Set<string>();
  tokens.forEach((token, i) => {
    const inside = frames[frames.length - 1]?.kind;
    if (token.kind === 'open') frames.push(frameOf(tokens, i));
    else if (token.kind === 'close') frames.pop();
    else if (token.kind === 'name' && inside !== 'braces' && inside !== 'grouping' && inside !== 'range') {
      const isCall = tokens[i + 1]?.text === '(' || (isAggregation(token.text) && /^(by|without)$/i.test(tokens[i + 1]?.text ?? ''));
      if (!isCall && !isWordOfTheLanguage(token.text)) found.add(token.text);
    }
  });
  return [...found];
}

const reserved = /^(and|or|unless|atan2|offset|by|without|on|ignoring|group_left|group_right|bool|inf|nan|anchored|smoothed|start|end)$/i;
const isWordOfTheLanguage = (word: string): boolean => reserved.test(word);

/** Whether a value has just ended, so that only an operator can follow. */
function endsValue(token: Token | undefined, frames: Frame[], tokens: Token[]): boolean {
  if (!token) return false;
  if (token.kind === 'number' || token.kind === 'duration' || token.kind === 'variable') return true;
  if (token.kind === 'string') return token.closed;
  if (token.kind === 'close') return !closesGrouping(tokens);
  return token.kind === 'name' && !isWordOfTheLanguage(token.text) && frames.every(({ kind }) => kind !== 'braces');
}

/** Behind `sum by (x)` comes the bracket of what is summed; behind `a / on (x)` a value. */
function closesGrouping(tokens: Token[]): boolean {
  let depth = 0;
  for (let i = tokens.length - 1; i >= 0; i -= 1) {
    if (tokens[i]!.kind === 'close') depth += 1;
    else if (tokens[i]!.kind === 'open' && (depth -= 1) === 0) return frameOf(tokens, i).kind === 'grouping' && !isTrailing(tokens, i);
  }
  return false;
}

/** `sum(x) by (y)`: the labels stand behind what is summed. */
function isTrailing(tokens: Token[], open: number): boolean {
  const word = tokens[open - 1]?.text.toLowerCase();
  return (word === 'by' || word === 'without') && tokens[open - 2]?.kind === 'close';
}

function inBraces(text: string, offset: number, frame: Frame, tokens: Token[], last: Token): Context {
  const all = tokensOf(text);
  const { metric, matchers } = selectorAt(all, frame.at, offset);
  const before = tokens[tokens.length - 2];
  const isOperator = (token: Token | undefined): boolean => /^(=|!=|=~|!~)$/.test(token?.text ?? '');
  const nameOf = (token: Token | undefined): string => (token?.kind === 'string' ? unquote(token.text) : (token?.text ?? ''));
  if (last.kind === 'string' && !last.closed) {
    if (!isOperator(before)) return { kind: 'label', from: last.from + 1, word: text.slice(last.from + 1, offset), metric, matchers, quoted: true };
    const label = nameOf(tokens[tokens.length - 3]);
    const rest = all.find((token) => token.from === last.from);
    const closed = rest?.closed ?? false;
    return {
      kind: 'label-value',
      from: last.from + 1,
      to: closed ? rest!.to - 1 : offset,
      word: text.slice(last.from + 1, offset),
      label,
      op: before!.text,
      quote: last.text[0]!,
      closed,
      metric,
      matchers,
    };
  }
  if (isOperator(last)) {
    return { kind: 'label-value', from: offset, to: offset, word: '', label: nameOf(before), op: last.text, quote: '', closed: false, metric, matchers };
  }
  if (last.kind === 'name' && last.to === offset && !isOperator(before)) {
    return { kind: 'label', from: last.from, word: last.text, metric, matchers, quoted: false };
  }
  if (last.kind === 'open' || last.kind === 'comma') return { kind: 'label', from: offset, word: '', metric, matchers, quoted: false };
  if (last.kind === 'name') return { kind: 'matcher-operator', from: offset, word: '' };
  return undefined;
}

/** What may be written at `offset`. */
export function contextAt(text: string, offset: number): Context {
  const tokens = tokensOf(text.slice(0, offset));
  const last = tokens[tokens.length - 1];
  if (last?.kind === 'comment' && last.to === offset) return undefined;
  const frames = openFrames(tokens);
  const frame = frames[frames.length - 1];
  if (frame?.kind === 'braces') return inBraces(text, offset, frame, tokens, last!);
  if (last?.kind === 'string' && !last.closed) return undefined;
  const isWord = last !== undefined && last.to === offset && ['name', 'number', 'duration'].includes(last.kind);
  const word = isWord ? last.text : '';
  const from = isWord ? last.from : offset;
  if (frame?.kind === 'range') {
    const inside = tokens.slice(frame.at + 1).map((token) => token.text).join('');
    return { kind: 'duration', from, word: word || (inside.endsWith(word) ? word : '') };
  }
  if (frame?.kind === 'grouping') {
    const taken = tokens.slice(frame.at + 1).filter((token) => token.kind === 'name' && token.to !== offset).map((token) => token.text);
    return { kind: 'grouping', from, word, taken, metrics: metricsIn(text) };
  }
  const previous = isWord ? tokens[tokens.length - 2] : last;
  if (previous?.text.toLowerCase() === 'offset') return { kind: 'duration', from, word };
  if (isWord && last.kind !== 'name') return undefined;
  const earlier = isWord ? tokens.slice(0, -1) : tokens;
  if (endsValue(previous, frames, earlier)) {
    const open = previous?.kind === 'name' && isAggregation(previous.text);
    return { kind: 'operator', from, word, afterAggregation: open || isEndOfAggregation(earlier) };
  }
  return { kind: 'value', from, word, wantsRange: frame?.kind === 'call' && (functionNamed(frame.name)?.window ?? false) };
}

function isEndOfAggregation(tokens: Token[]): boolean {
  let depth = 0;
  for (let i = tokens.length - 1; i >= 0; i -= 1) {
    if (tokens[i]!.kind === 'close') depth += 1;
    else if (tokens[i]!.kind === 'open' && (depth -= 1) === 0) return isAggregation(tokens[i - 1]?.text ?? '');
    if (depth === 0) return false;
  }
  return false;
}
