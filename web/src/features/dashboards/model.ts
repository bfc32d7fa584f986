import { kindOf, type Dashboard, type GridSection, type Variable, type Widget } from '../../api/dashboards';
import type { Address, Operation, Value } from '../../api/packages';
import { settle, soundPlace, type Box } from './layout';

/** A widget with its place. The key names it while it is edited; the place within `widget` is not looked at. */
export interface Piece extends Box {
  widget: Widget;
}

/** A dashboard or grid page as it is edited. Never changed in place, so that going back is easy. */
export interface Draft {
  title: string;
  help: string;
  range: string;
  variables: Record<string, Variable>;
  pieces: Piece[];
}

export function piecesOf(widgets: Widget[] | undefined): Piece[] {
  const pieces = (widgets ?? []).map((widget, i) => ({ key: `w${i}`, ...soundPlace(widget.at, kindOf(widget)), widget }));
  return settle(pieces);
}

export function draftOf(dashboard: Pick<Dashboard, 'title' | 'help' | 'range' | 'variables' | 'widgets'>): Draft {
  return {
    title: dashboard.title ?? '',
    help: dashboard.help ?? '',
    range: dashboard.range ?? '',
    variables: dashboard.variables ?? {},
    pieces: piecesOf(dashboard.widgets),
  };
}

/** Without what is empty: an empty title is none. */
export function tidy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(tidy) as T;
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value)
    .filter(([, inner]) => inner !== undefined && inner !== '' && inner !== null)
    .map(([name, inner]) => [name, tidy(inner as unknown)] as const)
    .filter(([name, inner]) => name !== 'thresholds' || Object.keys(inner as object).length > 0);
  return Object.fromEntries(kept) as T;
}

/** As it is written: the title first, then the place, then what it shows. */
export function widgetOf({ widget, x, y, w, h }: Piece): Widget {
  const { title, at: _, ...body } = widget;
  const kind = kindOf(widget);
  // Fields that are required stay, even when they are empty yet: the server names them.
  const tidied = tidy(body);
  if (kind === 'text') tidied.text = { markdown: widget.text!.markdown ?? '' };
  if (kind === 'logs') tidied.logs = { match: widget.logs!.match ?? '', ...tidied.logs };
  return { ...(title ? { title } : {}), at: { x, y, w, h }, ...tidied };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether there is anything to be saved. */
export function isChanged(before: Draft, after: Draft): boolean {
  return !same(before, after);
}

/** The whole item as it is written. */
export function valueOf(draft: Draft): Record<string, Value> {
  const { title, help, range } = draft;
  return tidy({
    title,
    help,
    range,
    ...(Object.keys(draft.variables).length > 0 ? { variables: draft.variables } : {}),
    widgets: draft.pieces.map(widgetOf),
  }) as unknown as Record<string, Value>;
}

/** What saving asks of the server: only what has changed, so that the rest of the file keeps its bytes. */
export function operationsFor(address: Address, before: Draft | undefined, after: Draft): Operation[] {
  if (!before) return [{ op: 'create', ...address, value: valueOf(after) }];
  const operations: Operation[] = [];
  const put = (field: string[], value: unknown): void => {
    const isNothing = value === undefined || value === '' || (field.length === 1 && field[0] !== 'widgets' && same(value, {}));
    operations.push(isNothing ? { op: 'unset', ...address, field } : { op: 'set', ...address, field, value: value as Value });
  };
  for (const field of ['title', 'help', 'range'] as const) if (before[field] !== after[field]) put([field], after[field]);
  if (!same(before.variables, after.variables)) put(['variables'], tidy(after.variables));
  const whole = widgetOperations(address, before.pieces, after.pieces, put);
  return [...operations, ...whole];
}

/** What went, what changed, what came, one by one; the whole list only where its order is another. */
function widgetOperations(
  address: Address,
  before: Piece[],
  after: Piece[],
  put: (field: string[], value: unknown) => void,
): Operation[] {
  if (same(before, after)) return [];
  const stays = new Set(after.map(({ key }) => key));
  const kept = before.filter(({ key }) => stays.has(key));
  const isSameOrder = kept.length > 0 && kept.every(({ key }, i) => key === after[i]!.key);
  if (!isSameOrder) return [{ op: 'set', ...address, field: ['widgets'], value: after.map(widgetOf) as unknown as Value }];
  // From the end, so that the numbers of those before stay what they were.
  for (let i = before.length - 1; i >= 0; i -= 1) if (!stays.has(before[i]!.key)) put(['widgets', String(i)], undefined);
  after.forEach((piece, i) => {
    const now = widgetOf(piece) as Record<string, unknown>;
    if (i >= kept.length) return put(['widgets', String(i)], now);
    const old = widgetOf(kept[i]!) as Record<string, unknown>;
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
      if (!same(old[name], now[name])) put(['widgets', String(i), name], now[name]);
    }
  });
  return [];
}

/** A name for an item made of its title: letters, digits and signs that addresses bear. */
export function nameFrom(title: string): string {
  return title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/ß/g, 'ss')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 48);
}

export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** The address of a dashboard, and of a grid page, within the app. */
export function viewPath(id: string): string[] {
  return ['dashboards', ...id.split('/')];
}

export function viewQuery(section: GridSection): Record<string, string | undefined> {
  return { section: section === 'pages' ? 'pages' : undefined };
}

/** The query that opens the grid editor, with a widget's settings at its side. */
export function editQuery(section: GridSection, widget?: number): Record<string, string | undefined> {
  return { ...viewQuery(section), edit: '1', widget: widget === undefined ? undefined : String(widget) };
}
