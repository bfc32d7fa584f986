import { expect, it } from 'vitest';
import { columnsOf, headOf, rowsOf, sortRows } from './rows';

const found = [
  { query: 0, labels: { __name__: 'a', instance: 'h2', job: 'node' }, value: 1 },
  { query: 0, labels: { __name__: 'a', instance: 'h10', job: 'node' }, value: 3 },
  { query: 1, labels: { __name__: 'b', job: 'node', instance: 'h2' }, value: 7 },
];

it('joins the values of queries whose labels are the same', () => {
  const rows = rowsOf(found, 2);
  expect(rows.map(({ labels, values }) => [labels.instance, ...values])).toEqual([['h2', 1, 7], ['h10', 3, undefined]]);
});
it('leaves out labels that are the same everywhere', () => {
  expect(columnsOf(rowsOf(found, 2))).toEqual(['instance']);
  expect(columnsOf(rowsOf(found.slice(0, 1), 1))).toEqual(['instance', 'job']);
});
it('sorts by words and by numbers, what has none last', () => {
  const rows = rowsOf(found, 2);
  const names = (column: string, descending: boolean) => sortRows(rows, { column, descending }).map(({ labels }) => labels.instance);
  expect(names('instance', false)).toEqual(['h2', 'h10']);
  expect(names('#0', true)).toEqual(['h10', 'h2']);
  expect(names('#1', true)).toEqual(['h2', 'h10']);
  expect(names('#1', false)).toEqual(['h2', 'h10']);
});
it('heads a column with the words of its query', () => {
  expect([headOf({ expr: 'a' }, 0, 1), headOf({ expr: 'a' }, 1, 2), headOf({ expr: 'a', legend: 'used {{x}}' }, 0, 2)]).toEqual(['value', 'query 2', 'used']);
});
