import { kindOf, widgetKinds, type Widget, type WidgetKind } from '../api/dashboards';
import { addressPrefix, parseChosen, type Variables } from '../features/dashboards/variables';

export type Read = { widget: Widget; kind: WidgetKind } | { fault: string };

/** The `spec` of an `<at-widget>`: a widget as it stands in a dashboard. */
export function readWidget(spec: string | null): Read {
  let widget: unknown;
  try {
    widget = JSON.parse(spec ?? '');
  } catch {
    return { fault: 'This widget is not written as JSON' };
  }
  if (typeof widget !== 'object' || widget === null || Array.isArray(widget)) return { fault: 'This widget is no mapping' };
  const kind = kindOf(widget as Widget);
  if (!kind) return { fault: `No kind of widget: write one of ${widgetKinds.join(', ')}` };
  return { widget: widget as Widget, kind };
}

/** What the address says of variables: `v.instance=web1,web2`, as a dashboard that shows the page writes it. */
export function variablesOf(search: URLSearchParams): Variables {
  const chosen: Variables = {};
  for (const [name, text] of search) {
    if (name.startsWith(addressPrefix)) chosen[name.slice(addressPrefix.length)] = parseChosen(text, { multi: true, all: true });
  }
  return chosen;
}
