import { expect, it } from 'vitest';
import { groupEntries } from './groups';

const entry = (id: string, title = '') => {
  const [owner = '', ...path] = id.split('/');
  return { id, package: owner, path, title };
};
const entries = [entry('site/b/two'), entry('host/machines/overview', 'Machines'), entry('host/machines/disks', 'Disks'), entry('site/lone')];
const shape = (stars: string[], text: string) =>
  groupEntries(entries, stars, text).map((group) => [group.key, ...group.entries.map(({ id }) => id)]);

it('stands by package and group, by title within', () => {
  expect(shape([], '')).toEqual([
    ['host/machines', 'host/machines/disks', 'host/machines/overview'],
    ['site/', 'site/lone'],
    ['site/b', 'site/b/two'],
  ]);
});
it('has the starred at the top, and at their place too', () => {
  expect(shape(['site/lone', 'gone'], '')[0]).toEqual(['', 'site/lone']);
  expect(shape(['site/lone'], '')).toHaveLength(4);
});
it('finds by title, id and help', () => {
  expect(shape([], 'machi')).toEqual([['host/machines', 'host/machines/disks', 'host/machines/overview']]);
  expect(shape([], 'two')).toEqual([['site/b', 'site/b/two']]);
  expect(shape([], 'zzz')).toEqual([]);
});
