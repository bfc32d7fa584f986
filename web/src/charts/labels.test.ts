import { expect, it } from 'vitest';
import { placeLabels } from './labels';

const room = { top: 0, bottom: 100, size: 10, gap: 2 };

it('puts words over their line', () => {
  expect(placeLabels([30, 60], room)).toEqual([18, 48]);
});

it('puts words under the line where another line is close above', () => {
  expect(placeLabels([30, 33], room)).toEqual([18, 35]);
});

it('puts words under a line at the upper end', () => {
  expect(placeLabels([3], room)).toEqual([5]);
});

it.each([[[50, 51, 52, 53]], [[10, 10, 10]], [[5, 20, 22, 24, 60]], [[0, 1]]])('never puts words of %j over one another', (lines) => {
  const placed = placeLabels(lines, room).map((at) => at!);
  for (let i = 1; i < placed.length; i += 1) expect(placed[i]! - placed[i - 1]!).toBeGreaterThanOrEqual(room.size);
});

it('leaves words out that the chart has no room for', () => {
  expect(placeLabels([97, 98, 99], room)).toEqual([85, undefined, undefined]);
});
