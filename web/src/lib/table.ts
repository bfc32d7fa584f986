/** Columns of numbers against one rising time column, as charts want them; null is a gap. */
export type Column = (number | null)[];

/**
 * The points of one chart: rows appended at the end, the oldest dropped by capacity or by age.
 * Rows farther apart than `gap` seconds get an empty row between them, so that lines break there.
 */
export class SeriesTable {
  times: number[] = [];
  columns: Column[] = [];
  private index = new Map<string, number>();

  constructor(
    private readonly gap: number,
    private readonly capacity = 20_000,
  ) {}

  get keys(): string[] {
    return [...this.index.keys()];
  }

  /** Column number of a series, made (and filled with nulls) when it is new. */
  column(key: string): number {
    const known = this.index.get(key);
    if (known !== undefined) return known;
    const position = this.columns.length;
    this.index.set(key, position);
    this.columns.push(new Array<number | null>(this.times.length).fill(null));
    return position;
  }

  /** Replaces everything with series whose points lie on the grid from, from+step … to. */
  load(from: number, to: number, step: number, series: { key: string; points: [number, number][] }[]): void {
    this.index.clear();
    this.columns = [];
    this.times = [];
    for (let time = from; time <= to + step / 1000; time += step) this.times.push(time);
    for (const { key, points } of series) {
      const column = this.columns[this.column(key)]!;
      for (const [time, value] of points) {
        const row = Math.round((time - from) / step);
        if (row >= 0 && row < column.length) column[row] = Number.isFinite(value) ? value : null;
      }
    }
    this.trimTail();
  }

  /** Grid rows after the last value are not gaps yet: live points will follow. */
  private trimTail(): void {
    let rows = this.times.length;
    while (rows > 0 && this.columns.every((column) => column[rows - 1] === null)) rows -= 1;
    this.times.length = rows;
    for (const column of this.columns) column.length = rows;
  }

  /** Values at a time; those of one instant (within `together` seconds) share a row. Older ones are ignored. */
  append(time: number, values: Iterable<[key: string, value: number]>, together = 0.5): boolean {
    const last = this.times[this.times.length - 1];
    let row = this.times.length - 1;
    if (last !== undefined && time < last - together) return false;
    if (last === undefined || time - last > together) {
      if (last !== undefined && time - last > this.gap) this.push((last + time) / 2);
      this.push(time);
      row = this.times.length - 1;
    }
    for (const [key, value] of values) {
      this.columns[this.column(key)]![row] = Number.isFinite(value) ? value : null;
    }
    this.enforceCapacity();
    return true;
  }

  private push(time: number): void {
    this.times.push(time);
    for (const column of this.columns) column.push(null);
  }

  /** Cuts in bulk: dropping a row at a time would move every array every second. */
  private enforceCapacity(): void {
    if (this.times.length > this.capacity * 1.25) this.dropRows(this.times.length - this.capacity);
  }

  dropBefore(time: number): void {
    let rows = 0;
    while (rows < this.times.length && this.times[rows]! < time) rows += 1;
    // One row before the edge stays, so that the line enters from the left.
    if (rows > 64) this.dropRows(rows - 1);
  }

  private dropRows(rows: number): void {
    this.times.splice(0, rows);
    for (const column of this.columns) column.splice(0, rows);
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
