import type { Section, TypeExpr } from '../../../api/packages';
import { recordOf, titleOf, typeAt } from '../values';

/** A word that may be written at the cursor. */
export interface Suggestion {
  label: string;
  /** What is put into the text. */
  insert: string;
  detail: string;
  info: string;
  kind: 'field' | 'value';
}

export interface Suggestions {
  /** Offset at which the word begun at the cursor begins. */
  from: number;
  list: Suggestion[];
}

interface Line {
  indent: number;
  /** Columns of the dashes that begin list items. */
  dashes: number[];
  key: string | undefined;
  keyColumn: number;
  value: string;
}

const keyPattern = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"{}[\],&*!|>%@`:][^#:]*?|[^\s#:]+)\s*:(?:\s+(.*))?$/;

function readLine(text: string): Line | undefined {
  if (/^\s*(#.*)?$/.test(text)) return undefined;
  let column = text.search(/\S/);
  const indent = column;
  const dashes: number[] = [];
  while (/^-(\s|$)/.test(text.slice(column))) {
    dashes.push(column);
    const rest = text.slice(column + 1).search(/\S/);
    if (rest < 0) return { indent, dashes, key: undefined, keyColumn: column + 2, value: '' };
    column += 1 + rest;
  }
  const match = keyPattern.exec(text.slice(column));
  if (!match) return { indent, dashes, key: undefined, keyColumn: column, value: text.slice(column) };
  return { indent, dashes, key: unquote(match[1]!), keyColumn: column, value: match[2] ?? '' };
}

function unquote(text: string): string {
  const quote = text[0];
  return (quote === '"' || quote === "'") && text.endsWith(quote) && text.length > 1 ? text.slice(1, -1) : text.trim();
}

/** The path of what stands at `column` of a line, by the indentation above it; undefined inside a block of text. */
function pathAbove(lines: string[], at: number, column: number, dashes: number[]): string[] | undefined {
  const path: string[] = [];
  let limit = column;
  const leave = (columns: number[]): void => {
    for (const dash of [...columns].reverse()) {
      path.unshift('0');
      limit = dash + 1; // a list may stand at the column of its key
    }
  };
  leave(dashes);
  for (let i = at - 1; i >= 0 && limit > 0; i -= 1) {
    const line = readLine(lines[i]!);
    if (!line) continue;
    if (line.key !== undefined && line.keyColumn < limit) {
      if (/^[|>][+-]?\d?\s*(#.*)?$/.test(line.value)) return undefined;
      path.unshift(line.key);
      limit = line.keyColumn;
      leave(line.dashes);
    } else if (line.keyColumn === limit && line.dashes.length > 0) leave(line.dashes);
  }
  return path;
}

/** Keys that stand beside the cursor's in its mapping. */
function siblings(lines: string[], at: number, { keyColumn: column, dashes }: Line): Set<string> {
  const names = new Set<string>();
  // Nothing above the first key of a list's item is beside it.
  for (const step of dashes.length > 0 ? [1] : [-1, 1]) {
    for (let i = at + step; i >= 0 && i < lines.length; i += step) {
      const line = readLine(lines[i]!);
      if (!line) continue;
      if (line.keyColumn < column || (line.keyColumn === column && line.dashes.length > 0 && step > 0)) break;
      if (line.keyColumn === column && line.key !== undefined) names.add(line.key);
      if (line.keyColumn === column && line.dashes.length > 0) break;
    }
  }
  return names;
}

interface FlowSpot {
  path: string[];
  /** The key whose value is being written; undefined while a key is. */
  key: string | undefined;
  word: string;
  taken: Set<string>;
}

/** Within `{a: 1, b: [x, ` at its end: undefined where the text is not inside brackets. */
function flowSpot(text: string): FlowSpot | undefined {
  const stack: { bracket: string; key: string | undefined; taken: Set<string>; count: number }[] = [];
  let word = '';
  let quote = '';
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i]!;
    const top = stack.at(-1);
    if (quote) {
      if (letter === quote) quote = '';
      word += letter;
    } else if ((letter === '"' || letter === "'") && word.trim() === '') {
      quote = letter;
      word += letter;
    } else if ((letter === '{' || letter === '[') && word.trim() === '') {
      stack.push({ bracket: letter, key: undefined, taken: new Set(), count: 0 });
      word = '';
    } else if (top && (letter === '}' || letter === ']')) {
      stack.pop();
      word = '';
    } else if (top && letter === ',') {
      top.key = undefined;
      top.count += 1;
      word = '';
    } else if (top?.bracket === '{' && top.key === undefined && letter === ':' && /^(\s|$)/.test(text.slice(i + 1))) {
      top.key = unquote(word.trim());
      top.taken.add(top.key);
      word = '';
    } else word += letter;
  }
  const last = stack.at(-1);
  if (!last || quote) return undefined;
  const path = stack.slice(0, -1).map((one) => (one.bracket === '[' ? String(one.count) : (one.key ?? '')));
  if (last.bracket === '[') return { path, key: String(last.count), word: word.trimStart(), taken: last.taken };
  return { path, key: last.key, word: word.trimStart(), taken: last.taken };
}

const defaultWords = (type: TypeExpr & { default?: unknown }): string =>
  type.default === undefined || type.default === null ? '' : `default ${typeof type.default === 'object' ? JSON.stringify(type.default) : String(type.default)}`;

function fieldSuggestions(type: TypeExpr | undefined, taken: Set<string>): Suggestion[] {
  const record = type?.kind === 'list' && type.one_or_many ? type.of : type;
  if (record?.kind !== 'record') return [];
  const excluded = new Set<string>();
  for (const set of record.one_of ?? []) if (set.some((name) => taken.has(name))) set.forEach((name) => excluded.add(name));
  return (record.fields ?? [])
    .filter(({ name }) => !taken.has(name) && !excluded.has(name))
    .map((field) => ({
      label: field.name,
      insert: `${field.name}: `,
      detail: [field.type ?? field.kind, field.required ? 'required' : defaultWords(field)].filter(Boolean).join(' · '),
      info: [field.help || titleOf(field), field.type_help, field.example && `For example: ${field.example}`].filter(Boolean).join('\n'),
      kind: 'field',
    }));
}

function valueSuggestions(type: (TypeExpr & { default?: unknown; example?: string }) | undefined): Suggestion[] {
  if (!type) return [];
  const one = type.kind === 'list' && type.one_or_many ? (type.of ?? type) : type;
  const list: Suggestion[] = [];
  const add = (value: string, detail = '', info = ''): void => {
    if (value !== '' && !list.some(({ label }) => label === value)) list.push({ label: value, insert: value, detail, info, kind: 'value' });
  };
  for (const choice of one.values ?? []) add(choice.value, '', choice.help ?? '');
  if (one.kind === 'boolean') ['true', 'false'].forEach((word) => add(word));
  for (const word of type.or ?? []) add(word);
  if (typeof type.default === 'string' || typeof type.default === 'number') add(String(type.default), 'default');
  if (type.example && !type.example.includes('\n')) add(type.example, 'example');
  return list;
}

/** What may be written at an offset of a YAML text of this type; undefined where nothing is known. */
export function suggestionsAt(text: string, offset: number, type: TypeExpr): Suggestions | undefined {
  const lines = text.split('\n');
  const before = text.slice(0, offset);
  const at = before.split('\n').length - 1;
  const written = before.slice(before.lastIndexOf('\n') + 1);
  if (/(^|\s)#/.test(written.replace(/"[^"]*"|'[^']*'/g, ''))) return undefined;
  const line = readLine(written) ?? { indent: written.length, dashes: [], key: undefined, keyColumn: written.length, value: '' };
  const path = pathAbove(lines, at, line.keyColumn, line.dashes);
  if (!path) return undefined;

  const inFlow = flowSpot(line.key === undefined ? written.slice(line.keyColumn) : line.value);
  if (inFlow) {
    const whole = [...path, ...(line.key === undefined ? [] : [line.key]), ...inFlow.path];
    const list =
      inFlow.key === undefined
        ? fieldSuggestions(typeAt(type, whole), inFlow.taken)
        : valueSuggestions(typeAt(type, [...whole, inFlow.key]));
    return list.length > 0 ? { from: offset - inFlow.word.length, list } : undefined;
  }
  if (line.key !== undefined) {
    const list = valueSuggestions(typeAt(type, [...path, line.key]));
    return list.length > 0 ? { from: offset - line.value.length, list } : undefined;
  }
  const here = typeAt(type, path);
  const isWord = line.dashes.length > 0 && here?.kind !== 'record';
  const list = isWord ? valueSuggestions(here) : fieldSuggestions(here, siblings(lines, at, line));
  return list.length > 0 ? { from: offset - (written.length - Math.min(line.keyColumn, written.length)), list } : undefined;
}

/** A whole file of a package, as a type: its manifest and its sections. */
export function fileType(sections: Section[]): TypeExpr {
  const manifest = ['package', 'version', 'title', 'help'].map((name) => ({ name, kind: 'text' as const }));
  const fields = sections.map((section) => {
    let type: TypeExpr = recordOf(section);
    if (section.shape === 'list') type = { kind: 'list', of: type };
    else if (section.shape === 'tree') for (let i = 0; i < section.indexes.length; i += 1) type = { kind: 'map', of: type };
    return { ...type, name: section.name, title: section.title, help: section.help ?? '', type: section.shape };
  });
  return { kind: 'record', fields: [...manifest, ...fields] };
}
