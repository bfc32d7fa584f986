import { describe, expect, it } from 'vitest';
import type { Section, TypeExpr } from '../../../api/packages';
import { fileType, suggestionsAt } from './completion';

const levels = { kind: 'record' as const, fields: [{ name: 'warning', kind: 'number' as const }, { name: 'critical', kind: 'number' as const }] };
const rule: TypeExpr = {
  kind: 'record',
  one_of: [['gauge', 'binary']],
  fields: [
    { name: 'title', kind: 'text' },
    { name: 'gauge', kind: 'record', fields: [{ name: 'expr', kind: 'promql', required: true }, { ...levels, name: 'above' }, { ...levels, name: 'below' }] },
    { name: 'binary', kind: 'record', fields: [{ name: 'severity', kind: 'enumeration', values: [{ value: 'warning', help: 'Later' }, { value: 'critical' }] }] },
    { name: 'no_data', kind: 'duration', or: ['never'], default: '5m' },
    { name: 'steps', kind: 'list', of: { kind: 'record', fields: [{ name: 'do', kind: 'text' }, { name: 'dry', kind: 'boolean' }] } },
    { name: 'note', kind: 'markdown' },
  ],
};
/** The labels suggested where `^` stands. */
function at(text: string, type = rule): string[] {
  const offset = text.indexOf('^');
  return suggestionsAt(text.replace('^', ''), offset, type)?.list.map(({ label }) => label) ?? [];
}

describe('fields', () => {
  it('are those of the record at that depth, without those that are there', () => {
    expect(at('title: x\n^')).toEqual(['gauge', 'binary', 'no_data', 'steps', 'note']);
    expect(at('gauge:\n  ^\ntitle: x')).toEqual(['expr', 'above', 'below']);
    expect(at('gauge:\n  expr: a\n  below:\n    wa^')).toEqual(['warning', 'critical']);
    expect(at('gauge:\n  ^\n  expr: a')).toEqual(['above', 'below']);
  });
  it('of the other kinds are not offered once a kind is chosen', () => {
    expect(at('gauge: {}\n^')).toEqual(['title', 'no_data', 'steps', 'note']);
  });
  it('are known within brackets', () => {
    expect(at('gauge: {expr: "a, b", ^')).toEqual(['above', 'below']);
    expect(at('gauge: {expr: a, below: {warning: 1, ^')).toEqual(['critical']);
    expect(at('gauge: {expr: a, below: {warning: 1}, ^')).toEqual(['above']);
  });
  it('are known within items of lists, also when the list stands at the column of its key', () => {
    expect(at('steps:\n  - ^')).toEqual(['do', 'dry']);
    expect(at('steps:\n- do: x\n- ^')).toEqual(['do', 'dry']);
    expect(at('steps:\n  - do: x\n    ^')).toEqual(['dry']);
  });
  it('replace the word that was begun', () => {
    const text = 'gauge:\n  ab';
    expect(suggestionsAt(text, text.length, rule)?.from).toBe(text.length - 2);
  });
});

describe('values', () => {
  it('are the words of an enumeration, with their help', () => {
    const text = 'binary:\n  severity: w';
    const found = suggestionsAt(text, text.length, rule);
    expect(found?.list[0]).toMatchObject({ label: 'warning', info: 'Later' });
    expect(found?.from).toBe(text.length - 1);
    expect(at('binary: {severity: ^')).toEqual(['warning', 'critical']);
  });
  it('are words beside the type, and the default', () => {
    expect(at('no_data: ^')).toEqual(['never', '5m']);
    expect(at('steps:\n  - dry: ^')).toEqual(['true', 'false']);
  });
});

describe('nothing is suggested', () => {
  it('in a comment', () => expect(at('title: x # no^')).toEqual([]));
  it('in a block of text', () => expect(at('note: |\n  gauge\n  ^')).toEqual([]));
  it('where a text may be anything', () => expect(at('title: so^')).toEqual([]));
});

it('knows a whole file by its sections', () => {
  const section: Section = { name: 'rules', item: 'rule', title: 'Rules', shape: 'tree', indexes: [{ name: 'group', kind: 'text' }, { name: 'name', kind: 'text' }], fields: rule.fields! };
  const file = fileType([section]);
  expect(at('package: x\n^', file)).toEqual(['version', 'title', 'help', 'rules']);
  expect(at('rules:\n  disk:\n    full:\n      gauge:\n        ^', file)).toEqual(['expr', 'above', 'below']);
});
