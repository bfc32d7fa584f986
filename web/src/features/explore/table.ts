import type { InstantValue } from '../../api/prom';
import { numberOf } from '../../api/prom';
import type { Labels, MatrixSeries } from '../../api/types';

/** One line of the table of an instant. */
export interface InstantRow {
  labels: Labels;
  value: number;
  /** As the server wrote it; also what is no number. */
  text: string;
  /** Of range vectors: the samples, oldest first. */
  samples?: [time: number, value: string][];
}

export function instantRows(value: InstantValue): InstantRow[] {
  switch (value.type) {
    case 'vector':
      return value.result.map(({ metric, value: [, text] }) => ({ labels: metric, value: numberOf(text), text }));
    case 'matrix':
      return value.result.map(({ metric, values }) => {
        const text = values[values.length - 1]?.[1] ?? '';
        return { labels: metric, value: numberOf(text), text, samples: values };
      });
    default:
      return [{ labels: {}, value: value.type === 'scalar' ? numberOf(value.result[1]) : NaN, text: value.result[1] }];
  }
}

export interface RangeRow {
  labels: Labels;
  points: number;
  min: number;
  avg: number;
  max: number;
  last: number;
  value: number;
}

export function rangeRows(series: MatrixSeries[]): RangeRow[] {
  return series.map(({ metric, values }) => {
    const numbers = values.map(([, text]) => numberOf(text));
    const sound = numbers.filter((number) => !Number.isNaN(number));
    const last = numbers[numbers.length - 1] ?? NaN;
    return {
      labels: metric,
      points: numbers.length,
      min: sound.length > 0 ? sound.reduce((a, b) => Math.min(a, b)) : NaN,
      max: sound.length > 0 ? sound.reduce((a, b) => Math.max(a, b)) : NaN,
      avg: sound.length > 0 ? sound.reduce((a, b) => a + b, 0) / sound.length : NaN,
      last,
      value: last,
    };
  });
}

/** By value; what is no number comes last. */
export function sorted<T extends { value: number }>(rows: readonly T[], sort: 'up' | 'down' | undefined): T[] {
  if (!sort) return [...rows];
  const sign = sort === 'up' ? 1 : -1;
  return [...rows].sort((a, b) => {
    if (Number.isNaN(a.value) || Number.isNaN(b.value)) return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
    return sign * (a.value - b.value);
  });
}

const mostColumns = 6;

/** Names of labels as columns, the metric's first; undefined where there are too many for a table. */
export function labelColumns(all: readonly Labels[]): string[] | undefined {
  const names = new Set<string>();
  for (const labels of all) for (const name in labels) names.add(name);
  if (names.size > mostColumns) return undefined;
  return [...names].sort((a, b) => Number(b === '__name__') - Number(a === '__name__') || a.localeCompare(b));
}
