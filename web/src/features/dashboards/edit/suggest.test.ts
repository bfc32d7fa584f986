import { expect, it } from 'vitest';
import { suggestions, wordAt } from './suggest';

it('knows the name that is being written', () => {
  expect(wordAt('rate(node_cp', 12)).toEqual({ from: 5, word: 'node_cp' });
  expect(wordAt('node_cpu + x', 8)).toEqual({ from: 0, word: 'node_cpu' });
});
it('keeps quiet within braces, quotes and variables, and for single letters', () => {
  for (const text of ['up{inst', 'up{a="no', 'up{a="x"} * $ins', 'u', '5 + ']) expect(wordAt(text, text.length)).toBeUndefined();
  expect(wordAt('up{a="b"} + node', 16)).toEqual({ from: 12, word: 'node' });
});
it('offers what begins so before what holds it', () => {
  expect(suggestions(['node_load1', 'my_node', 'node', 'other'], 'node')).toEqual(['node_load1', 'my_node']);
});
