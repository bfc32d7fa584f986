import { expect, it } from 'vitest';
import type { Section } from '../../../api/packages';
import { pagesOf } from './pages';

const section: Section = { name: 'rules', item: 'rule', title: 'Rules', shape: 'tree', indexes: [], fields: ['a', 'b', 'c', 'd'].map((name) => ({ name, kind: 'text' })) };

it('puts all fields on one page where a schema says nothing', () => {
  expect(pagesOf(section)).toEqual([{ name: '', title: 'Fields', sets: [{ name: '', title: '', page: '', fields: ['a', 'b', 'c', 'd'] }] }]);
});

it('makes pages of field sets, and hides no field', () => {
  const pages = pagesOf({ ...section, field_sets: [{ name: 'x', title: 'X', page: 'First', fields: ['a'] }, { name: 'y', title: 'Y', fields: ['b'] }, { name: 'z', page: 'Last', fields: ['c'] }] });
  expect(pages.map(({ title, sets }) => [title, sets.map(({ fields }) => fields)])).toEqual([
    ['First', [['a'], ['b']]],
    ['Last', [['c'], ['d']]],
  ]);
});
