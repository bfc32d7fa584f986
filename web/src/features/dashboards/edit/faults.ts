import { kindOf, type WidgetKind } from '../../../api/dashboards';
import type { EditError } from '../../../api/packages';
import { atMissing } from '../../packages/values';
import { kindInfo } from '../kinds';
import type { Piece } from '../model';

/** Something that keeps a dashboard from being saved, in the words of its editor. */
export interface Fault {
  /** Of the widget that it is about. */
  key?: string;
  where: string;
  what: string;
  remedy: string;
}

/** What the form calls the fields of widgets. */
const words: Record<string, string> = {
  title: 'Title',
  at: 'Place',
  expr: 'Query',
  queries: 'Query',
  legend: 'Legend',
  unit: 'Unit',
  min: 'From',
  max: 'To',
  'thresholds.warning': 'Warning from',
  'thresholds.critical': 'Critical from',
  stack: 'Stacked',
  sparkline: 'With its course over time',
  match: 'Streams',
  state: 'State',
  severity: 'Severity',
  root: 'Around',
  markdown: 'Text',
  page: 'Page',
};
const ownWords: Partial<Record<WidgetKind, Record<string, string>>> = {
  logs: { text: 'Lines with' },
  alerts: { text: 'With the text' },
};
const itemWords: Record<string, string> = { title: 'Title', help: 'What it shows', range: 'Time range', variables: 'Variables' };

function wordOf(kind: WidgetKind | undefined, field: string[]): string {
  const [first = '', second = '', ...more] = field[0] === kind && field.length > 1 ? field.slice(1) : field;
  if (first === 'queries' && more.length > 0) return `${words[more[0]!] ?? more[0]!} ${Number(second) + 1}`;
  return (kind && ownWords[kind]?.[first]) ?? words[`${first}.${second}`] ?? words[first] ?? kindInfo(first as WidgetKind)?.word ?? first;
}

function inWidget(piece: Piece, number: number, field: string[]): Pick<Fault, 'key' | 'where'> & { word: string } {
  const kind = kindOf(piece.widget);
  const kindWord = kindInfo(kind)?.word ?? 'Widget';
  const queries = piece.widget.chart?.queries ?? piece.widget.table?.queries;
  const word = wordOf(kind, field);
  return {
    key: piece.key,
    where: piece.widget.title ? `${kindWord} “${piece.widget.title}”` : `${kindWord}, widget ${number + 1}`,
    // One query alone bears no number in the form.
    word: queries?.length === 1 ? word.replace(/ 1$/, '') : word,
  };
}

function faultOf(error: EditError, pieces: Piece[]): Fault {
  const steps = (atMissing(error).field ?? '').split('.').filter(Boolean);
  const isMissing = / needs the key "[^"]+"$/.test(error.message);
  // The editor says in its own words where it is, and has a button for what YAML would say.
  const message = error.message.replace(/^widgets\.\d+[\w.-]*: /, '');
  const remedy = (error.remedy ?? '').replace(/^declare it: variables: \{(\w+): .*$/, 'add $1 under “Variables”');
  const told = (word: string): Pick<Fault, 'what' | 'remedy'> =>
    isMissing && word ? { what: `${word} is missing`, remedy: '' } : { what: word ? `${word}: ${message}` : message, remedy };
  const number = Number(steps[1]);
  const piece = steps[0] === 'widgets' ? pieces[number] : undefined;
  if (piece) {
    const { word, ...place } = inWidget(piece, number, steps.slice(2));
    return { ...place, ...told(word) };
  }
  const [first = '', second] = steps;
  if (itemWords[first]) return { where: '', ...told(first === 'variables' && second ? `Variable “${second}”` : itemWords[first]) };
  const place = [error.package, error.section, ...(error.path ?? [])].filter(Boolean).join('/');
  return { where: place || (error.file ?? ''), what: error.message, remedy: error.remedy ?? '' };
}

/** What the server refuses, each once; `pieces` are those that were sent, in their order. */
export function faultsOf(errors: EditError[], pieces: Piece[]): Fault[] {
  const found = new Map<string, Fault>();
  for (const error of errors) {
    const fault = faultOf(error, pieces);
    found.set([fault.key, fault.where, fault.what].join('\n'), fault);
  }
  return [...found.values()];
}
