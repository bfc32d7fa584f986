import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { curlOf, shellWord } from './curl';

const base = 'http://127.0.0.1:2001';

/** What a shell makes of a command: its words. */
function wordsOf(command: string, environment: Record<string, string> = {}): string[] {
  const out = execFileSync('/bin/sh', ['-c', `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${command}`], { env: { TOKEN: 'mine', ...environment } });
  return out.toString().split('\0').slice(0, -1);
}

it('is a command that a shell reads as it was meant', () => {
  const body = { title: `it's "$HOME" \`id\` \\ ünï <b>`, attributes: { n: 5 } };
  const words = wordsOf(curlOf({ method: 'POST', path: '/occi/sensor/a b?action=stop', body }, base));
  expect(words.slice(0, 4)).toEqual(['-X', 'POST', '-H', 'Authorization: Bearer mine']);
  expect(words).toContain('Content-Type: application/json');
  expect(JSON.parse(words[words.indexOf('-d') + 1]!)).toEqual(body);
  expect(words[words.length - 1]).toBe(`${base}/occi/sensor/a b?action=stop`);
});

it('asks for JSON where nothing is sent', () => {
  expect(wordsOf(curlOf({ method: 'GET', path: '/occi/sensor/' }, base))).toEqual(['-H', 'Authorization: Bearer mine', '-H', 'Accept: application/json', `${base}/occi/sensor/`]);
});

it('shows no secret: it is a variable of the shell', () => {
  const name = 'com.example.occi.monitoring.HTTPPost.token';
  const command = curlOf({ method: 'POST', path: '/occi/sensor/', body: { attributes: { [name]: 'hunter2', 'x.url': 'http://x' } } }, base);
  expect(command).not.toContain('hunter2');
  const words = wordsOf(command, { HTTPPOST_TOKEN: 'given' });
  expect(JSON.parse(words[words.indexOf('-d') + 1]!)).toEqual({ attributes: { [name]: 'given', 'x.url': 'http://x' } });
});

it('quotes only what needs it', () => {
  expect(shellWord('http://x/occi/sensor/s1')).toBe('http://x/occi/sensor/s1');
  expect(shellWord('a?b')).toBe(`'a?b'`);
  expect(shellWord(`it's`)).toBe(`'it'\\''s'`);
});
