import type { Params } from '../api/client';
import { ApiError } from '../api/errors';
import type { ErrorBody } from '../api/types';
import { correctClock } from '../state/clock.svelte';

const meta = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? '';

/** The way to the server's root, as the page says it. */
export const root = new URL(meta('atalaya-root') || '../../', location.href);

/** Seconds by which the server's clock is ahead of this browser's, when the page was made. */
const skew = ((): number => {
  const made = Number(meta('atalaya-now'));
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  if (!made || !navigation) return 0;
  const came = (performance.timeOrigin + navigation.responseStart) / 1000;
  // Within a second it is the way that the answer took.
  return Math.abs(made - came) < 1 ? 0 : made - came;
})();
correctClock(skew);

/**
 * How a page reads (`…/query`, `…/alerts`): its cookie is the credential, and below `/p/-/`, by the last name of the
 * path, is the only place that takes it.
 */
export async function askAsPage<T>(path: string, params: Params, signal?: AbortSignal): Promise<T> {
  const url = new URL(`p/-/${path.slice(path.lastIndexOf('/') + 1)}`, root);
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  let answer: Response;
  try {
    answer = await fetch(url, { headers: { Accept: 'application/json' }, credentials: 'same-origin', signal: signal ?? null });
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === 'AbortError') throw reason;
    throw new ApiError(0, { error: reason instanceof Error ? reason.message : String(reason) });
  }
  if (answer.ok) return (await answer.json()) as T;
  const body = (await answer.json().catch(() => ({}))) as ErrorBody;
  if (answer.status === 401) body.remedy = 'Open the page again from the web UI.';
  throw new ApiError(answer.status, body, Number(answer.headers.get('Retry-After')) || undefined);
}
