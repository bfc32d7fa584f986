import { describe, expect, it } from 'vitest';
import type { TypeExpr, Value } from '../../api/packages';
import { atMissing, changesBetween, errorsOf, getAt, hasErrors, isShown, setAt, titleOf, typeAt, unsetAt } from './values';

const rule: Value = { gauge: { expr: 'a', below: { warning: 1 } }, tags: ['x', 'y'] };

describe('a value within an item', () => {
  it('is found by its path, through lists by number', () => {
    expect(getAt(rule, ['gauge', 'below', 'warning'])).toBe(1);
    expect(getAt(rule, ['tags', '1'])).toBe('y');
    expect(getAt(rule, ['tags', '1', 'more'])).toBeUndefined();
    expect(getAt(rule, ['constructor'])).toBeUndefined();
  });
  it('is changed in a copy, making the records on the way', () => {
    expect(setAt(rule, ['gauge', 'above', 'critical'], 9)).toEqual({ ...rule, gauge: { expr: 'a', below: { warning: 1 }, above: { critical: 9 } } });
    expect(setAt(rule, ['tags', '2'], 'z')).toMatchObject({ tags: ['x', 'y', 'z'] });
    expect(rule).toEqual({ gauge: { expr: 'a', below: { warning: 1 } }, tags: ['x', 'y'] });
  });
  it('is taken away in a copy', () => {
    expect(unsetAt(rule, ['gauge', 'below'])).toEqual({ gauge: { expr: 'a' }, tags: ['x', 'y'] });
    expect(unsetAt(rule, ['tags', '0'])).toMatchObject({ tags: ['y'] });
    expect(unsetAt(rule, ['nothing', 'there'])).toEqual(rule);
  });
});

describe('changesBetween', () => {
  it('touches only the fields that differ', () => {
    const after = setAt(setAt(unsetAt(rule, ['gauge', 'below']), ['gauge', 'above'], { warning: 2 }), ['tags', '0'], 'w');
    expect(changesBetween(rule, after)).toEqual({
      set: [
        { field: ['gauge', 'above'], value: { warning: 2 } },
        { field: ['tags', '0'], value: 'w' },
      ],
      unset: [['gauge', 'below']],
    });
  });
  it('adds to the end of a list, or takes one out of it', () => {
    expect(changesBetween(['a', 'b'], ['a', 'b', 'c', 'd']).set).toEqual([{ field: ['2'], value: 'c' }, { field: ['3'], value: 'd' }]);
    expect(changesBetween(rule, unsetAt(rule, ['tags', '0']))).toEqual({ set: [], unset: [['tags', '0']] });
  });
  it('replaces a list that changed in other ways', () => {
    expect(changesBetween({ l: ['a', 'b', 'c'] }, { l: ['x', 'c'] }).set).toEqual([{ field: ['l'], value: ['x', 'c'] }]);
    expect(changesBetween({ l: ['a'] }, { l: [] }).set).toEqual([{ field: ['l'], value: [] }]);
  });
  it('is empty for equal values in another order', () => {
    expect(changesBetween({ a: 1, b: 2 }, { b: 2, a: 1 })).toEqual({ set: [], unset: [] });
  });
});

it('puts an error about a missing field at that field', () => {
  expect(atMissing({ message: '"gauge" needs the key "expr"', field: 'gauge' }).field).toBe('gauge.expr');
  expect(atMissing({ message: 'a rule needs the key "name"', field: '' }).field).toBe('name');
  expect(atMissing({ message: 'wrong', field: 'gauge' }).field).toBe('gauge');
  expect(atMissing({ message: 'the parameter "host" of ping is not given', field: '' }).field).toBe('with.host');
});

it('tells the errors of a field from those below it', () => {
  const errors = [{ message: 'wrong', field: 'gauge.expr' }];
  expect(errorsOf(errors, ['gauge', 'expr'])).toHaveLength(1);
  expect(errorsOf(errors, ['gauge'])).toHaveLength(0);
  expect(hasErrors(errors, ['gauge'])).toBe(true);
  expect(hasErrors(errors, ['gau'])).toBe(false);
});

it('finds the type of what stands at a path', () => {
  const type: TypeExpr = {
    kind: 'record',
    fields: [
      { name: 'steps', kind: 'list', of: { kind: 'record', fields: [{ name: 'do', kind: 'text' }] } },
      { name: 'labels', kind: 'map', of: { kind: 'number' } },
    ],
  };
  expect(typeAt(type, ['steps', '3', 'do'])?.kind).toBe('text');
  expect(typeAt(type, ['labels', 'anything'])?.kind).toBe('number');
  expect(typeAt(type, ['labels', 'anything', 'below'])).toBeUndefined();
});

it('knows what a form has no place for', () => {
  const type: TypeExpr = {
    kind: 'record',
    fields: [
      { name: 'with', kind: 'record', fields: [{ name: 'host', kind: 'host' }] },
      { name: 'to', kind: 'list', one_or_many: true, of: { kind: 'record', fields: [{ name: 'mail', kind: 'email' }] } },
      { name: 'labels', kind: 'map', of: { kind: 'text' } },
    ],
  };
  const shown = (field: string): boolean => isShown(type, field.split('.'));
  expect(['with', 'with.host', 'to.mail', 'to.1.mail', 'labels.x'].map(shown)).toEqual([true, true, true, true, true]);
  expect(['with.hots', 'width', 'to.1.male', 'labels.x.y'].map(shown)).toEqual([false, false, false, false]);
});

it('makes words of a name that has no title', () => {
  expect(titleOf({ name: 'no_data' })).toBe('No data');
  expect(titleOf({ name: 'x', title: 'Across' })).toBe('Across');
});
