import type { At, Widget, WidgetKind } from '../../api/dashboards';

/** The grid: 24 columns, rows of 30 px; everything is pulled upwards, as far as nothing is in its way. */
export const columns = 24;
export const rowHeight = 30;

export interface Box extends At {
  key: string;
}

const sizes: Record<WidgetKind, { w: number; h: number }> = {
  chart: { w: 12, h: 9 },
  stat: { w: 6, h: 4 },
  gauge: { w: 6, h: 7 },
  table: { w: 12, h: 9 },
  states: { w: 12, h: 6 },
  logs: { w: 24, h: 10 },
  alerts: { w: 12, h: 9 },
  topology: { w: 24, h: 14 },
  text: { w: 8, h: 5 },
  page: { w: 24, h: 16 },
};
const smallest = { w: 2, h: 2 };

export function defaultSize(kind: WidgetKind | undefined): { w: number; h: number } {
  return kind ? sizes[kind] : { w: 12, h: 6 };
}

const whole = (value: number | undefined, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? Math.round(value) : fallback;

/** A place within the grid, whatever was written; what is missing is taken from the kind. */
export function soundPlace(at: Widget['at'], kind: WidgetKind | undefined): At {
  const size = defaultSize(kind);
  const w = Math.min(columns, Math.max(smallest.w, whole(at?.w, size.w)));
  const h = Math.min(200, Math.max(smallest.h, whole(at?.h, size.h)));
  const x = Math.min(columns - w, Math.max(0, whole(at?.x, 0)));
  return { x, y: Math.max(0, whole(at?.y, 0)), w, h };
}

export function overlap(a: At, b: At): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** From top to bottom, from left to right: the order of reading, of Tab, and of the phone. */
export function inOrder<T extends At>(boxes: T[]): T[] {
  return [...boxes].sort((a, b) => a.y - b.y || a.x - b.x);
}

/** Each box as high up as it gets; `first` keeps its place before those that it overlaps. */
export function settle<T extends Box>(boxes: T[], first?: string): T[] {
  const order = inOrder(boxes);
  if (first !== undefined) {
    // Where two begin in the same row, the one that was moved has the right of way.
    order.sort((a, b) => a.y - b.y || Number(b.key === first) - Number(a.key === first) || a.x - b.x);
  }
  const placed: T[] = [];
  for (const box of order) {
    let y = box.y;
    const hits = (at: number): boolean => placed.some((other) => overlap({ ...box, y: at }, other));
    while (hits(y)) y += 1;
    while (y > 0 && !hits(y - 1)) y -= 1;
    placed.push({ ...box, y });
  }
  const byKey = new Map(placed.map((box) => [box.key, box]));
  return boxes.map((box) => byKey.get(box.key)!);
}

/** The row below everything. */
export function bottom(boxes: At[]): number {
  return boxes.reduce((lowest, { y, h }) => Math.max(lowest, y + h), 0);
}

/** Where something new goes: in the first gap of the last rows that is wide enough, pulled upwards, else below. */
export function placeFor(boxes: At[], size: { w: number; h: number }): At {
  const low = bottom(boxes);
  const isFree = (at: At): boolean => !boxes.some((other) => overlap(at, other));
  for (let y = Math.max(0, low - size.h); y < low; y += 1) {
    for (let x = 0; x + size.w <= columns; x += 1) {
      const at = { x, y, ...size };
      if (!isFree(at)) continue;
      while (at.y > 0 && isFree({ ...at, y: at.y - 1 })) at.y -= 1;
      return at;
    }
  }
  return { x: 0, y: low, ...size };
}

export type Direction = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';

/** One step by keyboard. Up goes past the box above; down past the one below. */
export function nudge<T extends Box>(boxes: T[], key: string, direction: Direction, resize: boolean): T[] {
  const box = boxes.find((candidate) => candidate.key === key);
  if (!box) return boxes;
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[direction] as [number, number];
  let wanted: At;
  if (resize) {
    const w = Math.min(columns - box.x, Math.max(smallest.w, box.w + dx));
    wanted = { x: box.x, y: box.y, w, h: Math.max(smallest.h, box.h + dy) };
  } else {
    const x = Math.min(columns - box.w, Math.max(0, box.x + dx));
    wanted = { x, y: dy === 0 ? box.y : nextRow(boxes, box, dy), w: box.w, h: box.h };
  }
  return settle(boxes.map((other) => (other.key === key ? { ...other, ...wanted } : other)), key);
}

/** Things are pulled up, so a step of one row would fall back: it goes to the next edge of a neighbour. */
function nextRow(boxes: Box[], box: Box, dy: number): number {
  const neighbours = boxes.filter((other) => other.key !== box.key && other.x < box.x + box.w && box.x < other.x + other.w);
  if (dy < 0) {
    const above = neighbours.filter((other) => other.y < box.y).map((other) => other.y);
    return above.length > 0 ? Math.max(...above) : Math.max(0, box.y - 1);
  }
  const below = neighbours.filter((other) => other.y + other.h > box.y + box.h).map((other) => other.y + other.h - box.h);
  return below.length > 0 ? Math.max(box.y + 1, Math.min(...below.map((y) => y)) + box.h) : box.y + 1;
}
