import type { Column } from '../lib/table';

/**
 * Each column on top of those before it. A value is carried for `reach` seconds over rows that belong
 * to other series (undefined); a null adds nothing; a row in which all are silent is a gap in all.
 */
export function stack(times: number[], columns: Column[], reach: number): Column[] {
  const rows = times.length;
  const sums = new Array<number>(rows).fill(0);
  const spoken = new Uint8Array(rows);
  const silent = new Uint8Array(rows);
  for (const column of columns) {
    for (let row = 0; row < rows; row += 1) {
      if (typeof column[row] === 'number') spoken[row] = 1;
      else if (column[row] === null) silent[row] = 1;
    }
  }
  return columns.map((column) => {
    const stacked: Column = new Array<number | null | undefined>(rows);
    let carried = 0;
    let since = -Infinity;
    for (let row = 0; row < rows; row += 1) {
      const value = column[row];
      if (typeof value === 'number') [carried, since] = [value, times[row]!];
      else if (value === null || times[row]! - since > reach) carried = 0;
      if (spoken[row]) stacked[row] = sums[row] = sums[row]! + carried;
      else stacked[row] = silent[row] ? null : undefined;
    }
    return stacked;
  });
}

export function negate(column: Column): Column {
  return column.map((value) => (typeof value === 'number' ? -value : value));
}

/** Rows whose value has no neighbour to draw a line to: they are drawn as dots. */
export function lonely(column: Column, first: number, last: number): number[] {
  const found: number[] = [];
  let previous: number | null = null;
  let candidate = -1;
  for (let row = first; row <= last; row += 1) {
    const value = column[row];
    if (value === undefined) continue;
    if (value === null) {
      if (candidate >= 0) found.push(candidate);
      candidate = -1;
    } else candidate = previous === null ? row : -1;
    previous = value;
  }
  if (candidate >= 0) found.push(candidate);
  return found;
}
