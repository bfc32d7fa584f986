import { describe, expect, it } from 'vitest';
import { pageAddress, partBelow } from './pageaddress';

const root = new URL('http://tower.example:2461/');

it('takes a page along and finds it again, with what it was asked and the place in it', () => {
  const address = 'http://tower.example:2461/p/wall/room/duty?host=the%20pier&x=1#below';
  expect(partBelow(root, address)).toBe('wall/room/duty?host=the%20pier&x=1#below');
  expect(pageAddress(root, partBelow(root, address)!)).toBe(address);
});

it('works below a path of its own', () => {
  const below = new URL('https://example.org/tower/');
  expect(partBelow(below, 'https://example.org/tower/p/wall/')).toBe('wall/');
  expect(pageAddress(below, 'wall/')).toBe('https://example.org/tower/p/wall/');
  expect(pageAddress(below, '../../p/wall/')).toBeUndefined();
});

it('takes the list of all pages for the address that names none', () => {
  expect(partBelow(root, 'http://tower.example:2461/p/')).toBe('');
  expect(pageAddress(root, '')).toBe('http://tower.example:2461/p/');
});

it('takes nothing along that is no page', () => {
  expect(partBelow(root, 'http://tower.example:2461/')).toBeUndefined();
  expect(partBelow(root, 'http://tower.example:2461/packages')).toBeUndefined();
  expect(partBelow(root, 'http://elsewhere.example/p/wall/')).toBeUndefined();
});

describe('leads nowhere else', () => {
  it.each([
    '.', './', '..', '../', '../api/atalaya/v1/hosts', 'wall/../../index.html', 'wall/%2e%2e/%2E%2E/x', '-/query?query=up', './-/alerts',
    '/', '/evil.example', '//evil.example/x', '\\\\evil.example/x', '/\\evil.example', '?to=x', '#/settings',
  ])('by %j', (part) => {
    expect(pageAddress(root, part)).toBeUndefined();
  });
  it('by an address of another scheme or host: it is a path here', () => {
    expect(pageAddress(root, 'javascript:alert(1)')).toBe('http://tower.example:2461/p/javascript:alert(1)');
    expect(pageAddress(root, 'https://evil.example/')).toBe('http://tower.example:2461/p/https://evil.example/');
  });
});
