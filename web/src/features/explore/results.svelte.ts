import { askInstant, askRange, chosenLookback, type InstantValue, type Notes } from '../../api/prom';
import type { MatrixSeries } from '../../api/types';
import { faultOf, type Fault } from '../query/fault';

export interface Asked {
  /** Unix seconds of the instant, and the range before it with its step. */
  at: number | undefined;
  from: number;
  to: number;
  step: number;
  lookback: number | undefined;
  /** Whether the table wants the whole range. */
  range: boolean;
}

/** What came of one expression. */
export interface Result {
  expr: string;
  value?: InstantValue;
  series?: MatrixSeries[];
  notes?: Notes;
  fault?: Fault;
  /** Milliseconds, the way to the server and back included. */
  took: number;
}

/** The values of all expressions that are shown. What came last stays until something newer is there. */
export class Results {
  list = $state.raw<Result[]>([]);
  loading = $state(false);
  /** Unix seconds at which the values hold. */
  at = $state(0);
  private controller: AbortController | undefined;

  of(expr: string): Result | undefined {
    return this.list.find((one) => one.expr === expr);
  }

  /** `again`: what could not be read is not asked anew, it will be no better. */
  async load(exprs: string[], asked: Asked, again = false): Promise<void> {
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    this.loading = true;
    const hopeless = new Map(again ? this.list.filter(({ fault }) => fault?.line !== undefined).map((one) => [one.expr, one]) : []);
    const list = await Promise.all([...new Set(exprs)].map((expr) => hopeless.get(expr) ?? ask(expr, asked, controller.signal)));
    if (this.controller !== controller) return;
    this.list = list;
    this.at = asked.at ?? asked.to;
    this.loading = false;
  }

  clear(): void {
    this.stop();
    this.list = [];
  }

  stop(): void {
    this.controller?.abort();
    this.controller = undefined;
    this.loading = false;
  }
}

async function ask(expr: string, { at, from, to, step, lookback, range }: Asked, signal: AbortSignal): Promise<Result> {
  const begun = performance.now();
  const took = (): number => performance.now() - begun;
  try {
    const instant = await askInstant(expr, at, signal, lookback);
    const result = { expr, value: instant.value, notes: instant.notes, took: took() };
    if (!range) return result;
    const start = Math.ceil(from / step) * step;
    const { series, notes } = await askRange(expr, start, Math.max(start, to), step, signal, chosenLookback(lookback));
    return { ...result, series, notes, took: took() };
  } catch (reason) {
    return { expr, fault: faultOf(reason), took: took() };
  }
}
