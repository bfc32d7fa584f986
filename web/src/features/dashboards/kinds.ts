import type { Widget, WidgetKind } from '../../api/dashboards';

export interface KindInfo {
  kind: WidgetKind;
  word: string;
  help: string;
  /** A small picture: paths in a box of 48 × 30; the first in the accent's colour. */
  picture: string[];
  /** What a new one begins with. */
  begin: () => Widget;
}

/** The gallery, in the order in which people want things. */
export const kinds: KindInfo[] = [
  {
    kind: 'chart',
    word: 'Chart',
    help: 'Values over time, as lines or stacked',
    picture: ['M4 22 12 14l7 5 9-11 8 6 8-8', 'M4 4v22h40'],
    begin: () => ({ title: '', chart: { queries: [{ expr: '' }] } }),
  },
  {
    kind: 'stat',
    word: 'Number',
    help: 'One value, large, with its course',
    picture: ['M10 6h9l-6 9M28 6a5 5 0 1 1 0 9 5 5 0 1 1 0-9M38 6v9', 'M4 25c8 0 10-4 16-4s10 3 24-2'],
    begin: () => ({ title: '', stat: { expr: '' } }),
  },
  {
    kind: 'gauge',
    word: 'Gauge',
    help: 'One value between its least and its most',
    picture: ['M10 24a14 14 0 0 1 21-12', 'M31 12a14 14 0 0 1 7 12'],
    begin: () => ({ title: '', gauge: { expr: '' } }),
  },
  {
    kind: 'table',
    word: 'Table',
    help: 'Series as rows, queries as columns',
    picture: ['M4 5h40v5H4z', 'M4 10v16h40V10M4 15.5h40M4 21h40M26 5v21'],
    begin: () => ({ title: '', table: { queries: [{ expr: '' }] } }),
  },
  {
    kind: 'states',
    word: 'States',
    help: 'A cell for each series: up, warning, down',
    picture: ['M6 6h6v6H6zM16 6h6v6h-6zM36 6h6v6h-6zM6 18h6v6H6zM16 18h6v6h-6z', 'M26 6h6v6h-6zM26 18h6v6h-6zM36 18h6v6h-6z'],
    begin: () => ({ title: '', states: { expr: '' } }),
  },
  {
    kind: 'logs',
    word: 'Log lines',
    help: 'The newest lines, as they come',
    picture: ['M4 6h4M4 12h4M4 18h4M4 24h4', 'M12 6h30M12 12h22M12 18h28M12 24h16'],
    begin: () => ({ title: 'Logs', logs: { match: '' } }),
  },
  {
    kind: 'alerts',
    word: 'Alerts',
    help: 'What is open now, the worst first',
    picture: ['M5 6h5v5H5zM7.500 15l3 5h-6z', 'M15 8.500h28M15 17.500h22M15 26h26'],
    begin: () => ({ title: 'Open alerts', alerts: {} }),
  },
  {
    kind: 'topology',
    word: 'Topology',
    help: 'Hosts, and what depends on what',
    picture: ['M4 11h11v8H4z', 'M33 4h11v8H33zM33 18h11v8H33zM15 15c10 0 8-7 18-7M15 15c10 0 8 7 18 7'],
    begin: () => ({ title: 'Topology', topology: {} }),
  },
  {
    kind: 'text',
    word: 'Text',
    help: 'Words, lists and links in Markdown',
    picture: ['M5 6h16', 'M5 12h38M5 18h34M5 24h24'],
    begin: () => ({ title: '', text: { markdown: '' } }),
  },
  {
    kind: 'page',
    word: 'Page',
    help: 'A page of a package, in a frame',
    picture: ['M4 9h40', 'M4 4h40v22H4zM8 6.500h.01M11 6.500h.01M9 14h14v8H9zM28 14h11M28 18h11M28 22h7'],
    begin: () => ({ title: '', page: { page: '' } }),
  },
];

export function kindInfo(kind: WidgetKind | undefined): KindInfo | undefined {
  return kinds.find((info) => info.kind === kind);
}

/** What a widget is called: its title, else its kind. */
export function nameOf(widget: Widget, kind: WidgetKind | undefined): string {
  return widget.title || kindInfo(kind)?.word || 'Widget';
}

/** The expressions that a widget asks for. */
export function exprsOf(widget: Widget): string[] {
  const queries = widget.chart?.queries ?? widget.table?.queries;
  if (queries) return queries.map(({ expr }) => expr).filter(Boolean);
  const expr = widget.stat?.expr ?? widget.gauge?.expr ?? widget.states?.expr;
  return expr ? [expr] : [];
}
