import { api, request, requestWithWarnings } from './client';
import type { Time } from './types';

/** OCCI 1.2 as JSON (GFD.226): docs/formats/occi.md. */
export type Scalar = string | number | boolean;

export interface AttributeSpec {
  type: 'string' | 'number' | 'boolean';
  mutable: boolean;
  required: boolean;
  description?: string;
  default?: Scalar;
  pattern?: string;
}

/** A kind, a mixin or an action. */
export interface Category {
  term: string;
  scheme: string;
  title?: string;
  location?: string;
  parent?: string;
  attributes?: Record<string, AttributeSpec>;
  actions?: string[];
  depends?: string[];
  applies?: string[];
}

export interface Discovered {
  kinds: Category[];
  mixins: Category[];
  actions: Category[];
}

export interface End {
  kind: string;
  location: string;
}

export interface OcciEntity {
  kind: string;
  /** `urn:uuid:` and what stands last in its address. */
  id: string;
  title?: string;
  summary?: string;
  mixins?: string[];
  attributes: Record<string, Scalar>;
  /** Those that its state allows now. */
  actions?: string[];
  source?: End;
  target?: End;
  /** Of a resource: those that begin there. */
  links?: OcciEntity[];
}

export interface Collection {
  resources?: OcciEntity[];
  links?: OcciEntity[];
}

/** What is sent: the same is done by `curl`. */
export interface OcciRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: object;
}

export interface FlowValue {
  time?: Time;
  value?: number | 'NaN' | '+Inf' | '-Inf';
  line?: string;
}

/** The newest values of a sensor that runs. */
export interface SensorFlow {
  id: string;
  state: string;
  message: string;
  values: number;
  collected: (FlowValue & { collector: string; metric: string; stream: string; problem?: string })[];
  given: Record<string, FlowValue>;
  problems: Record<string, string>;
}

export const mostSensorsAtOnce = 50;
const mostEntities = 10_000;

export const occi = {
  discover: (signal?: AbortSignal) => request<Discovered>('GET', '/occi/-/', { signal }),
  list: async (location: string, signal?: AbortSignal): Promise<OcciEntity[]> => {
    const found = await request<Collection | undefined>('GET', location, { params: { number: mostEntities }, signal });
    return [...(found?.resources ?? []), ...(found?.links ?? [])];
  },
  send: ({ method, path, body }: OcciRequest) => requestWithWarnings<OcciEntity>(method, path, { body }),
  flow: async (sensors: string[], signal?: AbortSignal) =>
    (await api.get<{ sensors: SensorFlow[] }>('/sensors/flow', { sensors: sensors.join(',') }, signal)).sensors,
};
