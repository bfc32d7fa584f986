import { request } from './client';
import type { MatrixSeries, VectorElement } from './types';

interface Envelope<T> {
  status: string;
  data: { resultType: string; result: T };
}

/** Points from, from+step … to (unix seconds, on the grid of step). */
export async function queryRange(
  query: string,
  from: number,
  to: number,
  step: number,
  signal?: AbortSignal,
  lookback = 5,
): Promise<MatrixSeries[]> {
  const params = {
    query,
    start: from,
    end: to,
    step,
    // A sample speaks for a few steps only, so that an outage is a gap and not a flat line.
    lookback_delta: `${Math.max(lookback, 2 * step)}s`,
  };
  const answer = await request<Envelope<MatrixSeries[]>>('GET', '/api/v1/query_range', { params, signal });
  return answer.data.result;
}

export async function queryInstant(query: string, time?: number, signal?: AbortSignal): Promise<VectorElement[]> {
  const params = { query, time };
  const answer = await request<Envelope<VectorElement[]>>('GET', '/api/v1/query', { params, signal });
  return answer.data.resultType === 'vector' ? answer.data.result : [];
}

export async function labelValues(name: string): Promise<string[]> {
  const answer = await request<{ data: string[] }>('GET', `/api/v1/label/${encodeURIComponent(name)}/values`);
  return answer.data;
}

export function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}
