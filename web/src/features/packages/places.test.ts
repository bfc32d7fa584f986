import { describe, expect, it } from 'vitest';
import { addressOf, qualified, withinPackage } from './places';

it('names a file with and without its package', () => {
  expect(qualified('host', 'package.yaml')).toBe('host/package.yaml');
  expect(qualified('host', 'host/package.yaml')).toBe('host/package.yaml');
  expect(withinPackage('host', 'host/scripts/x.py')).toBe('scripts/x.py');
  expect(withinPackage('host', '/var/lib/atalaya/packages/default/host/package.yaml')).toBe('package.yaml');
});

describe('an error is opened', () => {
  it('at its item', () => {
    expect(addressOf({ message: 'm', package: 'host', section: 'rules', path: ['disk', 'full'], file: 'host/package.yaml', line: 3 })).toEqual({
      path: ['packages', 'host', 'rules', 'disk', 'full'],
      query: {},
    });
  });
  it('at the field that is wrong, and at the one that is missing', () => {
    const error = { message: '"x" is no duration', package: 'host', section: 'rules', path: ['disk', 'full'], field: 'gauge.for' };
    expect(addressOf(error)?.query).toEqual({ field: 'gauge.for' });
    expect(addressOf({ ...error, field: 'gauge', message: '"gauge" needs the key "expr"' })?.query).toEqual({ field: 'gauge.expr' });
    expect(addressOf({ ...error, field: '' })?.query).toEqual({});
  });
  it('in the section where that is one document', () => {
    expect(addressOf({ message: 'm', package: 'site', section: 'alertmanager', path: [], field: 'route' })).toEqual({
      path: ['packages', 'site', 'alertmanager'],
      query: { field: 'route' },
    });
  });
  it('else in its file at the line', () => {
    expect(addressOf({ message: 'm', file: 'host/rules.yaml', line: 3, column: 5 })).toEqual({ path: ['packages', 'host'], query: { file: 'rules.yaml', line: '3', column: '5' } });
  });
  it('else at its package, if that is known', () => {
    expect(addressOf({ message: 'm' }, 'host')).toEqual({ path: ['packages', 'host'], query: {} });
    expect(addressOf({ message: 'm' })).toBeUndefined();
  });
});
