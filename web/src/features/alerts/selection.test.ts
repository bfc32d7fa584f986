import { beforeEach, describe, expect, it } from 'vitest';
import type { Alert } from '../../api/types';
import { Selection } from './selection.svelte';

const rows = ['a', 'b', 'c', 'd'].map(
  (id): Alert => ({ id, name: id, state: 'firing', severity: 'critical', labels: {}, started: 0 }),
);
let selection: Selection<Alert>;
const chosen = (): string => selection.of(rows).map(({ id }) => id).join('');

describe('what is chosen', () => {
  beforeEach(() => void (selection = new Selection()));
  it('goes from the row chosen last to the other end of a range, up or down', () => {
    selection.toggle('c');
    selection.extend(rows, 'a');
    expect(chosen()).toBe('abc');
    selection.extend(rows, 'd');
    expect(chosen()).toBe('abcd');
  });
  it('begins with the row itself where none was chosen before', () => {
    selection.extend(rows, 'b');
    selection.extend(rows, 'b');
    expect(chosen()).toBe('b');
  });
  it('loses what is no longer in the list, so that nothing is done to it unseen', () => {
    selection.setAll(rows, true);
    selection.keep(rows.slice(0, 2));
    expect(selection.size).toBe(2);
    expect(chosen()).toBe('ab');
  });
});
