import { request } from './client';
import type { MatrixSeries, VectorElement } from './types';

interface Envelope<T> {
  status: string;
  data: T;
  warnings?: string[];
  infos?: string[];
}
interface Answer<T> {
  resultType: string;
  result: T;
}

/** What the server says beside a result. */
export interface Notes {
  warnings: string[];
  infos: string[];
}

/** The value of an expression at one instant, whatever its type. */
export type InstantValue =
  | { type: 'vector'; result: VectorElement[] }
  | { type: 'matrix'; result: MatrixSeries[] }
  | { type: 'scalar' | 'string'; result: [time: number, value: string] };

const notesOf = ({ warnings, infos }: Envelope<unknown>): Notes => ({ warnings: warnings ?? [], infos: infos ?? [] });

/** For how long a sample speaks: at least so many seconds, or as the server is set (--query-lookback). */
export type Lookback = number | 'server';

/** `server` where nothing was chosen. */
export const chosenLookback = (seconds: number | undefined): Lookback => seconds ?? 'server';

/** Points from, from+step … to (unix seconds, on the grid of step). */
export async function askRange(
  query: string,
  from: number,
  to: number,
  step: number,
  signal?: AbortSignal,
  lookback: Lookback = 5,
): Promise<{ series: MatrixSeries[]; notes: Notes }> {
  const params = {
    query,
    start: from,
    end: to,
    step,
    // A sample speaks for a few steps only, so that an outage is a gap and not a flat line.
    ...(lookback === 'server' ? {} : { lookback_delta: `${Math.max(lookback, 2 * step)}s` }),
  };
  const answer = await request<Envelope<Answer<MatrixSeries[]>>>('GET', '/api/v1/query_range', { params, signal });
  return { series: answer.data.result, notes: notesOf(answer) };
}

export async function queryRange(query: string, from: number, to: number, step: number, signal?: AbortSignal, lookback: Lookback = 5): Promise<MatrixSeries[]> {
  return (await askRange(query, from, to, step, signal, lookback)).series;
}

/** At `time` in unix seconds, by default now. */
export async function askInstant(
  query: string,
  time?: number,
  signal?: AbortSignal,
  lookback?: number,
): Promise<{ value: InstantValue; notes: Notes }> {
  const params = { query, time, lookback_delta: lookback === undefined ? undefined : `${lookback}s` };
  const answer = await request<Envelope<Answer<unknown>>>('GET', '/api/v1/query', { params, signal });
  return { value: { type: answer.data.resultType, result: answer.data.result } as InstantValue, notes: notesOf(answer) };
}

export async function queryInstant(query: string, time?: number, signal?: AbortSignal): Promise<VectorElement[]> {
  const { value } = await askInstant(query, time, signal);
  return value.type === 'vector' ? value.result : [];
}

/** Values that a label has, of all series or of those of a selector. */
export async function labelValues(name: string, selector?: string, limit?: number): Promise<string[]> {
  const params = { 'match[]': selector, limit };
  const answer = await request<{ data: string[] }>('GET', `/api/v1/label/${encodeURIComponent(name)}/values`, { params });
  return answer.data;
}

export async function labelNames(selector?: string): Promise<string[]> {
  const answer = await request<{ data: string[] }>('GET', '/api/v1/labels', { params: { 'match[]': selector } });
  return answer.data;
}

export interface MetricMetadata {
  type: string;
  unit: string;
  help: string;
}

export async function metadata(): Promise<Record<string, MetricMetadata[]>> {
  return (await request<{ data: Record<string, MetricMetadata[]> }>('GET', '/api/v1/metadata', { params: { limit_per_metric: 1 } })).data;
}

/** The expression with its lines and spaces put right. */
export async function formatQuery(query: string, signal?: AbortSignal): Promise<string> {
  return (await request<{ data: string }>('GET', '/api/v1/format_query', { params: { query }, ...(signal && { signal }) })).data;
}

export interface ActiveAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: 'pending' | 'firing' | 'inactive';
  activeAt?: string;
  keepFiringSince?: string;
  value: string;
}

interface AnyRule {
  name: string;
  query: string;
  labels?: Record<string, string>;
  health: string;
  lastError?: string;
  /** Seconds. */
  evaluationTime: number;
  lastEvaluation: string;
  /** How many the last evaluation yielded. */
  samples?: number;
}
export interface AlertingRule extends AnyRule {
  type: 'alerting';
  state: 'firing' | 'pending' | 'inactive' | 'unknown';
  /** Seconds. */
  duration: number;
  keepFiringFor?: number;
  annotations?: Record<string, string>;
  alerts?: ActiveAlert[];
}
export interface RecordingRule extends AnyRule {
  type: 'recording';
}
export interface RuleGroup {
  name: string;
  file: string;
  rules: (AlertingRule | RecordingRule)[];
  /** Seconds. */
  interval: number;
  limit?: number;
  evaluationTime: number;
  lastEvaluation: string;
}

/** Rule groups in the notation of Prometheus, as they stand. */
export async function ruleGroups(signal?: AbortSignal): Promise<RuleGroup[]> {
  return (await request<{ data: { groups: RuleGroup[] } }>('GET', '/api/v1/rules', { signal })).data.groups;
}

export function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}
