import type { WidgetQuery } from '../../api/dashboards';
import type { Labels } from '../../api/types';

/** A row of a table: what the series of all queries with the same labels show. */
export interface Row {
  key: string;
  labels: Labels;
  values: (number | undefined)[];
}

export interface Found {
  query: number;
  labels: Labels;
  value: number;
}

/** Labels that say nothing to people: the same in all rows, and the name of the metric. */
export function columnsOf(rows: Row[]): string[] {
  const names = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))];
  if (rows.length < 2) return names;
  const telling = names.filter((name) => new Set(rows.map(({ labels }) => labels[name])).size > 1);
  return telling.length > 0 ? telling : names;
}

export function rowsOf(found: Found[], queries: number): Row[] {
  const rows = new Map<string, Row>();
  for (const { query, labels, value } of found) {
    const { __name__: _, ...rest } = labels;
    const key = JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
    let row = rows.get(key);
    if (!row) rows.set(key, (row = { key, labels: rest, values: new Array<number | undefined>(queries).fill(undefined) }));
    row.values[query] = value;
  }
  return [...rows.values()];
}

/** A column by the name of its label, or `#n` for the values of query n. */
export interface Order {
  column: string;
  descending: boolean;
}

export function sortRows(rows: Row[], order: Order): Row[] {
  const sign = order.descending ? -1 : 1;
  const query = order.column.startsWith('#') ? Number(order.column.slice(1)) : undefined;
  return [...rows].sort((a, b) => {
    if (query === undefined) {
      return sign * (a.labels[order.column] ?? '').localeCompare(b.labels[order.column] ?? '', undefined, { numeric: true });
    }
    const [left, right] = [a.values[query], b.values[query]];
    // What has no value comes last, whichever way it is sorted.
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    return sign * (left - right);
  });
}

export function headOf(query: WidgetQuery, n: number, count: number): string {
  const name = query.legend?.replace(/\{\{.*?\}\}/g, '').trim();
  return name || (count === 1 ? 'value' : `query ${n + 1}`);
}
