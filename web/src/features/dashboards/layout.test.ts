import { describe, expect, it } from 'vitest';
import { bottom, inOrder, nudge, overlap, placeFor, settle, soundPlace, type Box } from './layout';

const box = (key: string, x: number, y: number, w: number, h: number): Box => ({ key, x, y, w, h });
const place = (boxes: Box[], key: string) => {
  const { x, y, w, h } = boxes.find((one) => one.key === key)!;
  return [x, y, w, h];
};

it('takes a place that was not written from the kind, and keeps it within the grid', () => {
  expect(soundPlace(undefined, 'stat')).toEqual({ x: 0, y: 0, w: 6, h: 4 });
  expect(soundPlace({ x: 20, y: -3, w: 12, h: 0 }, 'chart')).toEqual({ x: 12, y: 0, w: 12, h: 2 });
  expect(soundPlace({ x: 0, y: 0, w: 99, h: 3.4 }, 'chart')).toEqual({ x: 0, y: 0, w: 24, h: 3 });
});

describe('settling', () => {
  it('pulls boxes up as far as nothing is in their way', () => {
    const boxes = settle([box('a', 0, 3, 12, 4), box('b', 0, 20, 6, 2), box('c', 12, 9, 12, 4)]);
    expect([place(boxes, 'a'), place(boxes, 'b'), place(boxes, 'c')]).toEqual([[0, 0, 12, 4], [0, 4, 6, 2], [12, 0, 12, 4]]);
  });
  it('never leaves two boxes on one another, nor changes a size or the order of the list', () => {
    const boxes = [box('a', 0, 0, 12, 4), box('b', 6, 2, 12, 4), box('c', 0, 1, 24, 2), box('d', 3, 3, 4, 9)];
    const settled = settle(boxes);
    expect(settled.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
    settled.forEach((one, i) => {
      expect([one.w, one.h, one.x]).toEqual([boxes[i]!.w, boxes[i]!.h, boxes[i]!.x]);
      for (const other of settled) if (other !== one) expect(overlap(one, other)).toBe(false);
    });
  });
  it('leaves alone what is settled', () => {
    const boxes = [box('a', 0, 0, 12, 4), box('b', 12, 0, 12, 4), box('c', 0, 4, 24, 4)];
    expect(settle(boxes)).toEqual(boxes);
  });
});

describe('a step by keyboard', () => {
  const boxes = [box('a', 0, 0, 12, 4), box('b', 12, 0, 12, 4), box('c', 0, 4, 12, 4)];
  it('moves aside and not beyond the edge', () => {
    expect(place(nudge(boxes, 'a', 'ArrowLeft', false), 'a')).toEqual([0, 0, 12, 4]);
    expect(place(nudge([box('a', 0, 0, 4, 4)], 'a', 'ArrowRight', false), 'a')).toEqual([1, 0, 4, 4]);
  });
  it('up changes places with the box above', () => {
    const moved = nudge(boxes, 'c', 'ArrowUp', false);
    expect([place(moved, 'c'), place(moved, 'a')]).toEqual([[0, 0, 12, 4], [0, 4, 12, 4]]);
  });
  it('down changes places with the box below', () => {
    const moved = nudge(boxes, 'a', 'ArrowDown', false);
    expect([place(moved, 'a'), place(moved, 'c')]).toEqual([[0, 4, 12, 4], [0, 0, 12, 4]]);
  });
  it('resizes, and pushes down what is in the way', () => {
    const taller = nudge(boxes, 'a', 'ArrowDown', true);
    expect([place(taller, 'a'), place(taller, 'c')]).toEqual([[0, 0, 12, 5], [0, 5, 12, 4]]);
    const wider = nudge(boxes, 'a', 'ArrowRight', true);
    expect(place(wider, 'a')).toEqual([0, 0, 13, 4]);
    expect(place(wider, 'b')).toEqual([12, 4, 12, 4]);
  });
  it('does not make a box smaller than two by two', () => {
    expect(place(nudge([box('a', 0, 0, 2, 2)], 'a', 'ArrowLeft', true), 'a')).toEqual([0, 0, 2, 2]);
    expect(place(nudge([box('a', 0, 0, 2, 2)], 'a', 'ArrowUp', true), 'a')).toEqual([0, 0, 2, 2]);
  });
});

it('puts what is new into a gap of the last rows, else below', () => {
  expect(placeFor([], { w: 12, h: 4 })).toEqual({ x: 0, y: 0, w: 12, h: 4 });
  expect(placeFor([box('a', 0, 0, 12, 4)], { w: 12, h: 4 })).toEqual({ x: 12, y: 0, w: 12, h: 4 });
  expect(placeFor([box('a', 0, 0, 18, 4)], { w: 12, h: 4 })).toEqual({ x: 0, y: 4, w: 12, h: 4 });
  // Beside a higher box it stands where the grid pulls it to.
  expect(placeFor([box('a', 0, 0, 12, 9)], { w: 12, h: 6 })).toEqual({ x: 12, y: 0, w: 12, h: 6 });
  expect(placeFor([box('a', 0, 0, 12, 9), box('b', 12, 0, 12, 2)], { w: 12, h: 6 })).toEqual({ x: 12, y: 2, w: 12, h: 6 });
  expect(bottom([box('a', 0, 2, 1, 3), box('b', 0, 0, 1, 2)])).toBe(5);
});
it('reads boxes from top to bottom, from left to right', () => {
  expect(inOrder([box('c', 0, 4, 1, 1), box('b', 5, 0, 1, 1), box('a', 0, 0, 1, 1)]).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
});
