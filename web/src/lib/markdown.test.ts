import { describe, expect, it } from 'vitest';
import { inline, markdown, safeHref, type Inline } from './markdown';

const text = (parts: Inline[]): string =>
  parts.map((part) => ('text' in part ? part.text : 'parts' in part ? text(part.parts) : '\n')).join('');

describe('addresses', () => {
  it.each(['https://example.net/a?b#c', 'http://h:1', 'mailto:ana@example.net', '#/hosts', '/p/site/map', './a.md', 'README.md', 'docs/a#b'])(
    'follows %s', (href) => expect(safeHref(href)).toBe(href));
  it.each(['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x', 'vbscript:x', '//evil.example', ' ', '', 'file:///etc/passwd', '\u0001javascript:x'])(
    'does not follow %j', (href) => expect(safeHref(href)).toBeUndefined());
  it('leaves the words of a link that it does not follow', () => {
    const parts = inline('see [this](javascript:alert(1)) now');
    expect(text(parts)).toBe('see this now');
    expect(JSON.stringify(parts)).not.toContain('javascript');
  });
});

it('takes HTML for text', () => {
  expect(markdown('<script>alert(1)</script> <b>x</b>')).toEqual([
    { kind: 'paragraph', parts: [{ kind: 'text', text: '<script>alert(1)</script> <b>x</b>' }] },
  ]);
});

describe('within a line', () => {
  it('reads bold, slanted, struck, code and links', () => {
    expect(inline('a **b *c*** ~~d~~ `e*f*` [g](https://h)')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'strong', parts: [{ kind: 'text', text: 'b ' }, { kind: 'emphasis', parts: [{ kind: 'text', text: 'c' }] }] },
      { kind: 'text', text: ' ' },
      { kind: 'struck', parts: [{ kind: 'text', text: 'd' }] },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'e*f*' },
      { kind: 'text', text: ' ' },
      { kind: 'link', href: 'https://h', parts: [{ kind: 'text', text: 'g' }] },
    ]);
  });
  it('leaves names of metrics and lone signs alone', () => {
    expect(inline('node_load1 and 2 * 3 * 4 _ x [y] !')).toEqual([{ kind: 'text', text: 'node_load1 and 2 * 3 * 4 _ x [y] !' }]);
  });
  it('makes links of bare addresses, without the full stop', () => {
    expect(inline('at https://example.net/a_b.')).toEqual([
      { kind: 'text', text: 'at ' },
      { kind: 'link', href: 'https://example.net/a_b', parts: [{ kind: 'text', text: 'https://example.net/a_b' }] },
      { kind: 'text', text: '.' },
    ]);
  });
  it('takes escaped signs as they are', () => {
    expect(inline('\\*not\\* \\`so\\`')).toEqual([{ kind: 'text', text: '*not* `so`' }]);
  });
});

describe('blocks', () => {
  it('reads headings, paragraphs and rules', () => {
    expect(markdown('# A\n\nb\nc\n\n---\n## D ##').map((block) => block.kind)).toEqual(['heading', 'paragraph', 'rule', 'heading']);
  });
  it('keeps code as it is', () => {
    expect(markdown('```yaml\na: "**b**"\n\n  c\n```\nd')).toMatchObject([
      { kind: 'code', language: 'yaml', text: 'a: "**b**"\n\n  c' },
      { kind: 'paragraph' },
    ]);
  });
  it('reads lists with lists in them, and what is done', () => {
    const [list] = markdown('1. one\n2. two\n   - a\n   - [x] b\n3. three');
    expect(list).toMatchObject({ kind: 'list', ordered: true, start: 1 });
    if (list?.kind !== 'list') throw new Error('no list');
    expect(list.items.map((item) => text(item.parts))).toEqual(['one', 'two', 'three']);
    expect(list.items[1]!.blocks).toMatchObject([{ kind: 'list', ordered: false, items: [{}, { done: true }] }]);
  });
  it('reads tables', () => {
    const [table] = markdown('| name | n |\n|---|--:|\n| a \\| b | 1 |\n| c |\n');
    if (table?.kind !== 'table') throw new Error('no table');
    expect(table.align).toEqual(['left', 'right']);
    expect(table.rows.map((row) => row.map(text))).toEqual([['a | b', '1'], ['c', '']]);
  });
  it('reads quotes', () => {
    expect(markdown('> a\n> - b\n\nc')).toMatchObject([{ kind: 'quote', blocks: [{ kind: 'paragraph' }, { kind: 'list' }] }, { kind: 'paragraph' }]);
  });
});

it('comes to an end on any text', () => {
  const signs = ['*', '_', '`', '[', ']', '(', ')', '\n', ' ', '-', '>', '|', '#', '1.', 'a', '~', '\\', '!', '<', '```', '  '];
  let seed = 7;
  const next = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  for (let run = 0; run < 400; run += 1) {
    let made = '';
    for (let i = 0; i < 60; i += 1) made += signs[Math.floor(next() * signs.length)]!;
    expect(Array.isArray(markdown(made))).toBe(true);
  }
  expect(Array.isArray(markdown('>'.repeat(5000)))).toBe(true);
  expect(Array.isArray(markdown('*'.repeat(3000) + 'a' + '['.repeat(3000)))).toBe(true);
});
