import type { Widget } from '../../api/dashboards';
import { packagesApi } from '../../api/packages';
import { exprText, type ChartSpec } from '../../charts/spec';
import { rateWindow } from '../../lib/timerange';
import { defaultSize, placeFor } from './layout';
import { addressOf, baseOf, loadGrid } from './load';
import { draftOf, operationsFor, type Draft } from './model';

/** Windows of rates on dashboards: wide enough for series that come once a minute or so, and for long ranges. */
const narrowest = 60;

/** The widget that shows what a chart shows; `step` are the seconds between its points now. */
export function widgetFrom(spec: ChartSpec, step: number, title = spec.title): Widget {
  const seconds = Math.max(narrowest, parseInt(rateWindow(step), 10));
  const window = seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
  const [warning, critical] = (['warning', 'critical'] as const).map((severity) => spec.thresholds?.find((one) => one.severity === severity)?.value);
  const thresholds = { ...(warning === undefined ? {} : { warning }), ...(critical === undefined ? {} : { critical }) };
  return {
    ...(title ? { title } : {}),
    chart: {
      queries: spec.queries.map((query) => {
        const expr = exprText(query, window);
        return { expr: query.below ? `-(${expr})` : expr, ...(query.name ? { legend: query.name } : {}) };
      }),
      ...(spec.unit ? { unit: spec.unit } : {}),
      ...(spec.stacked ? { stack: true } : {}),
      ...(spec.bottom === undefined ? {} : { min: spec.bottom }),
      ...(spec.top === undefined ? {} : { max: spec.top }),
      ...(Object.keys(thresholds).length > 0 ? { thresholds } : {}),
    },
  };
}

/** The draft with a widget more, at the bottom. */
export function withWidget(draft: Draft, widget: Widget): Draft {
  return { ...draft, pieces: [...draft.pieces, { key: 'new', ...placeFor(draft.pieces, defaultSize('chart')), widget }] };
}

/** Saves a widget at the bottom of a dashboard. */
export async function addTo(id: string, widget: Widget): Promise<void> {
  const item = await loadGrid('dashboards', id.split('/'));
  const before = draftOf(item);
  await packagesApi.change(operationsFor(addressOf(item), before, withWidget(before, widget)), {
    reason: `“${widget.title ?? 'Chart'}” added`,
    base: baseOf(item),
  });
}
