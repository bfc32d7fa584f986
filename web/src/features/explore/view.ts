import { compactDuration, parseDuration } from '../../lib/duration';

/** What Explore shows, apart from when: all of it is in the address. */
export interface ExploreView {
  queries: ExploreQuery[];
  /** Seconds between points; undefined lets the range decide. */
  step?: number | undefined;
  /** Seconds for which a sample speaks; undefined leaves it to the server. */
  lookback?: number | undefined;
  show: 'both' | 'chart' | 'table';
  /** The table's values: of one instant, or of the whole range. */
  values: 'instant' | 'range';
  /** By value; undefined as the server orders them. */
  sort?: 'up' | 'down' | undefined;
}

export interface ExploreQuery {
  expr: string;
  hidden: boolean;
}

export const mostPoints = 11_000;

/** A blank line separates queries in the address, so none stands within one. */
const tidy = (expr: string): string => expr.trim().replace(/\n[^\S\n]*(?=\n)/g, '');

type Query = Record<string, string | undefined>;

export function viewFromQuery(query: Query): ExploreView {
  const hidden = new Set((query.hidden ?? '').split(','));
  const exprs = (query.q ?? '').split(/\n[^\S\n]*\n/).map(tidy).filter(Boolean);
  const step = query.step ? parseDuration(query.step) : undefined;
  const lookback = query.lookback ? parseDuration(query.lookback) : undefined;
  return {
    queries: exprs.map((expr, i) => ({ expr, hidden: hidden.has(String(i + 1)) })),
    step: step && step > 0 ? step : undefined,
    lookback: lookback && lookback > 0 ? lookback : undefined,
    show: query.show === 'chart' || query.show === 'table' ? query.show : 'both',
    values: query.values === 'range' ? 'range' : 'instant',
    sort: query.sort === 'up' || query.sort === 'down' ? query.sort : undefined,
  };
}

/** Parts of the address; what is as usual leaves no trace. Queries without a word are left out. */
export function viewToQuery(view: ExploreView): Query {
  const queries = view.queries.map(({ expr, hidden }) => ({ expr: tidy(expr), hidden })).filter(({ expr }) => expr !== '');
  const hidden = queries.flatMap((one, i) => (one.hidden ? [String(i + 1)] : []));
  return {
    q: queries.map(({ expr }) => expr).join('\n\n') || undefined,
    hidden: hidden.join(',') || undefined,
    step: view.step === undefined ? undefined : compactDuration(view.step),
    lookback: view.lookback === undefined ? undefined : compactDuration(view.lookback),
    show: view.show === 'both' ? undefined : view.show,
    values: view.values === 'instant' ? undefined : view.values,
    sort: view.sort,
  };
}

/** The step that is taken: the one asked for, unless the range would have too many points. */
export function stepTaken(step: number | undefined, span: number): number | undefined {
  if (step === undefined || span / step <= mostPoints) return step;
  return Math.ceil(span / mostPoints);
}

/** A, B, … Z, AA: what a query is called. */
export function letterOf(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : letterOf(Math.floor(index / 26) - 1) + letter;
}
