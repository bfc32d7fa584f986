/**
 * Columns of numbers against one rising time column, as charts want them: null is a gap, undefined
 * means that the row belongs to other series and the line goes on through it.
 */
export type Cell = number | null | undefined;
export type Column = Cell[];

export interface LoadedSeries {
  key: string;
  points: [time: number, value: number][];
}

interface Slot {
  column: Column;
  /** Time of its newest value. */
  last: number;
}

/**
 * The points of one chart: rows appended at the end, the oldest dropped by capacity or by age. A
 * series that was silent for more than `gap` seconds gets a null where the silence was.
 */
export class SeriesTable {
  times: number[] = [];
  private slots = new Map<string, Slot>();

  constructor(
    private readonly gap: number,
    private readonly capacity = 20_000,
  ) {}

  get keys(): string[] {
    return [...this.slots.keys()];
  }

  get lastTime(): number | undefined {
    return this.times[this.times.length - 1];
  }

  column(key: string): Column | undefined {
    return this.slots.get(key)?.column;
  }

  private slot(key: string): Slot {
    let slot = this.slots.get(key);
    if (!slot) {
      slot = { column: new Array<Cell>(this.times.length).fill(undefined), last: -Infinity };
      this.slots.set(key, slot);
    }
    return slot;
  }

  /** Replaces everything with series whose points lie on the grid from, from+step … to. */
  load(from: number, to: number, step: number, series: LoadedSeries[]): void {
    this.slots.clear();
    this.times = [];
    const rows = Math.round((to - from) / step) + 1;
    for (let row = 0; row < rows; row += 1) this.times.push(from + row * step);
    let used = 0;
    for (const { key, points } of series) {
      const slot = this.slot(key);
      slot.column.fill(null);
      let end = 0;
      for (const [time, value] of points) {
        const row = Math.round((time - from) / step);
        if (row < 0 || row >= rows) continue;
        slot.column[row] = Number.isFinite(value) ? value : null;
        slot.last = this.times[row]!;
        end = row + 1;
      }
      // What comes after the last value is not a gap yet: live points may follow.
      slot.column.fill(undefined, end);
      used = Math.max(used, end);
    }
    this.times.length = used;
    for (const { column } of this.slots.values()) column.length = used;
  }

  /** Values at a time; those within `together` seconds of the newest row share it. Older ones are ignored. */
  append(time: number, values: Iterable<[key: string, value: number]>, together = 0.5): boolean {
    const last = this.lastTime;
    if (last !== undefined && time < last - together) return false;
    if (last === undefined || time - last > together) {
      // A row for the nulls of series that were silent, so that their lines break.
      if (last !== undefined && time - last > this.gap) this.push((last + time) / 2);
      this.push(time);
    }
    const row = this.times.length - 1;
    for (const [key, value] of values) {
      const slot = this.slot(key);
      if (slot.last > -Infinity && time - slot.last > this.gap && row > 0 && slot.column[row] === undefined) {
        slot.column[row - 1] = null;
      }
      slot.column[row] = Number.isFinite(value) ? value : null;
      slot.last = time;
    }
    // In bulk: dropping a row at a time would move every array every second.
    if (this.times.length > this.capacity * 1.25) this.dropRows(this.times.length - this.capacity);
    return true;
  }

  private push(time: number): void {
    this.times.push(time);
    for (const { column } of this.slots.values()) column.push(undefined);
  }

  dropBefore(time: number): void {
    let rows = 0;
    while (rows < this.times.length && this.times[rows]! < time) rows += 1;
    // One row before the edge stays, so that the line enters from the left.
    if (rows > 64) this.dropRows(rows - 1);
  }

  private dropRows(rows: number): void {
    this.times.splice(0, rows);
    for (const { column } of this.slots.values()) column.splice(0, rows);
  }
}

export interface Summary {
  min: number;
  max: number;
  avg: number;
  last: number;
}

/** Min, max, average and last of the values at times within [from, to]; undefined when there are none. */
export function summarize(times: number[], column: Column, from = -Infinity, to = Infinity): Summary | undefined {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let count = 0;
  let last = 0;
  for (let row = 0; row < times.length; row += 1) {
    const value = column[row];
    const time = times[row]!;
    if (value === null || value === undefined || time < from || time > to) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count += 1;
    last = value;
  }
  return count > 0 ? { min, max, avg: sum / count, last } : undefined;
}

/** Row whose time is nearest; undefined in an empty table. */
export function nearestRow(times: number[], time: number): number | undefined {
  if (times.length === 0) return undefined;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low > 0 && time - times[low - 1]! <= times[low]! - time ? low - 1 : low;
}

/** The value that a line shows at a row: its own, or the one carried over rows of other series. */
export function valueAt(times: number[], column: Column, row: number, reach: number): number | undefined {
  for (let at = row; at >= 0 && times[row]! - times[at]! <= reach; at -= 1) {
    const value = column[at];
    if (value === null) return undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}
