import { expect, it } from 'vitest';
import { shortRangeLabel } from './timerange';

const at = (text: string): number => new Date(text).getTime() / 1000;

it('says a stretch of time in the few letters that a phone has room for', () => {
  expect(shortRangeLabel({ kind: 'live', seconds: 900 })).toBe('15 m');
  expect(shortRangeLabel({ kind: 'fixed', from: at('2025-03-04T05:06:07'), to: at('2025-03-04T17:08:09') })).toBe('05:06–17:08');
  expect(shortRangeLabel({ kind: 'fixed', from: at('2025-03-04T05:06:07'), to: at('2025-03-06T17:08:09') })).toBe('03-04 – 03-06');
});
