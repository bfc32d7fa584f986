import { describe, expect, it } from 'vitest';
import type { Value } from '../../api/packages';
import type { MatrixSeries } from '../../api/types';
import { draftsOf } from './drafts';
import { leadOf, previewOf, stepOf, type AlertingDraft, type Grid, type ThresholdDraft } from './preview';

const alerting: AlertingDraft = { kind: 'alerting', name: 'a', expr: 'x > 1', hold: 0, keep: 0, interval: 60, offset: 0 };
const gauge: ThresholdDraft = {
  kind: 'gauge', name: 'g', expr: 'x', hold: 0, above: true, warning: 5, critical: 8, hysteresis: 0, failures: 1, severity: 'critical', noData: undefined,
};
/** One minute a letter; `.` is no value. */
function series(text: string, metric: Record<string, string> = { __name__: 'x', i: 'a' }, from = 0): MatrixSeries {
  return { metric, values: [...text].flatMap((one, i) => (one === '.' ? [] : [[from + i * 60, one] as [number, string]])) };
}
const grid = (text: string, seen = 0): Grid => ({ from: 0, seen, to: (text.length - 1) * 60, step: 60 });
/** State a minute, `-` none. */
function states(draft: AlertingDraft | ThresholdDraft, text: string): string {
  const track = previewOf(draft, [series(text)], grid(text)).tracks[0];
  return [...text].map((_, i) => {
    const found = track?.spans.find(({ from, to, lasts }) => i * 60 >= from && (lasts ? i * 60 <= to : i * 60 < to));
    return found ? found.state[0] : '-';
  }).join('');
}

describe('an alerting rule', () => {
  it('fires at once without for', () => {
    expect(states(alerting, '.22..')).toBe('-ff--');
  });
  it('is pending until for has passed, and begins anew after a gap', () => {
    expect(states({ ...alerting, hold: 120 }, '.222.22222.')).toBe('-ppf-ppfff-');
  });
  it('never fires where the breach is shorter than for', () => {
    const { tracks } = previewOf({ ...alerting, hold: 180 }, [series('.22.22.')], grid('.22.22.'));
    expect(tracks[0]).toMatchObject({ fired: 0, firing: 0 });
    expect(tracks[0]!.spans.every(({ state }) => state === 'pending')).toBe(true);
  });
  it('keeps firing for a while, counted from the first evaluation without a result', () => {
    expect(states({ ...alerting, keep: 120 }, '.2....')).toBe('-fff--');
    expect(states({ ...alerting, keep: 120 }, '.2..2....')).toBe('-ffffff--');
    expect(states({ ...alerting, hold: 60, keep: 600 }, '.2.2.')).toBe('-p-p-');
  });
  it('counts how often and how long it fired', () => {
    const text = '.22.2.2222';
    const { tracks } = previewOf(alerting, [series(text)], grid(text));
    expect(tracks[0]).toMatchObject({ fired: 3, labels: { i: 'a' } });
    expect(tracks[0]!.firing).toBe(120 + 60 + 180);
    expect(tracks[0]!.spans.at(-1)).toMatchObject({ lasts: true, to: 540 });
  });
  it('knows at the beginning of the range what led there', () => {
    const text = '222222';
    const { tracks } = previewOf({ ...alerting, hold: 120 }, [series(text)], grid(text, 180));
    expect(tracks[0]!.spans).toEqual([{ from: 180, to: 300, state: 'firing', lasts: true }]);
    expect(tracks[0]!.fired).toBe(1);
  });
  it('looks into the past by its offset', () => {
    const { tracks } = previewOf({ ...alerting, offset: 60 }, [series('2', undefined, -60)], grid('..'));
    expect(tracks[0]!.spans[0]).toMatchObject({ from: 0, state: 'firing' });
  });
  it('says when two series would be one alert', () => {
    const two = [series('2', { __name__: 'x' }), series('3', { __name__: 'y' })];
    expect(previewOf(alerting, two, grid('2')).same).toBe(true);
    expect(previewOf(alerting, [series('2.'), series('.2', { __name__: 'y', i: 'a' })], grid('..')).same).toBe(false);
  });
  it('puts the worst alert first and leaves out what was never active', () => {
    const all = [series('....', { i: 'quiet' }), series('.2..', { i: 'once' }), series('2.2.', { i: 'twice' })];
    expect(previewOf(alerting, all, grid('....')).tracks.map(({ labels }) => labels.i)).toEqual(['twice', 'once']);
  });
});

describe('a rule with thresholds', () => {
  it('has the level of the value, strictly beyond the threshold', () => {
    expect(states(gauge, '15689861')).toBe('--wwcww-');
    expect(states({ ...gauge, above: false, warning: 3, critical: 1 }, '4320234')).toBe('--wcw--');
  });
  it('holds a level until the value has come back by the hysteresis', () => {
    expect(states({ ...gauge, hysteresis: 2 }, '19764341')).toBe('-ccww---');
  });
  it('is pending for a while, whichever level it has', () => {
    expect(states({ ...gauge, hold: 120 }, '1696691')).toBe('-ppwwc-');
  });
  it('goes on as it was over a gap, and tells silence when it lasts', () => {
    expect(states(gauge, '16..6')).toBe('-wwww');
    expect(states({ ...gauge, noData: 120 }, '11....1')).toBe('----nn-');
  });
  it('of two states is down after failures in a row', () => {
    expect(states({ ...gauge, kind: 'binary', failures: 2 }, '1011001')).toBe('-----c-');
  });
});

it('looks as often as the rule is evaluated, but not at more instants than can be had', () => {
  expect(stepOf(alerting, 3600)).toBe(60);
  expect(stepOf(gauge, 600)).toBe(1);
  expect(stepOf(gauge, 86_400)).toBe(15);
  expect(leadOf({ ...alerting, hold: 300, keep: 60 }, 3600)).toBe(420);
  expect(leadOf({ ...gauge, hold: 1e9 }, 3600)).toBe(86_400);
  expect(leadOf({ ...gauge, noData: 1e9 }, 3600)).toBe(3600);
  for (const seconds of [60, 3600, 604_800]) {
    const slow = { ...gauge, hold: 1e9, noData: 1e9 };
    expect((seconds + leadOf(slow, seconds)) / stepOf(slow, seconds)).toBeLessThanOrEqual(6000);
  }
});

describe('what is written in a package', () => {
  it('is read with the defaults of the schema', () => {
    expect(draftsOf('rules', 'full', { title: 'Full', for: '5m', gauge: { expr: 'x', below: { critical: 0.1 } } })).toEqual([
      { kind: 'gauge', name: 'Full', expr: 'x', hold: 300, above: false, warning: undefined, critical: 0.1, hysteresis: 0, failures: 1, severity: 'critical', noData: 300 },
    ]);
    expect(draftsOf('rules', 'up', { no_data: 'never', binary: { expr: 'up', failures: 3, severity: 'warning' } })[0]).toMatchObject({ name: 'up', failures: 3, severity: 'warning', noData: undefined });
  });
  it('has durations in milliseconds where it is what is in effect', () => {
    expect(draftsOf('rules', 'a', { for: 300_000, no_data: null, gauge: { expr: 'x', above: { warning: 1 } } })[0]).toMatchObject({ hold: 300, noData: undefined });
  });
  it('of a group gives its alerting rules', () => {
    const rules: Value = [{ record: 'a:b', expr: 'x' }, { alert: 'Down', expr: 'up == 0', for: '1m', keep_firing_for: '2m' }, { alert: 'Half' }];
    expect(draftsOf('groups', 'g', { name: 'g', interval: '15s', query_offset: '30s', rules })).toEqual([
      { kind: 'alerting', name: 'Down', expr: 'up == 0', hold: 60, keep: 120, interval: 15, offset: 30 },
    ]);
  });
  it('is nothing while it is not whole, is about log lines, or waits for a parameter', () => {
    expect(draftsOf('rules', 'a', { gauge: { expr: 'x' } })).toEqual([]);
    expect(draftsOf('rules', 'a', { tailable: { match: '{}', pattern: 'x' } })).toEqual([]);
    expect(draftsOf('rules', 'a', { gauge: { expr: 'x{i="${host}"}', above: { warning: 1 } } })).toEqual([]);
    expect(draftsOf('rules', 'a', null)).toEqual([]);
  });
});
