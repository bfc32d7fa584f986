import { expect, it } from 'vitest';
import { merge } from './merge';

const base = 'a\nb\nc\nd\ne\n';

it('takes the changes of both', () => {
  expect(merge(base, '# words\na\nb\nc\nd\ne\n', 'a\nb\nc\nD\ne\n')).toBe('# words\na\nb\nc\nD\ne\n');
  expect(merge(base, 'a\nc\nd\ne\n', 'a\nb\nc\nd\ne\nf\n')).toBe('a\nc\nd\ne\nf\n');
});

it('makes an equal change once', () => {
  expect(merge(base, 'a\nb\nC\nd\ne\n', 'a\nb\nC\nd\ne\n')).toBe('a\nb\nC\nd\ne\n');
});

it('leaves it to people where both touched the same', () => {
  expect(merge(base, 'a\nB\nc\nd\ne\n', 'a\nBB\nc\nd\ne\n')).toBeUndefined();
  expect(merge(base, 'a\nB\nc\nd\ne\n', 'a\nb\nC\nd\ne\n')).toBeUndefined();
});
