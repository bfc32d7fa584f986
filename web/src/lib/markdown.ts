/** Markdown read into parts that a component writes as elements: no text of it ever becomes HTML. */
export type Inline =
  | { kind: 'text' | 'code'; text: string }
  | { kind: 'strong' | 'emphasis' | 'struck'; parts: Inline[] }
  | { kind: 'link'; href: string; parts: Inline[] }
  | { kind: 'break' };

export interface ListItem {
  parts: Inline[];
  /** `- [x]`: whether it is done. */
  done?: boolean;
  blocks: Block[];
}

export type Block =
  | { kind: 'heading'; level: number; parts: Inline[] }
  | { kind: 'paragraph'; parts: Inline[] }
  | { kind: 'code'; text: string; language: string }
  | { kind: 'list'; ordered: boolean; start: number; items: ListItem[] }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'table'; head: Inline[][]; align: ('left' | 'right' | 'center')[]; rows: Inline[][][] }
  | { kind: 'rule' };

/** Deeper than this nobody writes; a hostile text is cut there. */
const deepest = 12;

/** An address that may be followed; undefined for `javascript:` and whatever else is not known to be harmless. */
export function safeHref(href: string): string | undefined {
  const trimmed = href.trim();
  // Browsers skip control characters and white space when they look for the scheme.
  if (/[\u0000-\u0020\u007f]/.test(trimmed) || trimmed === '') return undefined;
  if (/^(https?|mailto):/i.test(trimmed)) return trimmed;
  if (/^(#|\/(?!\/)|\.\.?\/)/.test(trimmed)) return trimmed;
  return /^[\w.-]+(\/|$|#|\?)/.test(trimmed) && !trimmed.includes(':') ? trimmed : undefined;
}

interface Rule {
  pattern: RegExp;
  make: (match: RegExpExecArray, depth: number) => Inline;
}

const inlineRules: Rule[] = [
  { pattern: /\\([\\`*_{}[\]()#+\-.!|~<>])/y, make: (match) => ({ kind: 'text', text: match[1]! }) },
  { pattern: /(`+)(.+?)\1(?!`)/sy, make: (match) => ({ kind: 'code', text: match[2]!.replace(/^ (.*) $/s, '$1') }) },
  { pattern: /\*\*(?=\S)(.+?)(?<=\S)\*\*(?!\*)/sy, make: (match, depth) => ({ kind: 'strong', parts: inlineAt(match[1]!, depth) }) },
  { pattern: /__(?=\S)(.+?)(?<=\S)__(?!\w)/sy, make: (match, depth) => ({ kind: 'strong', parts: inlineAt(match[1]!, depth) }) },
  { pattern: /~~(?=\S)(.+?)(?<=\S)~~/sy, make: (match, depth) => ({ kind: 'struck', parts: inlineAt(match[1]!, depth) }) },
  { pattern: /\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?!\*)/sy, make: (match, depth) => ({ kind: 'emphasis', parts: inlineAt(match[1]!, depth) }) },
  { pattern: /(?<!\w)_(?=[^\s_])(.+?)(?<=[^\s_])_(?!\w)/sy, make: (match, depth) => ({ kind: 'emphasis', parts: inlineAt(match[1]!, depth) }) },
  { pattern: /!?\[((?:[^[\]\\]|\\.)*)\]\(\s*<?([^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)/sy, make: linkOf },
  { pattern: /<((?:https?:\/\/|mailto:)[^\s<>]+)>/y, make: (match) => bareLink(match[1]!) },
  { pattern: /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]*_~]/y, make: (match) => bareLink(match[0]) },
  { pattern: / {2,}\n|\\\n/y, make: () => ({ kind: 'break' }) },
];

function linkOf(match: RegExpExecArray, depth: number): Inline {
  const parts = inlineAt(match[1]!, depth);
  const href = safeHref(match[2]!);
  // An address that is not followed leaves its words.
  return href ? { kind: 'link', href, parts } : { kind: 'emphasis', parts: parts.length > 0 ? parts : [{ kind: 'text', text: match[2]! }] };
}

function bareLink(href: string): Inline {
  return { kind: 'link', href, parts: [{ kind: 'text', text: href.replace(/^mailto:/, '') }] };
}

export function inline(text: string): Inline[] {
  return inlineAt(text, 0);
}

function inlineAt(text: string, depth: number): Inline[] {
  if (depth >= deepest) return [{ kind: 'text', text }];
  const parts: Inline[] = [];
  let plain = '';
  let at = 0;
  const flush = (): void => {
    if (plain) parts.push({ kind: 'text', text: plain.replace(/\n/g, ' ') });
    plain = '';
  };
  while (at < text.length) {
    const found = /[\\`*_~[!<h \n]/.test(text[at]!) ? firstRule(text, at) : undefined;
    if (!found) {
      plain += text[at]!;
      at += 1;
      continue;
    }
    const made = found.rule.make(found.match, depth + 1);
    if (made.kind === 'text') plain += made.text;
    else {
      flush();
      parts.push(made);
    }
    at += found.match[0].length;
  }
  flush();
  return parts;
}

function firstRule(text: string, at: number): { rule: Rule; match: RegExpExecArray } | undefined {
  for (const rule of inlineRules) {
    rule.pattern.lastIndex = at;
    const match = rule.pattern.exec(text);
    if (match) return { rule, match };
  }
  return undefined;
}

/** Reads a whole text. */
export function markdown(text: string): Block[] {
  return blocksOf(text.replace(/\r\n?/g, '\n').replace(/\t/g, '    ').split('\n'), 0);
}

const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/;
const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const bullet = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)/;
const ruleLine = /^ {0,3}([-*_])( *\1){2,} *$/;
const quoteLine = /^ {0,3}> ?/;
const tableRule = /^ {0,3}\|? *:?-+:? *(\| *:?-+:? *)*\|? *$/;

function blocksOf(lines: string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  const readers = [readFence, readHeading, readRule, readQuote, readList, readTable, readParagraph];
  while (at < lines.length) {
    if (lines[at]!.trim() === '') {
      at += 1;
      continue;
    }
    for (const reader of readers) {
      const found = reader(lines, at, depth);
      if (!found) continue;
      blocks.push(found.block);
      at = found.next;
      break;
    }
  }
  return blocks;
}

type Found = { block: Block; next: number } | undefined;

function readFence(lines: string[], at: number): Found {
  const open = fence.exec(lines[at]!);
  if (!open) return undefined;
  let next = at + 1;
  const isEnd = (line: string): boolean => line.trim().startsWith(open[1]!) && /^[`~]+$/.test(line.trim());
  while (next < lines.length && !isEnd(lines[next]!)) next += 1;
  return { block: { kind: 'code', text: lines.slice(at + 1, next).join('\n'), language: open[2]! }, next: next + 1 };
}

function readHeading(lines: string[], at: number): Found {
  const match = heading.exec(lines[at]!);
  if (!match) return undefined;
  return { block: { kind: 'heading', level: match[1]!.length, parts: inline(match[2]!) }, next: at + 1 };
}

function readRule(lines: string[], at: number): Found {
  return ruleLine.test(lines[at]!) ? { block: { kind: 'rule' }, next: at + 1 } : undefined;
}

function readQuote(lines: string[], at: number, depth: number): Found {
  if (!quoteLine.test(lines[at]!) || depth >= deepest) return undefined;
  let next = at;
  while (next < lines.length && quoteLine.test(lines[next]!)) next += 1;
  const inside = lines.slice(at, next).map((line) => line.replace(quoteLine, ''));
  return { block: { kind: 'quote', blocks: blocksOf(inside, depth + 1) }, next };
}

function readList(lines: string[], at: number, depth: number): Found {
  const first = bullet.exec(lines[at]!);
  if (!first || depth >= deepest) return undefined;
  const isOrdered = (mark: string): boolean => /\d/.test(mark);
  const ordered = isOrdered(first[2]!);
  const items: ListItem[] = [];
  let next = at;
  while (next < lines.length) {
    const mark = bullet.exec(lines[next]!);
    if (!mark || isOrdered(mark[2]!) !== ordered || ruleLine.test(lines[next]!)) break;
    const indent = mark[0].length;
    const own = [lines[next]!.slice(indent)];
    next += 1;
    while (next < lines.length && belongs(lines, next, indent)) {
      own.push(lines[next]!.replace(new RegExp(`^ {0,${indent}}`), ''));
      next += 1;
    }
    items.push(itemOf(own, depth));
    while (next < lines.length && lines[next]!.trim() === '' && bullet.test(lines[next + 1] ?? '')) next += 1;
  }
  return { block: { kind: 'list', ordered, start: ordered ? parseInt(first[2]!, 10) : 1, items }, next };
}

/** Whether a line goes on with the list item above it. */
function belongs(lines: string[], at: number, indent: number): boolean {
  const line = lines[at]!;
  if (line.trim() === '') return (lines[at + 1] ?? '').startsWith(' '.repeat(Math.min(indent, 2))) && (lines[at + 1] ?? '').trim() !== '';
  if (/^ {2,}/.test(line)) return true;
  return !bullet.test(line) && !heading.test(line) && !fence.test(line) && lines[at - 1]!.trim() !== '';
}

function itemOf(lines: string[], depth: number): ListItem {
  const box = /^\[([ xX])\]\s+/.exec(lines[0]!);
  if (box) lines[0] = lines[0]!.slice(box[0].length);
  const [first, ...rest] = blocksOf(lines, depth + 1);
  const done = box ? { done: box[1] !== ' ' } : {};
  if (first?.kind === 'paragraph') return { parts: first.parts, blocks: rest, ...done };
  return { parts: [], blocks: first ? [first, ...rest] : [], ...done };
}

function cells(line: string): string[] {
  const inside = line.trim().replace(/^\|/, '').replace(/(?<!\\)\|$/, '');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'));
}

function readTable(lines: string[], at: number): Found {
  if (!lines[at]!.includes('|') || !tableRule.test(lines[at + 1] ?? '') || !(lines[at + 1] ?? '').includes('-')) return undefined;
  const head = cells(lines[at]!);
  const marks = cells(lines[at + 1]!);
  if (marks.length !== head.length) return undefined;
  const align = marks.map((mark) => (/^:-+:$/.test(mark) ? 'center' : /-:$/.test(mark) ? 'right' : 'left') as 'left' | 'right' | 'center');
  const rows: Inline[][][] = [];
  let next = at + 2;
  for (; next < lines.length && lines[next]!.includes('|') && lines[next]!.trim() !== ''; next += 1) {
    const row = cells(lines[next]!);
    rows.push(head.map((_, i) => inline(row[i] ?? '')));
  }
  return { block: { kind: 'table', head: head.map(inline), align, rows }, next };
}

function readParagraph(lines: string[], at: number): Found {
  let next = at + 1;
  const begins = (line: string): boolean =>
    line.trim() === '' || fence.test(line) || heading.test(line) || quoteLine.test(line) || ruleLine.test(line) || bullet.test(line);
  while (next < lines.length && !begins(lines[next]!)) next += 1;
  const text = lines.slice(at, next).map((line, i, all) => (i === all.length - 1 ? line.trim() : line.trimStart())).join('\n');
  return { block: { kind: 'paragraph', parts: inline(text) }, next };
}
