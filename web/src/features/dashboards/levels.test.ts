import { expect, it } from 'vitest';
import { gaugeEnds, levelOf, roundUp, stateOf, thresholdLines } from './levels';

it('judges a value by its thresholds, from the threshold on', () => {
  const limits = { warning: 0.8, critical: 0.95 };
  expect([0.5, 0.8, 0.94, 0.95, 2].map((value) => levelOf(value, limits))).toEqual(['ok', 'warning', 'warning', 'critical', 'critical']);
  expect(levelOf(1, { warning: 0.5 })).toBe('warning');
  expect(levelOf(undefined, limits)).toBe('no_data');
  expect(levelOf(NaN, limits)).toBe('no_data');
  expect(levelOf(99, undefined)).toBe('ok');
});
it('takes less for worse where the critical threshold lies below the warning one', () => {
  const limits = { warning: 0.2, critical: 0.1 };
  expect([0.5, 0.2, 0.15, 0.1, 0].map((value) => levelOf(value, limits))).toEqual(['ok', 'warning', 'warning', 'critical', 'critical']);
});
it('takes 0 for down where there are no thresholds', () => {
  expect([0, 1, 7, undefined].map((value) => stateOf(value, undefined))).toEqual(['down', 'up', 'up', 'no_data']);
  expect(stateOf(0, { warning: 1 })).toBe('ok');
  expect(stateOf(0, {})).toBe('down');
});
it('draws the thresholds that there are', () => {
  expect(thresholdLines({ critical: 3 })).toEqual([{ value: 3, severity: 'critical' }]);
  expect(thresholdLines(undefined)).toEqual([]);
});
it('gives a gauge ends that hold what it shows', () => {
  expect(gaugeEnds({ min: 10, max: 20 }, [15], 'count')).toEqual({ min: 10, max: 20 });
  expect(gaugeEnds({}, [0.4], 'ratio')).toEqual({ min: 0, max: 1 });
  expect(gaugeEnds({}, [40], 'percent')).toEqual({ min: 0, max: 100 });
  expect(gaugeEnds({}, [1.4], 'ratio')).toEqual({ min: 0, max: 2 });
  expect(gaugeEnds({ thresholds: { critical: 300 } }, [12], 'count')).toEqual({ min: 0, max: 500 });
  expect(gaugeEnds({}, [], 'count')).toEqual({ min: 0, max: 1 });
  expect(gaugeEnds({}, [-3], 'count')).toEqual({ min: -3, max: 1 });
});
it('rounds up to what people count in', () => {
  expect([1, 1.1, 4.9, 5, 51, 0.03].map(roundUp)).toEqual([1, 2, 5, 5, 100, 0.05]);
});
