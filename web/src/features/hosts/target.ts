import type { Check } from '../../api/types';

export interface Target {
  type: Check['type'];
  /** As the check takes it: a URL, `host:port`, or the name of a program. */
  target: string;
}

const address = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+):(\d{1,5})$/i;

/**
 * What a person who types this wants checked: a URL or something with a path or a domain is HTTP,
 * `host:port` is TCP, a bare word is a process. Undefined when nothing fits.
 */
export function guessTarget(text: string): Target | undefined {
  const typed = text.trim();
  if (typed === '' || /\s/.test(typed)) return undefined;
  if (/^https?:\/\//i.test(typed)) return { type: 'http', target: typed };
  if (/^tcp:\/\//i.test(typed)) return targetOf('tcp', typed.slice(6));
  const found = address.exec(typed);
  if (found) return Number(found[2]) <= 65535 ? { type: 'tcp', target: typed } : undefined;
  if (typed.includes('/') && !typed.startsWith('/')) return { type: 'http', target: `${schemeFor(typed)}://${typed}` };
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+\.?$/i.test(typed)) return { type: 'http', target: `${schemeFor(typed)}://${typed}/` };
  return { type: 'process', target: typed };
}

/** The text read as a check of the type that the person has chosen instead. */
export function targetOf(type: Check['type'], text: string): Target | undefined {
  const typed = text.trim();
  if (typed === '') return undefined;
  if (type === 'http') {
    return { type, target: /^https?:\/\//i.test(typed) ? typed : `${schemeFor(typed)}://${typed}` };
  }
  if (type === 'tcp') {
    const bare = typed.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
    if (address.test(bare)) return { type, target: bare };
    if (!/^[a-z0-9_.-]+$/i.test(bare)) return undefined;
    return { type, target: `${bare}:${/^http:/i.test(typed) ? 80 : 443}` };
  }
  return { type, target: typed };
}

/** A name of the outside is asked by TLS; a machine's own address and any odd port are not. */
function schemeFor(text: string): 'http' | 'https' {
  const authority = text.split('/')[0]!;
  const isNumeric = /^(\[|\d+\.\d+\.\d+\.\d+)/.test(authority);
  const port = /:(\d+)$/.exec(authority)?.[1];
  if (port) return port === '443' || port === '8443' ? 'https' : 'http';
  return isNumeric || authority === 'localhost' ? 'http' : 'https';
}
