import { api } from './client';
import type { Alert, Labels, Silence } from './types';

/** A route of the tree; matchers in Alertmanager's notation, durations as `30s`. */
export interface Route {
  id: string;
  matchers: string[];
  receiver: string;
  continue: boolean;
  /** `...` alone: by every label. */
  group_by: string[];
  group_wait: string;
  group_interval: string;
  repeat_interval?: string;
  active_time_intervals: string[];
  mute_time_intervals: string[];
  /** Those that keep it quiet now. */
  muted_by: string[];
  /** Open alerts that it, or something below it, takes; those that it takes itself. */
  alerts: number;
  told: number;
  place?: string;
  routes: Route[];
}

export interface Integration {
  type: string;
  target: string;
  send_resolved: boolean;
  carried_out: boolean;
  place?: string;
}
export interface Receiver {
  name: string;
  integrations: Integration[];
  place?: string;
}
export interface InhibitRule {
  name?: string;
  source: string[];
  target: string[];
  equal: string[];
  place?: string;
}
export interface TimeInterval {
  name: string;
  within: boolean;
  times: string[];
}

export interface Routes {
  built_in: boolean;
  file?: string;
  package?: string;
  idle_packages: string[];
  warnings: { message: string; remedy?: string; place?: string }[];
  resolve_timeout: string;
  open: number;
  route: Route;
  receivers: Receiver[];
  inhibit_rules: InhibitRule[];
  time_intervals: TimeInterval[];
}

/** A route that was asked about an alert. */
export interface Visit {
  route: string;
  takes: boolean;
  /** It does itself: nothing below it does. */
  ends: boolean;
  /** Its first matcher that does not match. */
  refuses?: string;
}

export interface Told {
  route: string;
  receiver: string;
  group_labels: Labels;
  group_key: string;
  group_wait: string;
  group_interval: string;
  repeat_interval?: string;
  muted_by: string[];
}

export interface Answer {
  labels: Labels;
  alert?: Alert;
  path: Visit[];
  routes: Told[];
  receivers: string[];
  muted: boolean;
  silences: Silence[];
  inhibited_by: { labels: Labels; alert?: string; rule?: number }[];
}

/** What is asked about: labels as people write them, or an alert. */
export type Question = { text: string } | { alert: string };

export const routesApi = {
  get: (signal?: AbortSignal) => api.get<Routes>('/routes', undefined, signal),
  test: (question: Question) => api.post<Answer>('/routes/test', question),
};
