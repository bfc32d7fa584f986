import { expect, it } from 'vitest';
import type { Answer, Receiver, Route } from '../../api/routes';
import { groupWords, intervalsOf, matchOf, ownWords, pathOf, sentenceOf } from './model';

const route = (more: Partial<Route> = {}): Route => ({
  id: '{}',
  matchers: [],
  receiver: 'ops',
  continue: false,
  group_by: ['cluster'],
  group_wait: '30s',
  group_interval: '5m',
  repeat_interval: '4h',
  active_time_intervals: [],
  mute_time_intervals: [],
  muted_by: [],
  alerts: 0,
  told: 0,
  routes: [],
  ...more,
});

it('says of a route what it does not have from its parent', () => {
  expect(ownWords(route())).toEqual(['grouped by cluster', 'waits 30 s', 'changes after 5 m', 'repeats after 4 h']);
  expect(ownWords(route(), route())).toEqual([]);
  expect(ownWords(route({ group_wait: '0s', group_by: ['...'] }), route())).toEqual(['each alert alone', 'at once']);
  const builtIn = route({ group_by: ['...'], group_wait: '0s', group_interval: '0s' });
  delete builtIn.repeat_interval;
  expect(ownWords(builtIn)).toEqual(['each alert alone', 'at once', 'changes at once', 'never repeats']);
  expect(groupWords([])).toBe('all together');
});

it('tells which intervals act now', () => {
  const words = intervalsOf(route({ mute_time_intervals: ['office', 'lunch'], active_time_intervals: ['nights'], muted_by: ['office', 'nights'] }));
  expect(words.map(({ word }) => word)).toEqual(['muted now: office', 'muted in lunch', 'quiet now, outside nights']);
});

it('follows a question through the tree', () => {
  const answer = {
    path: [
      { route: '{}', takes: true, ends: false },
      { route: 'a', takes: false, ends: false, refuses: 'team="dba"' },
      { route: 'b', takes: true, ends: true },
    ],
  } as Answer;
  const at = pathOf(answer)!;
  expect(['{}', 'a', 'b', 'c'].map((id) => at(route({ id })).verdict)).toEqual(['takes', 'refuses', 'ends', 'unasked']);
  expect(at(route({ id: 'a' })).refuses).toBe('team="dba"');
  expect(pathOf(undefined)).toBeUndefined();
});

it('leads to the alerts that the matchers down to a route fit', () => {
  expect(matchOf([route(), route({ matchers: ['team="dba"'] }), route({ matchers: ['severity=~"warning|critical"'] })])).toBe(
    'team="dba",severity=~"warning|critical"',
  );
  expect(matchOf([route()])).toBe('');
  expect(matchOf([route({ matchers: ['"a b"="c"'] })])).toBeUndefined();
});

it('names who would be told: not who is quiet or has no integration', () => {
  const receiver = (name: string, carried_out = true): Receiver => ({ name, integrations: [{ type: 'email', target: '', send_resolved: true, carried_out }] });
  const receivers = [receiver('dba'), receiver('web'), receiver('fax', false), { name: 'none', integrations: [] }];
  const answer = (muted: boolean, ...names: string[]): Answer =>
    ({ muted, routes: names.map((name) => ({ receiver: name, muted_by: name === 'dba' ? ['office'] : [] })) }) as unknown as Answer;
  expect(sentenceOf(answer(false, 'dba', 'web', 'fax'), receivers)).toBe('web would be told');
  expect(sentenceOf(answer(true, 'dba', 'web'), receivers)).toBe('Nobody would be told now');
  expect(sentenceOf(answer(false, 'none', 'fax'), receivers)).toMatch(/no receiver on the way has an integration/);
});
