import { describe, expect, it } from 'vitest';
import { nextRuns, parseCron } from './cron';

// Sunday, 22 November 2026.
const now = new Date(2026, 10, 22, 12, 30, 20);
const runs = (text: string, count = 2): string[] =>
  nextRuns(text, now, count).map((d) => `${d.getMonth() + 1}-${d.getDate()} ${d.getHours()}:${String(d.getMinutes()).padStart(2, '0')}`);

describe('nextRuns', () => {
  it('knows steps, ranges, lists and names', () => {
    expect(runs('*/15 * * * *', 3)).toEqual(['11-22 12:45', '11-22 13:00', '11-22 13:15']);
    expect(runs('0 9-17/4 * * *', 3)).toEqual(['11-22 13:00', '11-22 17:00', '11-23 9:00']);
    expect(runs('0 3 * * mon-fri')).toEqual(['11-23 3:00', '11-24 3:00']);
    expect(runs('30 0 1 jan *', 1)).toEqual(['1-1 0:30']);
    expect(runs('@weekly', 1)).toEqual(['11-29 0:00']);
  });
  it('takes either day when both are restricted', () => {
    expect(runs('0 0 25 * 1', 3)).toEqual(['11-23 0:00', '11-25 0:00', '11-30 0:00']);
  });
  it('reads Sunday as 0 and as 7', () => {
    expect(runs('0 0 * * 7', 1)).toEqual(runs('0 0 * * 0', 1));
  });
  it('gives none for a day that never comes', () => {
    expect(runs('0 0 31 2 *')).toEqual([]);
  });
});

it('refuses what is no cron', () => {
  for (const text of ['', '* * * *', '60 * * * *', '* * * * moo', '5-1 * * * *', '@often']) expect(parseCron(text), text).toBeUndefined();
});
