import { expect, it } from 'vitest';
import { around, layered, type Edge, type GraphNode } from './graph';

const node = (id: string): GraphNode => ({ id, kind: 'rules', title: id });
const edge = (text: string): Edge => ({ from: text[0]!, to: text[1]! });
const layerOf = (nodes: string, edges: string[]) =>
  Object.fromEntries(layered([...nodes].map(node), edges.map(edge)).map(({ id, layer }) => [id, layer]));

it('puts what depends on something to the left of it', () => {
  expect(layerOf('abcd', ['ab', 'bc', 'ac'])).toEqual({ a: 0, b: 1, c: 2, d: 2 });
});
it('comes to an end with circles', () => {
  const layers = layerOf('abc', ['ab', 'ba', 'bc', 'cc']);
  expect(Object.keys(layers).sort()).toEqual(['a', 'b', 'c']);
  expect(layers.c).toBeGreaterThan(layers.b!);
});
it('uncrosses lines', () => {
  const placed = layered([...'abxy'].map(node), ['ay', 'bx'].map(edge));
  const row = (id: string) => placed.find((one) => one.id === id)!.row;
  expect(Math.sign(row('a') - row('b'))).toBe(Math.sign(row('y') - row('x')));
});
it('cuts out what hangs together with one', () => {
  const nodes = [...'abcde'].map(node);
  const found = around(nodes, ['ab', 'bc', 'db'].map(edge), 'b');
  expect(found.nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  expect(around(nodes, ['ab', 'bc', 'ce'].map(edge), 'a').nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'e']);
  expect(around(nodes, ['ac', 'bc'].map(edge), 'a').nodes.map(({ id }) => id)).toEqual(['a', 'c']);
  expect(around(nodes, [], 'unknown').nodes).toHaveLength(5);
});
