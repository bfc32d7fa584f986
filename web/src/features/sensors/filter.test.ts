import { expect, it } from 'vitest';
import { filterFromQuery, filterToQuery, mostIdle, pageOf, pageSize, select } from './filter';
import { worldOf } from './model';
import { collectorOf, computeOf, sampleModel, sensorOf } from './testing';

const computes = Array.from({ length: 40 }, (_, i) => computeOf(`m${i}`, `machine-${i}`));
const sensors = Array.from({ length: 300 }, (_, i) => sensorOf(`s${i}`, `Sensor ${i}`, [], {}, i % 3 === 0 ? 'inactive' : 'active'));
const links = [collectorOf('c1', '/occi/sensor/s1', '/occi/compute/m7', 'cpu'), collectorOf('c2', '/occi/sensor/s2', '/occi/compute/m8', 'x', 'error')];
const world = worldOf([...computes, ...sensors], links, sampleModel());
const filter = (query: Record<string, string> = {}) => filterFromQuery(query);
const ids = (query: Record<string, string>): string[] => select(world, filter(query)).sensors.map(({ id }) => id);

it('draws a page of many, in the order of their names', () => {
  const first = select(world, filter());
  expect(first.sensors).toHaveLength(pageSize);
  expect(first.sensors[2]!.name).toBe('Sensor 2');
  expect([first.found, first.pages, first.page]).toEqual([300, 15, 1]);
  expect(first.counts).toEqual({ active: 200, inactive: 100, error: 1 });
  expect(first.idle).toEqual([]);
  const last = select(world, filter({ page: '99' }));
  expect(last.page).toBe(15);
  expect(last.idle).toHaveLength(mostIdle);
  expect(last.idleFound).toBe(38);
});

it('finds sensors by name, machine, metric and stream, all words at once', () => {
  expect(ids({ q: 'sensor 299' })).toEqual(['s299']);
  expect(ids({ q: 'MACHINE-7' })).toEqual(['s1']);
  expect(ids({ q: 'cpupercent machine-8' })).toEqual(['s2']);
  expect(ids({ q: 'nothing like that' })).toEqual([]);
});

it('shows as failing what fails itself or by a collector', () => {
  expect(ids({ state: 'error' })).toEqual(['s2']);
});

it('is kept in the address', () => {
  expect(filterToQuery(filter({ q: 'a b', state: 'error', page: '3' }))).toEqual({ q: 'a b', state: 'error', page: '3' });
  expect(filterToQuery(filter({ state: '<script>', page: '-1' }))).toEqual({ q: undefined, state: undefined, page: undefined });
});

it('knows on which page a sensor stands', () => {
  expect(pageOf(world, filter(), '/occi/sensor/s45')).toBe(3);
  expect(pageOf(world, filter(), '/occi/sensor/gone')).toBe(1);
});
