import { expect, it } from 'vitest';
import { asKind, likeKinds } from './convert';

it('shows the same query in another way', () => {
  const chart = { title: 'CPU', chart: { queries: [{ expr: 'a', legend: '{{x}}' }, { expr: 'b' }], unit: 'ratio', stack: true, thresholds: { warning: 1 } } };
  expect(asKind(chart, 'stat')).toEqual({ title: 'CPU', stat: { expr: 'a', legend: '{{x}}', unit: 'ratio', thresholds: { warning: 1 } } });
  expect(asKind(chart, 'table')).toEqual({ title: 'CPU', table: { queries: chart.chart.queries, unit: 'ratio' } });
  expect(asKind({ gauge: { expr: 'a', max: 3 } }, 'chart')).toEqual({ chart: { queries: [{ expr: 'a' }], max: 3 } });
  expect(asKind({ stat: { expr: 'a', unit: 'bytes' } }, 'states')).toEqual({ states: { expr: 'a' } });
});
it('leaves alone what has no query', () => {
  expect(asKind({ text: { markdown: 'x' } }, 'chart')).toEqual({ text: { markdown: 'x' } });
  expect(likeKinds('text')).toEqual(['text']);
});
