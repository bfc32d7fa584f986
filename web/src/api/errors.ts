import type { ErrorBody } from './types';

/** An answer that is not a success, or no answer (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
    readonly retryAfter?: number,
  ) {
    super(body.error ?? `HTTP ${status}`);
  }
}

export interface ErrorWords {
  title: string;
  detail: string;
  remedy: string;
  /** Whether asking again may help. */
  retry: boolean;
}

/** The one place that turns what went wrong into words for people. */
export function describeError(error: unknown): ErrorWords {
  if (!(error instanceof ApiError)) {
    const detail = error instanceof Error ? error.message : String(error);
    return { title: 'This page has a fault', detail, remedy: 'Reload the page; if it stays, tell your administrator.', retry: true };
  }
  const { status, body } = error;
  const detail = [placeOf(body), body.error ?? ''].filter(Boolean).join(': ');
  const remedy = body.remedy ?? '';
  switch (status) {
    case 0:
      return {
        title: 'The server does not answer',
        detail: body.error ?? '',
        remedy: remedy || 'Check that it runs and that this machine reaches it. The page tries again by itself.',
        retry: true,
      };
    case 400:
    case 422:
      return { title: 'The server cannot work with this', detail, remedy, retry: false };
    case 401:
      return { title: 'You are signed out', detail, remedy: remedy || 'Sign in again.', retry: false };
    case 403:
      return {
        title: 'Your role does not allow this',
        detail,
        remedy: remedy || 'Ask an administrator of your tenant.',
        retry: false,
      };
    case 404:
      return { title: 'It is not here', detail, remedy: remedy || 'It may have been removed meanwhile.', retry: false };
    case 409:
      return { title: 'It does not fit what is there now', detail, remedy: remedy || 'Look at it again, then repeat.', retry: true };
    case 413:
      return { title: 'That is too large', detail, remedy, retry: false };
    case 429:
      return { title: 'Too many requests', detail, remedy: remedy || 'Wait a moment.', retry: true };
    case 503:
      return { title: 'The server is not ready', detail, remedy: remedy || 'It may be starting.', retry: true };
    default:
      return {
        title: status >= 500 ? 'The server failed at this' : `The server answered ${status}`,
        detail,
        remedy,
        retry: status >= 500,
      };
  }
}

function placeOf(body: ErrorBody): string {
  const { file, line, column } = body.place ?? {};
  if (file) return [file, line, column].filter((part) => part !== undefined).join(':');
  if (line !== undefined) return `line ${line}${column !== undefined ? `, column ${column}` : ''}`;
  return '';
}
