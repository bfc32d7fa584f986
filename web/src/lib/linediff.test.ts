import { describe, expect, it } from 'vitest';
import { parseUnified, sideBySide } from './linediff';

it('reads a unified diff without the headers of its file', () => {
  const diff = '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+++new\n';
  expect(parseUnified(diff)).toEqual([
    { kind: 'hunk', text: '@@ -1,2 +1,2 @@' },
    { kind: 'same', text: 'same' },
    { kind: 'removed', text: 'old' },
    { kind: 'added', text: '++new' },
  ]);
});

describe('sideBySide', () => {
  it('puts what is common level', () => {
    expect(sideBySide('a\nb\nc\n', 'a\nx\nc\n')).toEqual([
      { left: 'a', right: 'a', same: true },
      { left: 'b', right: 'x', same: false },
      { left: 'c', right: 'c', same: true },
    ]);
  });
  it('leaves a gap where one side has more', () => {
    expect(sideBySide('a\nb\nc\nd\n', 'a\nc\nd\ne\n')).toEqual([
      { left: 'a', right: 'a', same: true },
      { left: 'b', same: false },
      { left: 'c', right: 'c', same: true },
      { left: 'd', right: 'd', same: true },
      { right: 'e', same: false },
    ]);
  });
  it('has no lines for two empty texts, and only one side for one', () => {
    expect(sideBySide('', '')).toEqual([]);
    expect(sideBySide('', 'a\n')).toEqual([{ right: 'a', same: false }]);
  });
});
