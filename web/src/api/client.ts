import { apiUrl } from './config';
import { ApiError } from './errors';
import { session } from './session';
import type { ErrorBody } from './types';

export type Params = Record<string, string | number | undefined>;

let onSignedOut: () => void = () => {};

/** Called when the server no longer accepts this browser's tokens. */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

type Read = <T>(path: string, params: Params, signal?: AbortSignal) => Promise<T>;
let read: Read | undefined;

/** Lets what is only read go another way: the pages of packages come with a cookie of their own. */
export function readBy(other: Read): void {
  read = other;
}

/** Whether this is the page of a package: it reads, asks now and then, and may do nothing else. */
export const isPage = (): boolean => read !== undefined;

interface Options {
  params?: Params;
  body?: unknown;
  signal?: AbortSignal;
  /** Sign-in itself: sent without a token, and 401 means a wrong password. */
  anonymous?: boolean;
}

function withParams(path: string, params: Params | undefined): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params ?? {})) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return apiUrl(path) + (text ? `?${text}` : '');
}

async function send(method: string, path: string, options: Options, token: string | undefined): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  let body: BodyInit | undefined;
  if (options.body instanceof URLSearchParams || options.body instanceof Blob) body = options.body;
  else if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(options.body);
  }
  try {
    return await fetch(withParams(path, options.params), { method, headers, body, signal: options.signal });
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === 'AbortError') throw reason;
    throw new ApiError(0, { error: reason instanceof Error ? reason.message : String(reason) });
  }
}

/** One request; renews the tokens once when they are refused. Throws ApiError. */
async function exchange(method: string, path: string, options: Options): Promise<Response> {
  const token = options.anonymous ? undefined : await session.accessToken();
  let answer = await send(method, path, options, token);
  if (answer.status === 401 && !options.anonymous) {
    if (token && (await session.refresh(token))) {
      answer = await send(method, path, options, await session.accessToken());
    }
    if (answer.status === 401) onSignedOut();
  }
  if (!answer.ok) {
    const body = (await answer.json().catch(() => ({}))) as ErrorBody;
    const retryAfter = Number(answer.headers.get('Retry-After')) || undefined;
    throw new ApiError(answer.status, body, retryAfter);
  }
  return answer;
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  if (read && method === 'GET') return read<T>(path, options.params ?? {}, options.signal);
  const answer = await exchange(method, path, options);
  if (answer.status === 204) return undefined as T;
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** A request whose answer also says in headers what was taken in another way than it was written. */
export async function requestWithWarnings<T>(method: string, path: string, options: Options = {}): Promise<{ body: T | undefined; warnings: string[] }> {
  const answer = await exchange(method, path, options);
  const text = await answer.text();
  return { body: text ? (JSON.parse(text) as T) : undefined, warnings: warningsOf(answer.headers.get('Warning') ?? '') };
}

/** The texts of `299 atalaya "…", 299 atalaya "…"` (RFC 7234, 5.5). */
export function warningsOf(header: string): string[] {
  return [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replace(/\\(.)/g, '$1'));
}

const prefix = '/api/atalaya/v1';

export const api = {
  get: <T>(path: string, params?: Params, signal?: AbortSignal) => request<T>('GET', prefix + path, { params, signal }),
  post: <T>(path: string, body: unknown = {}, signal?: AbortSignal) => request<T>('POST', prefix + path, { body, signal }),
  patch: <T>(path: string, body: unknown) => request<T>('PATCH', prefix + path, { body }),
  remove: <T = void>(path: string) => request<T>('DELETE', prefix + path),
  signIn: <T>(path: string, body: unknown) => request<T>('POST', prefix + path, { body, anonymous: true }),
};

/** The bytes of an answer, for files that are saved. */
export async function download(path: string): Promise<Blob> {
  return (await exchange('GET', prefix + path, {})).blob();
}

/** Bytes as they are. */
export function upload<T>(path: string, bytes: Blob, params?: Params): Promise<T> {
  return request<T>('POST', prefix + path, { body: bytes, params });
}
