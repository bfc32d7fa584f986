import { describe, expect, it } from 'vitest';
import { asTyped, boundsOf, durationSeconds, hintOf, scalarOf, sizeBytes, tryPattern } from './hints';

const now = new Date(2026, 10, 22, 12, 30);

describe('hintOf', () => {
  it('says in words what a short form means', () => {
    expect(hintOf({ kind: 'duration' }, '90m', now)).toBe('1 h 30 m');
    expect(hintOf({ kind: 'bytes' }, '8MiB', now)).toBe('8 MiB = 8 388 608 bytes');
    expect(hintOf({ kind: 'ratio' }, 0.15, now)).toBe('15 %');
    expect(hintOf({ kind: 'cron' }, '0 0 31 2 *', now)).toContain('Never');
  });
  it('is silent about what it cannot know', () => {
    expect(hintOf({ kind: 'duration' }, '${period}', now)).toBe('');
    expect(hintOf({ kind: 'duration', or: ['never'] }, 'never', now)).toBe('');
    expect(hintOf({ kind: 'duration' }, 'soon', now)).toBe('');
    expect(hintOf({ kind: 'text' }, 'x', now)).toBe('');
    expect(hintOf({ kind: 'duration' }, '30s', now)).toBe('');
  });
});

it('reads durations and sizes', () => {
  expect(durationSeconds('90s')).toBe(90);
  expect(durationSeconds('1d12h')).toBe(129_600);
  expect(durationSeconds('90')).toBeUndefined();
  expect(sizeBytes('64kB')).toBe(64_000);
  expect(sizeBytes('1.5GiB')).toBe(1_610_612_736);
  expect(sizeBytes('lots')).toBeUndefined();
});

it('writes numbers plain and leaves what is none', () => {
  expect(scalarOf({ kind: 'number' }, '0.15')).toBe(0.15);
  expect(scalarOf({ kind: 'port' }, '${port}')).toBe('${port}');
  expect(scalarOf({ kind: 'integer' }, '1x')).toBe('1x');
  expect(scalarOf({ kind: 'integer' }, '90071992547409930')).toBe('90071992547409930');
  expect(scalarOf({ kind: 'text' }, '12')).toBe('12');
});

it('tries a pattern on a line', () => {
  expect(tryPattern('ERR(OR)?', 'an ERROR here')).toEqual({ begin: 3, end: 8 });
  expect(tryPattern('(?i)error', 'an ERROR here')).toEqual({ begin: 3, end: 8 });
  expect(tryPattern('fatal', 'an ERROR here')).toBe('no');
  expect(tryPattern('(', 'x')).toBeUndefined();
});

it('tells bounds in the unit of the type', () => {
  expect(boundsOf({ kind: 'integer', min: 1, max: 10 })).toBe('1 to 10');
  expect(boundsOf({ kind: 'duration', min: 1000 })).toBe('at least 1 s');
  expect(boundsOf({ kind: 'text', min: 1 })).toBe('at least 1 letter');
  expect(boundsOf({ kind: 'text', max: 40 })).toBe('at most 40 letters');
  expect(boundsOf({ kind: 'text' })).toBe('');
});

it('shows a default as it would be typed', () => {
  expect(asTyped(['a', 'b'])).toBe('a, b');
  expect(asTyped(null)).toBe('');
  expect(asTyped(false)).toBe('false');
});
