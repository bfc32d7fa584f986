import { expect, it } from 'vitest';
import type { Notice } from '../../api/types';
import { newTest, outcomeOf, transitionWord } from './deliveries';

const notice = (id: string, channel: string, transition: string): Notice => ({ id, channel, transition, state: 'sent' });

it('says the status and the answer of the newest attempt', () => {
  const attempts = [
    { at: 1, ok: false, status: 503, answer: 'down' },
    { at: 2, ok: true, status: 200, answer: 'ok' },
  ];
  expect(outcomeOf({ ...notice('1', 'hook', 'firing'), attempts })).toBe('200 ok');
  expect(outcomeOf(notice('1', 'hook', 'firing'))).toBe('');
  expect(outcomeOf({ ...notice('1', 'hook', 'firing'), attempts: [{ at: 1, ok: true, status: 0, answer: '1 open browser' }] })).toBe(
    '1 open browser',
  );
});
it('finds the test that was just sent and no earlier one', () => {
  const list = [notice('c', 'other', 'test'), notice('b', 'hook', 'test'), notice('a', 'hook', 'test')];
  expect(newTest(list, 'hook', new Set(['a']))?.id).toBe('b');
  expect(newTest(list, 'hook', new Set(['a', 'b']))).toBeUndefined();
});
it('writes transitions as words', () => {
  expect(transitionWord('no_data')).toBe('no data');
  expect(transitionWord(undefined)).toBe('');
});
