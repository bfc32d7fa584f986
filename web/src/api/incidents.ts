import { api } from './client';
import type { Alert, AlertState, DeliveryState, Labels, Severity, Time, Word } from './types';

export type IncidentState = 'open' | 'acknowledged' | 'closed';

/** Alerts that belong together, and what people do about them. */
export interface Incident {
  /** Its number: people say “incident 42”. */
  id: string;
  title: string;
  state: IncidentState;
  /** The worst of its open alerts; once closed as it was last. */
  severity: Severity;
  /** The worst that it ever was. */
  worst: Severity;
  trend?: 'more_severe' | 'less_severe' | 'no_change';
  severity_before?: Severity;
  opened: Time;
  updated: Time;
  closed?: Time;
  owner?: string;
  ack?: Word;
  closed_by?: Word;
  /** How often it opened again. */
  reopened?: number;
  /** By which alerts join it. */
  labels: Labels;
  cause?: { alert: string; name: string; text?: string };
  /** Of those open: `unknown` depend on something that is down. */
  counts: { open: number; critical: number; warning: number; no_data: number; unknown: number; total: number };
  merged_into?: string;
}

export interface MemberAlert extends Alert {
  joined: Time;
  joined_by: 'first' | 'group' | 'correlate' | 'topology' | 'person';
  left?: Time;
  in_incident: boolean;
}

export interface IncidentEvent {
  at: Time;
  /** opened, reopened, closed, acknowledged, unacknowledged, assigned, note, severity, joined, merged; alert; notification */
  kind: string;
  text?: string;
  by?: string;
  severity?: Severity;
  alert?: { id: string; name: string; labels?: Labels };
  from?: AlertState | string;
  to?: AlertState | string;
  value?: number | string | null;
  notification?: { id: string; channel: string; type?: string; state: DeliveryState };
}

export interface IncidentDetail extends Incident {
  alerts: MemberAlert[];
  timeline: IncidentEvent[];
  /** What its alerts judge. */
  series: { alert: string; name: string; expr: string; labels: Labels }[];
}

export interface IncidentPage {
  incidents: Incident[];
  next?: string;
  counts: { open: number; acknowledged: number };
}

const address = (id: string, rest = ''): string => `/incidents/${encodeURIComponent(id)}${rest}`;

export const incidentsApi = {
  list: (params: { state: IncidentState | 'active' | 'all'; limit?: number; before?: string | undefined; text?: string }, signal?: AbortSignal) =>
    api.get<IncidentPage>('/incidents', params, signal),
  get: (id: string, signal?: AbortSignal) => api.get<IncidentDetail>(address(id), undefined, signal),
  ack: (id: string, body: { note?: string; until?: string; for?: string; owner?: string }) => api.post<IncidentDetail>(address(id, '/ack'), body),
  unack: (id: string) => api.remove<IncidentDetail>(address(id, '/ack')),
  assign: (id: string, body: { owner: string; note?: string }) => api.post<IncidentDetail>(address(id, '/assign'), body),
  close: (id: string, body: { note?: string }) => api.post<IncidentDetail>(address(id, '/close'), body),
  merge: (id: string, body: { into: string; note?: string }) => api.post<IncidentDetail>(address(id, '/merge'), body),
  note: (id: string, text: string) => api.post<IncidentDetail>(address(id, '/notes'), { text }),
};
