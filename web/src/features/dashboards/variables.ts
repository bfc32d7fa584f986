import type { Variable } from '../../api/dashboards';

/** What is chosen for one variable. `all` stands for every value, also those that come later. */
export interface Chosen {
  values: string[];
  all: boolean;
  /** Several may be chosen, so that it is a list of alternatives wherever it stands. */
  multi: boolean;
  /** Every value there is, where the definition says them. */
  known?: string[];
}

/** What a widget is given: the names with what is chosen for them. */
export type Variables = Record<string, Chosen>;

const reference = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g;

export function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** A value as it stands between the quotes of a PromQL string. */
function escapeString(text: string, quote: string): string {
  if (quote === '`') return text;
  return text.replace(/\\/g, '\\\\').replaceAll(quote, `\\${quote}`).replace(/\n/g, '\\n');
}

/** The expression that any of the values matches. */
function alternatives({ values, all, known }: Chosen): string {
  if (!all) return values.map(escapeRegex).join('|');
  return known ? known.map(escapeRegex).join('|') : '.+';
}

interface Piece {
  text: string;
  /** The quote around it, or '' outside of strings. */
  quote: string;
  /** Whether the string is the right side of `=~` or `!~`. */
  regex: boolean;
}

/** Cuts an expression into what is inside of strings and what is not. */
function pieces(expr: string): Piece[] {
  const found: Piece[] = [];
  const string = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/gs;
  let end = 0;
  for (const match of expr.matchAll(string)) {
    const before = expr.slice(end, match.index);
    found.push({ text: before, quote: '', regex: false });
    found.push({ text: match[0], quote: match[0][0]!, regex: /[=!]~\s*$/.test(before) });
    end = match.index + match[0].length;
  }
  found.push({ text: expr.slice(end), quote: '', regex: false });
  return found;
}

interface Part {
  written: string;
  /** What stands there once the variables are put in. */
  filled: string;
}

/** An expression cut at its variables. */
function parts(expr: string, variables: Variables): Part[] {
  const found: Part[] = [];
  for (const { text, quote, regex } of pieces(expr)) {
    let end = 0;
    for (const match of text.matchAll(reference)) {
      const chosen = variables[match[1] ?? match[2]!];
      if (!chosen) continue;
      const before = text.slice(end, match.index);
      const value = regex || (chosen.all && quote !== '') ? alternatives(chosen) : chosen.values.join('|');
      found.push({ written: before, filled: before }, { written: match[0], filled: quote ? escapeString(value, quote) : value });
      end = match.index + match[0].length;
    }
    found.push({ written: text.slice(end), filled: text.slice(end) });
  }
  return found;
}

/**
 * `$name` and `${name}` in PromQL or a selector. On the right of `=~` and `!~` the values are escaped
 * and joined as alternatives; elsewhere they stand as they are. What is not a variable stays.
 */
export function substitute(expr: string, variables: Variables): string {
  return parts(expr, variables).map(({ filled }) => filled).join('');
}

export interface TextPlace {
  /** Both count from 1. */
  line: number;
  column: number;
}

/** Where in an expression stands what is at a place of it with the variables put in; of a value, its variable. */
export function writtenPlace(expr: string, variables: Variables, { line, column }: TextPlace): TextPlace {
  const all = parts(expr, variables);
  const lines = all.map(({ filled }) => filled).join('').split('\n');
  let left = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  let at = 0;
  for (const { written, filled } of all) {
    if (left < filled.length) {
      at += written === filled ? left : 0;
      left = 0;
      break;
    }
    left -= filled.length;
    at += written.length;
  }
  const before = expr.slice(0, at + left).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** Without the comments of PromQL, which end with their line. */
function withoutComments(expr: string): string {
  return expr.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*/gs, (found) => (found.startsWith('#') ? '' : found));
}

/** Names of variables in an expression that nobody defined. */
export function unknownIn(expr: string, variables: Variables): string[] {
  const names = [...withoutComments(expr).matchAll(reference)].map(([, braced, plain]) => braced ?? plain!);
  return [...new Set(names)].filter((name) => !Object.hasOwn(variables, name));
}

/** `$name` in a title or a text for people. */
export function substituteText(text: string, variables: Variables): string {
  return text.replace(reference, (whole, braced?: string, plain?: string) => {
    const chosen = variables[braced ?? plain!];
    if (!chosen) return whole;
    return chosen.all ? 'all' : chosen.values.join(', ');
  });
}

/** The names that a text refers to. */
export function referencesIn(text: string): string[] {
  return [...new Set([...text.matchAll(reference)].map((match) => match[1] ?? match[2]!))];
}

/** The name is followed by `v.` in the address. */
export const addressPrefix = 'v.';
const allWord = '*';
/** The empty value: addresses leave out what is empty. */
const nothingWord = '\\';

/** `a,b`; a comma, backslash or lone star of a value is escaped. */
export function formatChosen({ values, all }: Chosen): string {
  if (all) return allWord;
  if (values.length === 1 && values[0] === '') return nothingWord;
  return values.map((value) => (value === allWord ? '\\*' : value.replace(/[\\,]/g, '\\$&'))).join(',');
}

export function parseChosen(text: string, variable: Variable): Chosen {
  const multi = isMulti(variable);
  const base = { multi, ...knownOf(variable) };
  if (text === nothingWord) return { ...base, values: [''], all: false };
  if (variable.text) return { ...base, values: [unescape(text)], all: false };
  if (text === allWord && variable.all) return { ...base, values: [], all: true };
  const values = splitValues(text);
  return { ...base, values: multi ? values : values.slice(0, 1), all: false };
}

function splitValues(text: string): string[] {
  const values: string[] = [];
  let current = '';
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\' && i + 1 < text.length) current += text[(i += 1)]!;
    else if (text[i] === ',') {
      values.push(current);
      current = '';
    } else current += text[i]!;
  }
  return [...values, current];
}

const unescape = (text: string): string => text.replace(/\\(.)/gs, '$1');

function isMulti(variable: Variable): boolean {
  return (variable.multi ?? false) && !variable.text;
}

function knownOf(variable: Variable): { known?: string[] } {
  return variable.values ? { known: variable.values.map(String) } : {};
}

/** What is chosen while the address says nothing: the default, else all, else the first value there is. */
export function initialChoice(variable: Variable, options: string[]): Chosen {
  const base = { multi: isMulti(variable), ...knownOf(variable) };
  const given = variable.default;
  if (variable.text) return { ...base, values: [given === undefined ? '' : String(given)], all: false };
  if (given !== undefined) {
    const values = (Array.isArray(given) ? given : [given]).map(String);
    if (values.length === 1 && values[0] === allWord && variable.all) return { ...base, values: [], all: true };
    return { ...base, values, all: false };
  }
  if (variable.all) return { ...base, values: [], all: true };
  return { ...base, values: options.slice(0, 1), all: false };
}

/** The choices of all variables: what the address says, else how each begins. */
export function choices(
  definitions: Record<string, Variable>,
  query: Record<string, string>,
  options: Record<string, string[]>,
): Variables {
  const chosen: Variables = {};
  for (const [name, variable] of Object.entries(definitions)) {
    const said = query[addressPrefix + name];
    chosen[name] = said === undefined ? initialChoice(variable, options[name] ?? []) : parseChosen(said, variable);
  }
  return chosen;
}

/** A word for what is chosen: `all`, `web1`, `web1, web2 and 3 more`. */
export function choiceLabel({ values, all }: Chosen): string {
  if (all) return 'all';
  if (values.length === 0) return 'none';
  if (values.length <= 2) return values.join(', ');
  return `${values.slice(0, 2).join(', ')} and ${values.length - 2} more`;
}

/** Whether a variable's values depend on what is chosen for another. */
export function dependsOn(variable: Variable, name: string): boolean {
  return referencesIn(variable.of ?? '').includes(name);
}
