import { describe, expect, it } from 'vitest';
import type { Alert, Silence } from '../../api/types';
import { bodyOf, draftOf, faultOfDraft, hiddenBy, labelValues, newDraft, originPath, stateAt, whenText } from './model';

const noon = Date.parse('2026-01-01T12:00:00Z') / 1000;
const silence: Silence = {
  id: 's1',
  status: { state: 'active' },
  matchers: [
    { name: 'team', value: 'ops|db', isRegex: true, isEqual: true },
    { name: 'instance', value: 'web1', isRegex: false, isEqual: false },
  ],
  startsAt: '2026-01-01T11:00:00Z',
  endsAt: '2026-01-01T14:00:00Z',
  createdBy: 'ana',
  comment: 'works',
  text: 'team=~"ops|db",instance!="web1"',
  hides: 0,
  hidden_alerts: [],
};
const alert = (id: string, labels: Record<string, string>, patch: Partial<Alert> = {}): Alert => ({
  id,
  name: id,
  state: 'firing',
  severity: 'critical',
  labels,
  started: 0,
  ...patch,
});

describe('a silence in time', () => {
  it('begins and ends by the clock', () => {
    expect([noon - 7200, noon, noon + 7200].map((now) => stateAt(silence, now))).toEqual(['pending', 'active', 'expired']);
  });
  it('says how long it still lasts, or how long it is over', () => {
    expect(whenText(silence, noon)).toBe('2 h left');
    expect(whenText({ ...silence, endsAt: '2100-06-15T12:00:00Z' }, noon)).toBe('until 2100-06-15');
    expect(whenText(silence, noon + 7200 + 60)).toBe('ended 1 m ago');
    expect(whenText(silence, noon - 7200)).toContain('for 3 h');
  });
});

describe('a silence that recurs', () => {
  const nights: Silence = {
    ...silence,
    endsAt: '9999-12-31T23:59:59Z',
    windows: [{ weekdays: ['monday:friday'], times: [{ start_time: '22:00', end_time: '24:00' }], location: 'Europe/Madrid' }],
  };
  it('says when', () => {
    expect(whenText(nights, noon)).toBe('monday–friday 22:00–24:00 Europe/Madrid');
  });
  it('runs as the server says, which knows the calendar', () => {
    expect(stateAt(nights, noon)).toBe('active');
    expect(stateAt({ ...nights, status: { state: 'pending' } }, noon)).toBe('pending');
  });
});

describe('the form of a silence', () => {
  it('keeps the end of one that is changed, and its begin only while it has not begun', () => {
    expect(bodyOf(draftOf(silence, noon, false))).toEqual({
      id: 's1',
      matchers: 'team=~"ops|db",instance!="web1"',
      comment: 'works',
      until: '2026-01-01T14:00:00Z',
    });
    expect(bodyOf(draftOf(silence, noon - 7200, false)).starts).toBe('2026-01-01T11:00:00Z');
  });
  it('makes another one like it from now on', () => {
    expect(bodyOf(draftOf(silence, noon, true))).toEqual({ matchers: 'team=~"ops|db",instance!="web1"', comment: 'works', for: '1h' });
  });
  it('says what is missing or wrong before anything is sent', () => {
    expect(faultOfDraft(newDraft(), noon)).toContain('at least one matcher');
    expect(faultOfDraft(newDraft('team=~"("'), noon)).toContain('no regular expression');
    expect(faultOfDraft(newDraft('team!="ops"'), noon)).toContain('match every alert');
    expect(faultOfDraft({ ...newDraft('team=ops'), until: '2026-01-01T11:59:00Z' }, noon)).toContain('end before');
    expect(faultOfDraft(newDraft('team=ops'), noon)).toBe('');
  });
});

describe('what a silence would hide', () => {
  const alerts = [
    alert('a', { team: 'ops', instance: 'web1' }),
    alert('b', { team: 'db', instance: 'db1' }),
    alert('c', { team: 'db', instance: 'db2' }, { severity: 'warning' }),
  ];
  it('is what meets every matcher, the severity among the labels', () => {
    const hidden = (match: string): string[] => hiddenBy(newDraft(match).matchers, alerts).map(({ id }) => id);
    expect(hidden('team=~"ops|db",instance!="web1"')).toEqual(['b', 'c']);
    expect(hidden('severity="warning"')).toEqual(['c']);
    expect(hidden('team=~"("')).toEqual([]);
  });
  it('is found by values that the alerts have, the most frequent first', () => {
    expect(labelValues(alerts, 'team')).toEqual(['db', 'ops']);
    expect(labelValues(alerts, 'severity')).toEqual(['critical', 'warning']);
  });
});

it('finds the item of a package that declares one', () => {
  expect(originPath('ops/works/night')).toEqual(['packages', 'ops', 'silences', 'works', 'night']);
});
