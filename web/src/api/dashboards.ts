import { api, isPage, request } from './client';

/** Dashboards and grid pages as the server gives them; durations are text as in YAML. */
export type GridSection = 'dashboards' | 'pages';

export interface At {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Thresholds {
  warning?: number;
  critical?: number;
}

export interface WidgetQuery {
  expr: string;
  /** `{{device}} read` */
  legend?: string;
}

export interface ChartBody {
  queries: WidgetQuery[];
  unit?: string;
  stack?: boolean;
  min?: number;
  max?: number;
  thresholds?: Thresholds;
}
export interface StatBody {
  expr: string;
  legend?: string;
  unit?: string;
  thresholds?: Thresholds;
  sparkline?: boolean;
}
export interface GaugeBody {
  expr: string;
  legend?: string;
  unit?: string;
  min?: number;
  max?: number;
  thresholds?: Thresholds;
}
export interface TableBody {
  queries: WidgetQuery[];
  unit?: string;
}
export interface StatesBody {
  expr: string;
  legend?: string;
  thresholds?: Thresholds;
}
export interface LogsBody {
  match?: string;
  text?: string;
}
export interface AlertsBody {
  state?: string;
  severity?: string;
  text?: string;
}
export interface TopologyBody {
  /** The id of a host or item: only what hangs together with it is shown. */
  root?: string;
}
export interface TextBody {
  markdown: string;
}
export interface PageBody {
  /** Its id: `<package>/<group>/<name>` */
  page: string;
}

export interface WidgetBodies {
  chart: ChartBody;
  stat: StatBody;
  gauge: GaugeBody;
  table: TableBody;
  states: StatesBody;
  logs: LogsBody;
  alerts: AlertsBody;
  topology: TopologyBody;
  text: TextBody;
  page: PageBody;
}
export type WidgetKind = keyof WidgetBodies;

/** One kind's body stands under its name: `{title, at, chart: {…}}`. */
export type Widget = { title?: string; at?: Partial<At> } & { [Kind in WidgetKind]?: WidgetBodies[Kind] };

export const widgetKinds: WidgetKind[] = [
  'chart', 'stat', 'gauge', 'table', 'states', 'logs', 'alerts', 'topology', 'text', 'page',
];

export function kindOf(widget: Widget): WidgetKind | undefined {
  return widgetKinds.find((kind) => widget[kind] !== undefined && widget[kind] !== null);
}

export interface Variable {
  /** Values of this label … */
  label?: string;
  /** … over the series that this selector finds. */
  of?: string;
  values?: (string | number)[];
  /** Whatever is typed. */
  text?: boolean;
  multi?: boolean;
  all?: boolean;
  default?: string | number | (string | number)[];
}

export interface DashboardEntry {
  id: string;
  package: string;
  path: string[];
  title?: string;
  help?: string;
  writable?: boolean;
}

export interface Dashboard extends DashboardEntry {
  range?: string;
  variables?: Record<string, Variable>;
  widgets?: Widget[];
  file?: string;
  hash?: string;
}

export interface PageEntry {
  id: string;
  package: string;
  path: string[];
  title?: string;
  href: string;
  /** Made of widgets, not of a template. */
  widgets?: boolean;
}

/** An item of the registry as far as the map of what depends on what needs it. */
export interface LinkedItem {
  id: string;
  kind: string;
  package: string;
  title?: string;
  links?: string[];
}

const parts = (path: string[]): string => path.map(encodeURIComponent).join('/');

export const dashboardsApi = {
  list: async (signal?: AbortSignal) => (await api.get<{ dashboards: DashboardEntry[] }>('/dashboards', undefined, signal)).dashboards,
  one: (path: string[], signal?: AbortSignal) => api.get<Dashboard>(`/dashboards/${parts(path)}`, undefined, signal),
  pages: async (signal?: AbortSignal) => (await api.get<{ pages: PageEntry[] }>('/pages', undefined, signal)).pages,
  items: async (signal?: AbortSignal) =>
    (await api.get<{ items: LinkedItem[] }>('/items', { limit: 5000 }, signal)).items,
  /** Lets frames of this browser show pages for a while. A page was let in itself: its frames come with its cookie. */
  pageCookie: async () => {
    if (!isPage()) await api.post<void>('/auth/page-cookie');
  },
};

/** Values that a label has over the series of a selector, within a stretch of time. */
export async function valuesOf(label: string, selector: string, signal?: AbortSignal): Promise<string[]> {
  const answer = await request<{ data: string[] }>('GET', `/api/v1/label/${encodeURIComponent(label)}/values`, {
    params: { 'match[]': selector },
    signal,
  });
  return answer.data;
}
