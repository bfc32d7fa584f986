import type { Incident } from './incidents';

/** The shapes of the API under /api/atalaya/v1. Times are RFC 3339 text unless said otherwise. */
export type Time = string | number;
export type Labels = Record<string, string>;
export type Role = 'viewer' | 'operator' | 'admin';
/** `ingest` sends samples, alerts, heartbeats and results of checks, and does nothing else. */
export type TokenRole = 'ingest' | Role;

export interface User {
  id: string;
  name: string;
  role: Role;
  tenant?: string;
  created?: Time;
  last_seen?: Time | null;
  has_password?: boolean;
  /** A person, or a script's token used as one. */
  kind?: 'user' | 'token' | string;
}

export interface SignIn {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  user?: User;
}

export interface Token {
  id: string;
  name: string;
  role: TokenRole;
  created?: Time;
  expires?: Time | null;
  revoked?: boolean;
}

export type HostState = 'up' | 'down' | 'never';

export interface Host {
  id: string;
  name: string;
  state: HostState;
  last_seen?: Time | null;
  version?: string;
  created?: Time;
  facts?: Record<string, string | number>;
  alerts?: { critical?: number; warning?: number; no_data?: number };
  /** In live frames: the host is gone. */
  removed?: boolean;
}

export interface Enrolment {
  token: string;
  command: string;
  expires?: Time;
}

export interface Check {
  id: string;
  name: string;
  type: 'http' | 'tcp' | 'process';
  target: string;
  on: string;
  period?: string | number;
  state: 'up' | 'down' | 'unknown';
  text?: string;
  since?: Time | null;
  /** Added by a person on demand; others are declared in packages. */
  removable?: boolean;
}

export interface NewCheck {
  type: Check['type'];
  target: string;
  on?: string;
  name?: string;
  period?: string;
  expect_status?: number;
  expect_text?: string;
}

export type AlertState = 'pending' | 'firing' | 'no_data' | 'resolved';
export type Severity = 'warning' | 'critical' | 'none';

export interface Alert {
  id: string;
  /** Counts from 1: how often this alert has opened. */
  episode?: number;
  name: string;
  rule?: string;
  /** `posted`: sent by others; it has no rule and no value. */
  kind?: 'gauge' | 'binary' | 'tailable' | 'posted';
  state: AlertState;
  severity: Severity;
  labels: Labels;
  annotations?: Labels;
  value?: number | string | null;
  text?: string;
  started: Time;
  fired?: Time | null;
  resolved?: Time | null;
  updated?: Time;
  late?: boolean;
  count?: number;
  /** What people did with it. */
  status?: 'open' | 'acknowledged' | 'shelved' | 'suppressed' | 'closed' | 'resolved';
  ack?: Word | null;
  shelf?: Word | null;
  closed?: Word | null;
  severity_before?: Severity;
  trend?: 'more_severe' | 'less_severe' | 'no_change';
  flapping?: boolean;
  /** Ids of silences that hide it now. */
  silenced_by?: string[];
  door?: string;
  generator_url?: string;
  ends?: Time;
  expr?: string;
  /** The number of the one that it belongs to. */
  incident?: string;
  /** That incident is acknowledged; while the alert is open. */
  incident_acknowledged?: boolean;
  /** It depends on this one: what it says itself nobody knows. */
  unknown_because?: { alert: string; name: string; text?: string };
}

/** What a person said of an alert. */
export interface Word {
  by: string;
  at: Time;
  until?: Time;
  note?: string;
}

/** A time interval of Alertmanager's. */
export interface SilenceWindow {
  times?: { start_time: string; end_time: string }[];
  weekdays?: string[];
  days_of_month?: string[];
  months?: string[];
  years?: string[];
  location?: string;
}

export interface Silence {
  id: string;
  status: { state: 'active' | 'pending' | 'expired' };
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[];
  startsAt: Time;
  endsAt: Time;
  updatedAt?: Time;
  createdBy: string;
  comment: string;
  /** The package item that declares it: `package/name`. */
  origin?: string;
  /** Where it recurs: it is pending between them. */
  windows?: SilenceWindow[];
  text: string;
  /** How many alerts it hides now, and which (the first thousand). */
  hides: number;
  hidden_alerts: string[];
}

export interface AlertEvent {
  at: Time;
  /** When the data was measured that was judged. */
  data_at?: Time;
  episode?: number;
  from?: string;
  to: string;
  severity?: Severity;
  value?: number | string | null;
  text?: string;
  by?: string;
  late?: boolean;
}

export interface Attempt {
  at: Time;
  ok: boolean;
  status?: number | string;
  answer?: string;
  took_ms?: number;
}

export type DeliveryState = 'queued' | 'sent' | 'failed' | 'retrying';

export interface Delivery {
  channel: string;
  type?: string;
  state: DeliveryState;
  transition?: number | string;
  created?: Time;
  next_attempt?: Time | null;
  attempts?: Attempt[];
}

/** A delivery with what it is about, as the list of recent notifications has it. */
export interface Notice extends Delivery {
  id: string;
  alert_id?: string;
  alert_name?: string;
}

export interface AlertDetail extends Alert {
  history?: AlertEvent[];
  notifications?: Delivery[];
}

export interface LogRecord {
  id: string | number;
  time: Time;
  labels: Labels;
  line: string;
}

export interface Rule {
  id: string;
  package: string;
  group?: string;
  name: string;
  title?: string;
  kind?: string;
  expr?: string;
  state: 'ok' | 'warning' | 'critical' | 'no_data' | 'error';
  series?: number;
  error?: string;
  file?: string;
  line?: number;
}

export interface PackageError {
  file?: string;
  line?: number;
  column?: number;
  message: string;
  remedy?: string;
}

export interface Package {
  name: string;
  version?: string;
  state: 'ok' | 'broken';
  errors?: PackageError[];
  items?: number | Record<string, number>;
}

export interface Channel {
  id: string;
  type: string;
  target?: string;
}

/** What the server pushes to open browsers over the live topic "notifications". */
export interface Push {
  id: string;
  title: string;
  text?: string;
  severity?: Severity;
  state?: AlertState;
  alert_id?: string;
  at?: Time;
}

export interface ErrorBody {
  status?: string;
  errorType?: string;
  error?: string;
  place?: { file?: string; line?: number; column?: number };
  remedy?: string;
}

/** A point of a PromQL answer: unix seconds and the value as text. */
export type Point = [number, string];
export interface MatrixSeries {
  metric: Labels;
  values: Point[];
}
export interface VectorElement {
  metric: Labels;
  value: Point;
}

/** What a page may ask the live socket for. */
export type Topic =
  | { topic: 'query'; query: string; lookback_delta?: string }
  | { topic: 'alerts' | 'silences' | 'routes' | 'incidents' | 'hosts' | 'notifications' | 'packages' | 'items' }
  | { topic: 'logs'; match?: string; text?: string };

export interface LiveFrame {
  type: 'data' | 'error' | 'ready';
  id: string;
  time?: number;
  result?: { metric: Labels; value: string }[];
  alert?: Alert;
  incident?: Incident;
  host?: Host;
  logs?: LogRecord[];
  notification?: Push;
  /** Names of packages that have changed. */
  packages?: string[];
  error?: string;
}
