import { kindOf, type Widget, type WidgetKind } from '../../../api/dashboards';
import { exprsOf, kindInfo } from '../kinds';

const ofQueries: WidgetKind[] = ['chart', 'stat', 'gauge', 'table', 'states'];

/** The kinds that show the same in another way. */
export function likeKinds(kind: WidgetKind): WidgetKind[] {
  return ofQueries.includes(kind) ? ofQueries : [kind];
}

/** The same queries as another kind; what that kind does not have is left out. */
export function asKind(widget: Widget, to: WidgetKind): Widget {
  const from = kindOf(widget);
  if (!from || from === to || !ofQueries.includes(from) || !ofQueries.includes(to)) return widget;
  const old = widget[from] as Record<string, unknown>;
  const kept: Record<string, unknown> = {};
  const wanted: Record<string, string[]> = {
    chart: ['unit', 'thresholds', 'min', 'max'],
    stat: ['unit', 'thresholds'],
    gauge: ['unit', 'thresholds', 'min', 'max'],
    table: ['unit'],
    states: ['thresholds'],
  };
  for (const name of wanted[to]!) if (old[name] !== undefined) kept[name] = old[name];
  const exprs = exprsOf(widget);
  const queries = widget.chart?.queries ?? widget.table?.queries;
  const legend = queries ? queries[0]?.legend : (old.legend as string | undefined);
  const titled = widget.title === undefined ? {} : { title: widget.title };
  if (to === 'chart' || to === 'table') {
    const list = queries ?? [{ expr: exprs[0] ?? '', ...(legend ? { legend } : {}) }];
    return { ...titled, [to]: { queries: list, ...kept } };
  }
  const begin = kindInfo(to)!.begin()[to] as object;
  return { ...titled, [to]: { ...begin, expr: exprs[0] ?? '', ...(legend ? { legend } : {}), ...kept } };
}
