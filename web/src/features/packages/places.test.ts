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
  it('else in its file at the line', () => {
    expect(addressOf({ message: 'm', file: 'host/rules.yaml', line: 3, column: 5 })).toEqual({ path: ['packages', 'host'], query: { file: 'rules.yaml', line: '3', column: '5' } });
  });
  it('else at its package, if that is known', () => {
    expect(addressOf({ message: 'm' }, 'host')).toEqual({ path: ['packages', 'host'], query: {} });
    expect(addressOf({ message: 'm' })).toBeUndefined();
  });
});
