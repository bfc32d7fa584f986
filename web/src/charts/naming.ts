import type { Labels } from '../api/types';
import { selectorOf } from '../lib/match';
import type { ChartQuery, SeriesInfo } from './spec';

export const tones = Array.from({ length: 10 }, (_, i) => `--series-${i + 1}`);

/** The same series has the same key in every answer. */
export function seriesKey(query: number, labels: Labels): string {
  const parts = Object.keys(labels)
    .sort()
    .map((name) => `${name}\u0001${labels[name]}`);
  return `${query}\u0002${parts.join('\u0002')}`;
}

/** `{{device}} read` with the labels' values. */
export function fillTemplate(template: string, labels: Labels): string {
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? '').trim();
}

/** Names of the labels whose values are not the same in all series, the metric's name among them. */
export function differing(all: Labels[]): string[] {
  const names = new Set(all.flatMap((labels) => Object.keys(labels)));
  return [...names].filter((name) => new Set(all.map((labels) => labels[name])).size > 1).sort();
}

/** `node_load1{instance="a"}` cut down to what tells a series from its neighbours. */
export function plainName(labels: Labels, differ: string[], fallback: string): string {
  const told = differ.filter((name) => labels[name] !== undefined);
  if (told.length === 0) return labels.__name__ ?? (Object.keys(labels).length > 0 ? selectorOf(labels) : fallback);
  if (told.length === 1) return labels[told[0]!]!;
  const rest: Labels = {};
  for (const name of told) if (name !== '__name__') rest[name] = labels[name]!;
  return (differ.includes('__name__') ? (labels.__name__ ?? '') : '') + selectorOf(rest);
}

/** Names, order and colours of the series of a chart. */
export function arrangeSeries(queries: ChartQuery[], found: { query: number; labels: Labels; key: string }[]): SeriesInfo[] {
  const differ = differing(found.filter(({ query }) => !queries[query]?.name).map(({ labels }) => labels));
  const named = found.map(({ query, labels, key }) => {
    const { name, below } = queries[query]!;
    const fallback = queries.length > 1 ? `query ${query + 1}` : 'value';
    const text = name === undefined ? plainName(labels, differ, fallback) : fillTemplate(name, labels);
    return { key, query, labels, name: text || fallback, below: below ?? false, tone: '' };
  });
  const place = (series: SeriesInfo): number => {
    const at = queries[series.query]!.order?.indexOf(series.name) ?? -1;
    return at < 0 ? 1e6 : at;
  };
  named.sort(
    (a, b) => a.query - b.query || place(a) - place(b) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
  const counts = new Map<number, number>();
  named.forEach((series, i) => {
    const query = queries[series.query]!;
    const nth = counts.get(series.query) ?? 0;
    counts.set(series.query, nth + 1);
    const at = query.order?.indexOf(series.name) ?? -1;
    const own = query.tones;
    series.tone = own ? own[nth % own.length]! : tones[(at >= 0 ? at : i) % tones.length]!;
  });
  return named;
}
