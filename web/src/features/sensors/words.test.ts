import { expect, it } from 'vitest';
import type { SensorFlow } from '../../api/occi';
import { warningsOf } from '../../api/client';
import { sample } from './testing';
import { collectorTrouble, isStale, lookOf, periodOf, seen, unitsOf, valueWords } from './words';

const flow = (more: Partial<SensorFlow> = {}): SensorFlow => ({ id: 'load', state: 'active', message: '3 values have come', values: 3, collected: [], given: {}, problems: {}, ...more });
const { world } = sample();
const load = world.sensors[0]!;
const failing = load.collectors[1]!;

it('gives streams the unit of what feeds them, through what does not change it', () => {
  expect([...unitsOf(load)]).toEqual([
    ['a', 'percent'],
    ['b', 'percent'],
  ]);
});

it('writes values as people read them', () => {
  const time = '2026-11-23T08:00:00.000Z';
  expect(valueWords({ time, value: 37.25 }, 'percent')).toBe('37.3 %');
  expect(valueWords({ time, value: 'NaN' })).toBe('–');
  expect(valueWords({ time, value: '+Inf' })).toBe('∞');
  expect(valueWords({ time, line: '<b>ERROR</b>' })).toBe('<b>ERROR</b>');
  expect(valueWords({ value: 3 })).toBe('');
  expect(valueWords(undefined)).toBe('');
});

it('tells a value that is old by the period of its collector', () => {
  const at = Date.parse('2026-11-23T08:00:00Z') / 1000;
  const value = { time: '2026-11-23T08:00:00.000Z', value: 1 };
  expect(periodOf(failing, load)).toBe(10);
  expect(isStale(value, 10, at + 29)).toBe(false);
  expect(isStale(value, 10, at + 31)).toBe(true);
  expect(isStale(undefined, 10, at)).toBe(false);
});

it('believes what flows before what was said earlier, but a sensor that was stopped is stopped', () => {
  expect(seen(load, flow({ state: 'error', message: 'refused' })).state).toBe('error');
  expect(seen({ ...load, state: 'inactive' }, flow()).state).toBe('inactive');
  expect(collectorTrouble({ ...failing, message: 'no such file' }, undefined)).toBe('no such file');
  const value = { collector: 'c2', metric: 'CPUPercent', stream: 'a' };
  expect(collectorTrouble(failing, flow({ collected: [{ ...value, time: 1, value: 5 }] }))).toBe('');
  expect(collectorTrouble(load.collectors[0]!, flow({ collected: [{ ...value, collector: 'c1', problem: 'gone' }] }))).toBe('gone');
});

it('shows states by more than a colour', () => {
  expect(['active', 'online', 'error', 'inactive', 'suspended', ''].map(lookOf)).toEqual(['ok', 'ok', 'error', 'queued', 'queued', 'queued']);
});

it('reads the warnings of an answer', () => {
  expect(warningsOf('299 atalaya "no collector feeds stream \'a\' yet", 299 atalaya "a \\"b\\", c"')).toEqual([`no collector feeds stream 'a' yet`, 'a "b", c']);
  expect(warningsOf('')).toEqual([]);
});
