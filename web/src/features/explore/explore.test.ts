import { describe, expect, it } from 'vitest';
import { findPast, mostKept, readPast, remember } from './history';
import { instantRows, labelColumns, rangeRows, sorted } from './table';
import { letterOf, stepTaken, viewFromQuery, viewToQuery, type ExploreView } from './view';

describe('the address', () => {
  const view: ExploreView = {
    queries: [{ expr: 'sum by (a) (\n  rate(x[5m])\n)', hidden: false }, { expr: 'up # all', hidden: true }],
    step: 90,
    lookback: 5,
    show: 'table',
    values: 'range',
    sort: 'down',
  };
  it('reproduces the view', () => {
    expect(viewFromQuery(viewToQuery(view))).toEqual(view);
  });
  it('says nothing of what is as usual', () => {
    const usual = viewFromQuery({ q: 'up' });
    expect(usual).toEqual({ queries: [{ expr: 'up', hidden: false }], step: undefined, lookback: undefined, show: 'both', values: 'instant', sort: undefined });
    expect(Object.entries(viewToQuery(usual)).filter(([, value]) => value !== undefined)).toEqual([['q', 'up']]);
  });
  it('keeps queries apart although one holds blank lines', () => {
    const query = viewToQuery({ ...view, queries: [{ expr: 'a\n \n\n+ b', hidden: false }, { expr: '  ', hidden: true }, { expr: 'c', hidden: true }] });
    expect(query).toMatchObject({ q: 'a\n+ b\n\nc', hidden: '2' });
  });
  it('ignores what is not sound', () => {
    expect(viewFromQuery({ q: 'up', step: 'often', lookback: '0', show: 'all', sort: 'x', hidden: 'a,7' })).toEqual(viewFromQuery({ q: 'up' }));
  });
});

it('takes a step that gives too many points as fine as it can', () => {
  expect(stepTaken(1, 3600)).toBe(1);
  expect(stepTaken(1, 604_800)).toBe(55);
  expect(stepTaken(undefined, 604_800)).toBeUndefined();
});

it('names queries by letters', () => {
  expect([0, 25, 26, 52].map(letterOf)).toEqual(['A', 'Z', 'AA', 'BA']);
});

describe('the history', () => {
  it('has each query once, the newest first, and not too many', () => {
    const past = remember([{ expr: 'a', at: 1 }, { expr: 'b', at: 2 }], ['b', ' c ', 'c', ''], 3);
    expect(past).toEqual([{ expr: 'b', at: 3 }, { expr: 'c', at: 3 }, { expr: 'a', at: 1 }]);
    expect(remember(past, Array.from({ length: 300 }, (_, i) => `x${i}`), 4)).toHaveLength(mostKept);
  });
  it('survives what is not sound', () => {
    expect(readPast('{')).toEqual([]);
    expect(readPast(null)).toEqual([]);
    expect(readPast('[1, null, {"expr":"a","at":1}]')).toEqual([{ expr: 'a', at: 1 }]);
  });
  it('is searched by all words', () => {
    expect(findPast([{ expr: 'rate(Node_cpu[5m])', at: 1 }, { expr: 'node_load1', at: 2 }], 'node rate').map(({ at }) => at)).toEqual([1]);
  });
});

describe('the table', () => {
  it('shows every type of value', () => {
    expect(instantRows({ type: 'scalar', result: [1, '+Inf'] })).toEqual([{ labels: {}, value: Infinity, text: '+Inf' }]);
    expect(instantRows({ type: 'string', result: [1, 'words'] })[0]).toMatchObject({ text: 'words', value: NaN });
    expect(instantRows({ type: 'matrix', result: [{ metric: { a: 'b' }, values: [[1, '2'], [2, '3']] }] })[0]).toMatchObject({ value: 3, samples: [[1, '2'], [2, '3']] });
  });
  it('tells of a range its extremes without what is no number', () => {
    expect(rangeRows([{ metric: {}, values: [[1, '4'], [2, 'NaN'], [3, '2']] }])[0]).toMatchObject({ points: 3, min: 2, max: 4, avg: 3, last: 2 });
  });
  it('is sorted by value, with what is no number last either way', () => {
    const rows = [1, NaN, 3].map((value) => ({ value }));
    expect(sorted(rows, 'down').map(({ value }) => value)).toEqual([3, 1, NaN]);
    expect(sorted(rows, 'up').map(({ value }) => value)).toEqual([1, 3, NaN]);
    expect(sorted(rows, undefined)).toEqual(rows);
  });
  it('has a column for each label, unless they are too many', () => {
    expect(labelColumns([{ b: '1', __name__: 'x' }, { a: '2' }])).toEqual(['__name__', 'a', 'b']);
    expect(labelColumns([Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`l${i}`, 'x']))])).toBeUndefined();
  });
});
