import { expect, test } from 'vitest';
import { markPlace } from './errorplace';

test('a place within a query is cut out', () => {
  expect(markPlace('sum(up))', 1, 8)).toEqual({ before: 'sum(up)', at: ')', after: '' });
  expect(markPlace('sum(\nup +', 2, 4)).toEqual({ before: 'sum(\nup ', at: '+', after: '' });
});

test('an error at the end marks the place after it', () => {
  expect(markPlace('sum(', 1, 5)).toEqual({ before: 'sum(', at: ' ', after: '' });
});

test('places outside the text are no places', () => {
  expect(markPlace('up', 2, 1)).toBeUndefined();
  expect(markPlace('up', 1, 9)).toBeUndefined();
  expect(markPlace('up', 0, 0)).toBeUndefined();
});
