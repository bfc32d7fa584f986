import type { Widget } from '../../../api/dashboards';
import type { RangeControl } from '../../../charts/spec';
import type { TimeRange } from '../../../lib/timerange';
import type { Variables } from '../variables';

/** Addresses of other views; what is missing is not linked. A page outside the app gives its own. */
export interface Links {
  explore?: (exprs: string[]) => string;
  alert?: (id: string) => string;
  host?: (id: string) => string;
  logs?: (match: string, text: string) => string;
}

/** What every widget is given. Widgets know nothing of addresses, so that pages outside the app show them too. */
export interface WidgetProps {
  widget: Widget;
  variables: Variables;
  range: TimeRange;
  /** What zooming on a chart changes. */
  control?: RangeControl | undefined;
  links?: Links | undefined;
}
