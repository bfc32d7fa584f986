import { expect, it } from 'vitest';
import { draftOf } from './model';
import { widgetFrom, withWidget } from './offer';

it('makes a widget that shows what the chart shows', () => {
  const widget = widgetFrom(
    {
      title: 'Network',
      queries: [
        { expr: (window) => `rate(in[${window}])`, name: 'in' },
        { expr: 'out', name: 'out', below: true },
      ],
      unit: 'bytes/s',
      stacked: true,
      top: 1,
      thresholds: [{ value: 0.8, severity: 'warning' }],
    },
    1,
  );
  expect(widget).toEqual({
    title: 'Network',
    chart: {
      queries: [{ expr: 'rate(in[1m])', legend: 'in' }, { expr: '-(out)', legend: 'out' }],
      unit: 'bytes/s',
      stack: true,
      max: 1,
      thresholds: { warning: 0.8 },
    },
  });
});
it('widens the windows of rates with the steps of the chart', () => {
  const spec = { title: '', queries: [{ expr: (window: string) => `rate(a[${window}])` }] };
  expect(widgetFrom(spec, 30).chart!.queries[0]!.expr).toBe('rate(a[2m])');
  expect(widgetFrom(spec, 300).chart!.queries[0]!.expr).toBe('rate(a[20m])');
});
it('puts it at the bottom', () => {
  const draft = draftOf({ widgets: [{ at: { x: 0, y: 0, w: 24, h: 5 }, text: { markdown: 'a' } }] });
  expect(withWidget(draft, { chart: { queries: [] } }).pieces[1]).toMatchObject({ x: 0, y: 5, w: 12, h: 9 });
});
