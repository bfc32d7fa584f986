import { expect, it } from 'vitest';
import { formatTicks, formatValue, unitOf } from './units';

it('writes values with the prefix of their unit', () => {
  expect(formatValue(1536, 'bytes')).toBe('1.5 KiB');
  expect(formatValue(2.5e6, 'bits/s')).toBe('2.5 Mbit/s');
  expect(formatValue(12, 'bits/s')).toBe('12 bit/s');
  expect(formatValue(0.123, 'ratio')).toBe('12.3 %');
  expect(formatValue(42.5, 'percent')).toBe('42.5 %');
});
it('writes seconds as people say them', () => {
  expect(formatValue(0.0042, 'seconds')).toBe('4.2 ms');
  expect(formatValue(36_720, 'seconds')).toBe('10 h 12 m');
  expect(formatValue(7200, 'seconds')).toBe('2 h');
  expect(formatValue(-150, 'seconds')).toBe('−2 m 30 s');
});
it('writes a unit that it does not know behind the number', () => {
  expect(formatValue(21.5, '°C')).toBe('21.5 °C');
  expect(formatValue(1200, 'W')).toBe('1.2 kW');
  expect(formatValue(-3, 'rpm')).toBe('−3 rpm');
  expect(formatValue(undefined, 'rpm')).toBe('–');
});
it('reads the unit of an expression from its metric, but a number of things has none', () => {
  expect(unitOf('rate(node_network_receive_bytes_total[1m])')).toBe('bytes/s');
  expect(unitOf('node_boot_time_seconds')).toBe('seconds');
  expect(unitOf('count(node_cpu_seconds_total{mode="idle"})')).toBe('count');
  expect(unitOf('count by (instance) (node_filesystem_size_bytes)')).toBe('count');
});
it('writes ticks with as many figures as tell them apart', () => {
  expect(formatTicks([11_340, 11_360, 11_380], 'count')).toEqual(['11.34 k', '11.36 k', '11.38 k']);
  expect(formatTicks([10_000, 12_000], 'count')).toEqual(['10 k', '12 k']);
  expect(formatTicks([0.9991, 0.9992], 'ratio')).toEqual(['99.91 %', '99.92 %']);
  expect(formatTicks([1, 1], 'count')).toEqual(['1', '1']);
});
