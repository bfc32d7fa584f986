import { quote } from '../match';
import { contextAt, type Matcher } from './context';
import { aggregations, durations, functions, operators, type PromFunction } from './words';

/** What a server knows of its series. Every answer may be short of the truth; an error is no answer. */
export interface Knowledge {
  metrics(): Promise<string[]>;
  /** Type, unit and help by name of metric, where somebody said them. */
  metadata(): Promise<ReadonlyMap<string, Metadata>>;
  /** Labels of the series of a selector; without one, of all. */
  labels(selector: string): Promise<string[]>;
  values(label: string, selector: string): Promise<string[]>;
}

export interface Metadata {
  type: string;
  unit: string;
  help: string;
}

export interface Suggestion {
  label: string;
  insert: string;
  /** Where the cursor stands in `insert` afterwards; by default behind it. */
  caret?: number;
  detail?: string;
  info?: string;
  kind: 'function' | 'aggregation' | 'metric' | 'label' | 'value' | 'word';
}

export interface Completion {
  from: number;
  to: number;
  list: Suggestion[];
  /** While what stands there looks like this, the list needs no new asking. */
  validFor: RegExp;
}

const name = /^[\w:]*$/;

/** `up{job="a"}` of a metric and matchers; empty when there is nothing to narrow by. */
export function selectorText(metric: string, matchers: Matcher[]): string {
  const plain = /^[a-zA-Z_:][\w:]*$/.test(metric) ? metric : '';
  const parts = matchers.map(({ name: label, op, value }) => `${/^[a-zA-Z_]\w*$/.test(label) ? label : quote(label)}${op}${quote(value)}`);
  if (parts.length === 0) return plain;
  // A selector that every series fits is refused.
  if (!plain && matchers.every(({ op, value }) => op !== '=' || value === '')) return '';
  return `${plain}{${parts.join(',')}}`;
}

function callOf(one: PromFunction, kind: 'function' | 'aggregation', hasBracket: boolean): Suggestion {
  const empty = one.signature === '()';
  const insert = hasBracket ? one.name : `${one.name}()`;
  return {
    label: one.name,
    insert,
    ...(!hasBracket && !empty && { caret: insert.length - 1 }),
    detail: one.signature,
    info: one.help,
    kind,
  };
}

function metricOf(metric: string, said: Metadata | undefined, wantsRange: boolean): Suggestion {
  const insert = /^[a-zA-Z_:][\w:]*$/.test(metric) ? metric : `{${quote(metric)}}`;
  return {
    label: metric,
    insert: wantsRange ? `${insert}[5m]` : insert,
    ...(wantsRange && { caret: insert.length }),
    ...(said?.type && { detail: said.unit ? `${said.type}, ${said.unit}` : said.type }),
    ...(said?.help && { info: said.help }),
    kind: 'metric',
  };
}

async function values(at: { from: number; word: string }, text: string, wantsRange: boolean, known: Knowledge): Promise<Completion> {
  const rest = text.slice(at.from + at.word.length);
  const hasBracket = /^\s*\(/.test(rest);
  const [metrics, metadata] = await Promise.all([hasBracket ? [] : known.metrics(), known.metadata()]);
  const ranged = wantsRange && !/^\w*\s*[[{]/.test(rest);
  return {
    from: at.from,
    to: at.from + at.word.length,
    list: [
      ...aggregations.map((one) => callOf(one, 'aggregation', hasBracket)),
      ...functions.map((one) => callOf(one, 'function', hasBracket)),
      ...metrics.map((metric) => metricOf(metric, metadata.get(metric), ranged)),
    ],
    validFor: name,
  };
}

function labelOf(label: string, rest: string, quoted: boolean): Suggestion {
  if (quoted || /^\w*"?\s*(=|!=|=~|!~)/.test(rest)) return { label, insert: label, kind: 'label' };
  const insert = `${label}=""`;
  return { label, insert, caret: insert.length - 1, kind: 'label' };
}

const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A value between its quotes, or with them where there are none yet. */
function valueOf(value: string, op: string, opening: string, closed: boolean): Suggestion {
  const plain = op.endsWith('~') ? escapeRegex(value) : value;
  if (opening === '') return { label: value, insert: quote(plain), kind: 'value' };
  const escaped = quote(plain).slice(1, -1);
  const inside = opening === '`' ? plain : opening === "'" ? escaped.replaceAll("'", "\\'") : escaped;
  // A regular expression may go on; any other value is whole, and the cursor moves behind its quote.
  return { label: value, insert: closed && op.endsWith('~') ? inside : inside + opening, kind: 'value' };
}

/** What may be written at a place of an expression; undefined where nothing is known to help. */
export async function completeAt(text: string, offset: number, known: Knowledge): Promise<Completion | undefined> {
  const at = contextAt(text, offset);
  const rest = text.slice(offset);
  switch (at?.kind) {
    case 'value':
      return values(at, text, at.wantsRange, known);
    case 'operator': {
      const list = operators.filter((one) => (one.name === 'by' || one.name === 'without' ? at.afterAggregation : true));
      const takesLabels = /^(by|without|on|ignoring|group_left|group_right)$/;
      return {
        from: at.from,
        to: offset,
        list: list.map((one) =>
          takesLabels.test(one.name) && !/^\s*\(/.test(rest)
            ? { label: one.name, insert: `${one.name} ()`, caret: one.name.length + 2, info: one.help, kind: 'word' }
            : { label: one.name, insert: one.name, info: one.help, kind: 'word' },
        ),
        validFor: /^\w*$/,
      };
    }
    case 'label': {
      const labels = await known.labels(selectorText(at.metric, at.matchers));
      const taken = new Set(at.matchers.filter(({ op }) => op === '=').map((matcher) => matcher.name));
      const list = labels.filter((label) => !taken.has(label) && !(label === '__name__' && at.metric)).map((label) => labelOf(label, rest, at.quoted));
      return { from: at.from, to: offset, list, validFor: /^\w*$/ };
    }
    case 'label-value': {
      // In a regular expression each alternative is completed for itself.
      const from = at.op.endsWith('~') ? at.from + at.word.lastIndexOf('|') + 1 : at.from;
      const found = await known.values(at.label, selectorText(at.metric, at.matchers));
      const to = at.closed && !at.op.endsWith('~') ? at.to + 1 : at.to;
      return { from, to, list: found.map((value) => valueOf(value, at.op, at.quote, at.closed)), validFor: /^[^"'`|]*$/ };
    }
    case 'grouping': {
      const selector = at.metrics.length === 1 ? at.metrics[0]! : at.metrics.length > 1 ? `{__name__=~${quote(at.metrics.map(escapeRegex).join('|'))}}` : '';
      const labels = await known.labels(selector);
      const list = labels.filter((label) => label !== '__name__' && !at.taken.includes(label));
      return { from: at.from, to: offset, list: list.map((label) => ({ label, insert: label, kind: 'label' })), validFor: /^\w*$/ };
    }
    case 'duration':
      return { from: at.from, to: offset, list: durations.map((text) => ({ label: text, insert: text, kind: 'word' })), validFor: /^\w*$/ };
    case 'matcher-operator':
      return {
        from: at.from,
        to: offset,
        list: ['=', '!=', '=~', '!~'].map((text) => ({ label: text, insert: `${text}""`, caret: text.length + 1, kind: 'word' })),
        validFor: /^$/,
      };
    default:
      return undefined;
  }
}
