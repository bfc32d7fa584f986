import { expect, it } from 'vitest';
import type { EffectiveField } from '../../../api/packages';
import { placesLinked, startOf } from './linked';

const field = (name: string, how: EffectiveField['from']['how']): EffectiveField => ({ field: name, value: 'x', from: { how } });

it('finds what is linked, with the records around it, and nothing that is written or a default', () => {
  const fields = [field('gauge.below.warning', 'link'), field('for', 'written'), field('gauge.hysteresis', 'default'), field('title', 'link')];
  expect([...placesLinked(fields)]).toEqual(['gauge', 'gauge.below', 'gauge.below.warning', 'title']);
});

it('begins with the linked value where it is one', () => {
  expect(startOf({ kind: 'number' }, '0.1')).toBe(0.1);
  expect(startOf({ kind: 'duration' }, '2m')).toBe('2m');
  expect(startOf({ kind: 'boolean' }, 'false')).toBe(false);
});

it('begins anew where the value is told in one line only, or is not told', () => {
  expect(startOf({ kind: 'map' }, 'team storage')).toEqual({});
  expect(startOf({ kind: 'list' }, 'a, b')).toEqual([]);
  expect(startOf({ kind: 'secret' }, '••••')).toBe('');
});
