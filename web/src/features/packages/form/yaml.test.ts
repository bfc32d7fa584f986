import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { Value } from '../../../api/packages';
import { toYaml } from './emit';
import { placeOfPath, readYaml } from './yamlvalue';

const values: Value[] = [
  { a: 1, b: 'text', c: [1, 'x', { d: true, e: [] }], f: {}, g: null },
  [[1, 2], ['three']],
  { odd: ['yes', '1.5', '', ' lead', 'a: b', 'a #b', '{x}', "it's", '*', 'no', '- x', '{{ $value }}', 'tab\there', '2026-01-01', '---'] },
  { text: 'two\nlines\n', cut: 'two\nlines', deep: { list: ['a\nb\n', 'c'] } },
  { 'odd key: x': 1, '12': 2, true: 3 },
  'alone',
  -1.5,
];

describe('a value written as YAML', () => {
  it.each(values)('is read back as the same by another reader: %j', (value) => {
    expect(parse(toYaml(value))).toEqual(value);
  });
  it.each(values)('is read back as the same by this one: %j', (value) => {
    expect(readYaml(toYaml(value))).toEqual({ value });
  });
});

describe('readYaml', () => {
  it('reads what people write', () => {
    const text = "route: {receiver: ops, continue: true}  # all\nmatchers:\n- 'a=\"b\"'\n- \"c\\n\"\nnote: >\n  one\n  two\n";
    expect(readYaml(text)).toEqual({ value: parse(text) as Value });
  });
  it('says where it cannot read on', () => {
    expect(readYaml('a: 1\nb: {c: 1\n')).toMatchObject({ line: expect.any(Number) as number });
    expect(readYaml('a: 1\na: 2\n')).toEqual({ error: '"a" stands here twice', line: 2, column: 1 });
    expect(readYaml('a: *other\n')).toMatchObject({ error: expect.stringContaining('YAML view') as string });
  });
  it('reads nothing as nothing', () => {
    expect(readYaml('')).toEqual({ value: null });
    expect(readYaml('# only words\n')).toEqual({ value: null });
  });
});

it('finds where a field stands', () => {
  const text = 'a: 1\n# words\ngauge:\n  expr: x\n  below: {warning: 1}\nlist:\n- one\n- two: 2\n';
  expect(placeOfPath(text, ['gauge', 'below', 'warning'])).toEqual({ line: 5, column: 11 });
  expect(placeOfPath(text, ['list', '1', 'two'])).toEqual({ line: 8, column: 3 });
  expect(placeOfPath(text, ['gauge', 'above'])).toEqual({ line: 3, column: 1 });
  expect(placeOfPath(text, ['none'])).toBeUndefined();
});
