import { expect, it } from 'vitest';
import { draftOf } from '../model';
import { kindOfVariable, renamed, uses, variableOf } from './variable-edit';

const draft = draftOf({
  variables: { host: { label: 'instance', of: 'up' }, disk: { label: 'device', of: 'x{instance=~"$host"}' } },
  widgets: [
    { title: 'CPU of $host', chart: { queries: [{ expr: 'a{instance=~"${host}"}' }, { expr: 'b{h="$hosts"}' }] } },
    { text: { markdown: '$disk' } },
  ],
});

it('counts where a variable is used', () => {
  expect([uses(draft, 'host'), uses(draft, 'disk'), uses(draft, 'none')]).toEqual([3, 1, 0]);
});
it('renames a variable where it stands and where it is used', () => {
  const after = renamed(draft, 'host', 'machine');
  expect(Object.keys(after.variables!)).toEqual(['machine', 'disk']);
  expect(after.variables!.disk!.of).toBe('x{instance=~"$machine"}');
  expect(after.pieces![0]!.widget).toEqual({
    title: 'CPU of $machine',
    chart: { queries: [{ expr: 'a{instance=~"${machine}"}' }, { expr: 'b{h="$hosts"}' }] },
  });
});
it('keeps what both kinds have when the kind changes', () => {
  const label = { label: 'instance', of: 'up', multi: true, default: 'a' };
  expect(variableOf('values', label)).toEqual({ default: 'a', values: [], multi: true });
  expect(variableOf('text', label)).toEqual({ default: 'a', text: true });
  expect([label, { values: [] }, { text: true }].map(kindOfVariable)).toEqual(['label', 'values', 'text']);
});
