import type { OcciRequest } from '../../api/occi';
import { fieldOf } from './discovery';

/** A word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

const text = { type: 'string', mutable: true, required: false } as const;
const isSecret = (name: string): boolean => name.includes('.') && fieldOf(name, text).secret;
// Letters that stand in no JSON text as they are.
const begin = '\u0001';
const end = '\u0002';

/** Secrets become variables of the shell: what is on a screen is seen. */
function bodyWord(body: object): string {
  const hidden = JSON.stringify(
    body,
    (name, value: unknown) => (typeof value === 'string' && value !== '' && isSecret(name) ? `${begin}${name.split('.').slice(-2).join('_').toUpperCase()}${end}` : value),
    2,
  ).replaceAll('\\u0001', begin).replaceAll('\\u0002', end);
  const quoted = `'${hidden.replace(/'/g, `'\\''`)}'`;
  return quoted.replace(new RegExp(`${begin}(\\w+)${end}`, 'g'), (_, name: string) => `'"$${name}"'`);
}

/** The command that does what a click does. `$TOKEN` is an API token: it is never shown. */
export function curlOf({ method, path, body }: OcciRequest, base: string): string {
  const words = ['curl'];
  if (method !== 'GET') words.push('-X', method);
  words.push('-H', '"Authorization: Bearer $TOKEN"');
  const lines = [words.join(' ')];
  if (body === undefined) lines.push(`-H 'Accept: application/json'`);
  else lines.push(`-H 'Accept: application/json' -H 'Content-Type: application/json'`, `-d ${bodyWord(body)}`);
  lines.push(shellWord(base + path));
  return lines.join(' \\\n  ');
}
