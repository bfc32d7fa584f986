import { nearestRow, summarize, valueAt, type Column, type SeriesTable, type Summary } from '../lib/table';
import type { SeriesInfo } from './spec';
import { negate, stack } from './stack';

/** The parts of a feed that are read when painting. */
export interface Points {
  table: SeriesTable;
  series: SeriesInfo[];
  gap: number;
}

export interface SummaryRow {
  info: SeriesInfo;
  summary: Summary | undefined;
}

export interface Read {
  time: number;
  rows: { info: SeriesInfo; value: number }[];
}

const nothing: Column = [];

/** The columns as they are drawn: stacked, or with what goes down below zero. */
export function plotColumns(points: Points, stacked: boolean, off: ReadonlySet<string>): Column[] {
  const { table, series } = points;
  const raw = series.map(({ key }) => table.column(key) ?? nothing);
  if (!stacked) return series.map(({ below }, i) => (below ? negate(raw[i]!) : raw[i]!));
  const shown = raw.filter((_, i) => !off.has(series[i]!.key));
  const sums = stack(table.times, shown, points.gap);
  let next = 0;
  return series.map(({ key }, i) => (off.has(key) ? raw[i]! : sums[next++]!));
}

/** What the legend tells. Stacks are listed from the top down, as they are drawn. */
export function summaries(points: Points, stacked: boolean, limits: { from: number; to: number }): SummaryRow[] {
  const { table, series } = points;
  const rows = series.map((info) => ({
    info,
    summary: summarize(table.times, table.column(info.key) ?? nothing, limits.from, limits.to),
  }));
  return stacked ? rows.reverse() : rows;
}

/** All series at an instant, the largest first; undefined when no row is near. */
export function readout(points: Points, time: number, off: ReadonlySet<string>): Read | undefined {
  const { table, series, gap } = points;
  const row = nearestRow(table.times, time);
  if (row === undefined || Math.abs(table.times[row]! - time) > gap) return undefined;
  const rows: Read['rows'] = [];
  for (const info of series) {
    if (off.has(info.key)) continue;
    const value = valueAt(table.times, table.column(info.key) ?? nothing, row, gap);
    if (value !== undefined) rows.push({ info, value });
  }
  rows.sort((a, b) => b.value - a.value);
  return { time: table.times[row]!, rows };
}
