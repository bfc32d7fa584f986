// Fetched together with the editor: it brings the reader of YAML.
import { yamlLanguage } from '@codemirror/lang-yaml';
import type { SyntaxNode } from '@lezer/common';
import type { Fields, Value } from '../../../api/packages';

export type Read = { value: Value } | { error: string; line: number; column: number };

class Unreadable extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

/** A small YAML text as a value, by the core schema. Anchors, tags and merges are for the YAML view. */
export function readYaml(text: string): Read {
  const fail = (message: string, at: number): Read => {
    const lines = text.slice(0, at).split('\n');
    return { error: message, line: lines.length, column: lines.at(-1)!.length + 1 };
  };
  const tree = yamlLanguage.parser.parse(text);
  let broken: number | undefined;
  tree.iterate({ enter: (node) => void (node.type.isError && (broken ??= node.from)) });
  if (broken !== undefined) return fail('This is no YAML', broken);
  try {
    const document = tree.topNode.getChild('Document');
    const node = document && contentOf(document);
    return { value: node ? valueOf(node, text) : null };
  } catch (reason) {
    if (reason instanceof Unreadable) return fail(reason.message, reason.at);
    throw reason;
  }
}

const marks = new Set(['Comment', '-', ':', ',', '?', '{', '}', '[', ']', 'Key', 'DirectiveEnd', 'DocEnd']);

function contentOf(node: SyntaxNode): SyntaxNode | undefined {
  for (let child = node.firstChild; child; child = child.nextSibling) if (!marks.has(child.name)) return child;
  return undefined;
}

function valueOf(node: SyntaxNode, text: string): Value {
  const source = text.slice(node.from, node.to);
  switch (node.name) {
    case 'BlockMapping':
    case 'FlowMapping':
      return mappingOf(node, text);
    case 'BlockSequence':
    case 'FlowSequence':
      return node.getChildren('Item').map((item) => {
        const inner = contentOf(item);
        return inner ? valueOf(inner, text) : null;
      });
    case 'Literal':
      return plain(fold(source));
    case 'QuotedLiteral':
      return quoted(source, node.from);
    case 'BlockLiteral':
      return block(node, text);
    default:
      throw new Unreadable('Anchors, aliases and tags are written in the YAML view', node.from);
  }
}

function mappingOf(node: SyntaxNode, text: string): Fields {
  const fields: Fields = {};
  for (const pair of node.getChildren('Pair')) {
    const keyNode = pair.getChild('Key');
    const key = keyNode && contentOf(keyNode);
    if (!key || (key.name !== 'Literal' && key.name !== 'QuotedLiteral')) throw new Unreadable('A key is a word', pair.from);
    const source = text.slice(key.from, key.to);
    const name = key.name === 'QuotedLiteral' ? quoted(source, key.from) : source;
    if (Object.hasOwn(fields, name)) throw new Unreadable(`"${name}" stands here twice`, pair.from);
    const inner = contentOf(pair);
    fields[name] = inner ? valueOf(inner, text) : null;
  }
  return fields;
}

const fold = (text: string): string => text.replace(/[ \t]*\n[ \t]*(\n[ \t]*)*/g, (gap) => '\n'.repeat(gap.split('\n').length - 2) || ' ');

function plain(text: string): Value {
  if (/^(null|Null|NULL|~|)$/.test(text)) return null;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  if (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(text)) return Number(text);
  return text;
}

function quoted(source: string, at: number): string {
  const inside = fold(source.slice(1, -1));
  if (source.startsWith("'")) return inside.replace(/''/g, "'");
  try {
    return JSON.parse(`"${inside.replace(/\\e/g, '\\u001b').replace(/\\0/g, '\\u0000').replace(/\\x([0-9a-f]{2})/gi, '\\u00$1').replace(/\t/g, '\\t')}"`) as string;
  } catch {
    throw new Unreadable('This escape is not known', at);
  }
}

function block(node: SyntaxNode, text: string): string {
  const header = text.slice(node.from, node.to).split('\n')[0]!;
  const lines = text.slice(node.from, node.to).split('\n').slice(1);
  const indent = Math.min(...lines.filter((line) => line.trim()).map((line) => line.search(/\S/)));
  const own = lines.map((line) => line.slice(Number.isFinite(indent) ? indent : 0));
  while (own.length > 0 && own.at(-1) === '') own.pop();
  const body = header.startsWith('>') ? fold(own.join('\n')) : own.join('\n');
  return header.includes('-') ? body : `${body}\n`;
}

/** Where the key (or list item) of a path begins in a text; the nearest above it where it is not there. */
export function placeOfPath(text: string, path: string[]): { line: number; column: number } | undefined {
  const document = yamlLanguage.parser.parse(text).topNode.getChild('Document');
  let node = document ? contentOf(document) : undefined;
  let found: number | undefined;
  for (const step of path) {
    if (node?.name === 'BlockSequence' || node?.name === 'FlowSequence') {
      const item: SyntaxNode | undefined = node.getChildren('Item')[Number(step)];
      if (!item) break;
      found = item.from;
      node = contentOf(item);
    } else {
      const pair: SyntaxNode | undefined = node?.getChildren('Pair').find((one) => {
        const key = one.getChild('Key');
        return key && text.slice(key.from, key.to).replace(/^(["'])(.*)\1$/, '$2') === step;
      });
      if (!pair) break;
      found = pair.from;
      node = contentOf(pair);
    }
  }
  if (found === undefined) return undefined;
  const lines = text.slice(0, found).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}
