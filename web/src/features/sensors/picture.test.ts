import { describe, expect, it } from 'vitest';
import { innerOf, levelsOf, mostIns, widthsOf } from './box';
import { curve } from './lines';
import { worldOf, type World } from './model';
import { columnsOf, draw, fit, neighbour, settle, type Picture, type Spot } from './picture';
import { collectorOf, computeOf, familyScheme, own, sample, sampleModel, sensorOf } from './testing';
import { targetAt } from './wiring.svelte';

const overlap = (a: Spot, b: Spot): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
const pairs = <T>(all: T[]): [T, T][] => all.flatMap((a, i) => all.slice(i + 1).map((b): [T, T] => [a, b]));
const spots = ({ resources, sensors, publishers }: Picture): Spot[] => [...resources, ...sensors, ...publishers];

/** Many sensors on many machines, each machine measured by several. */
function many(count: number, collectors: number): World {
  const computes = Array.from({ length: 60 }, (_, i) => computeOf(`m${i}`, `machine-${i}`));
  const sensors = Array.from({ length: count }, (_, i) => sensorOf(`s${i}`, `Sensor ${i}`, [`${familyScheme('publisher')}SendUDP`], { [own('SendUDP.input')]: 'a', [own('SendUDP.udpAddr')]: '127.0.0.1:1' }));
  const links = sensors.flatMap((_, i) => Array.from({ length: collectors }, (_, j) => collectorOf(`c${i}-${j}`, `/occi/sensor/s${i}`, `/occi/compute/m${(i * 7 + j * 3) % 60}`, 'a')));
  return worldOf([...computes, ...sensors], links, sampleModel());
}

describe('the picture', () => {
  it('draws a wire for each metric from its resource to its sensor, and one to each publisher', () => {
    const { world } = sample();
    const picture = draw(world.sensors, [], world, 1000);
    expect(picture.wires.map(({ kind, collector, publisher, stream }) => [kind, collector ?? publisher, stream])).toEqual([
      ['in', '/occi/collector/c1', 'a'],
      ['in', '/occi/collector/c2', 'a'],
      ['out', 'SendUDP', 'b'],
      ['out', 'HTTPPost', 'x'],
    ]);
    const [sensor] = picture.sensors;
    for (const wire of picture.wires.filter(({ kind }) => kind === 'in')) {
      const from = picture.resources.find(({ resource }) => resource.key === wire.resource)!;
      expect(wire.d.startsWith(`M ${from.x + from.w} ${from.y + from.h / 2}`)).toBe(true);
      expect(wire.d.endsWith(` ${sensor!.x}`)).toBe(true);
    }
    expect(picture.resources.map(({ resource }) => resource.name)).toEqual(['web-1', 'db-1']);
  });

  it.each([420, 700, 1080, 1600])('never draws one thing upon another, %i pixels wide', (width) => {
    const world = many(20, 6);
    const picture = draw(world.sensors, world.resources.filter(({ collectors }) => collectors.length === 0), world, width);
    expect(picture.sensors).toHaveLength(20);
    expect(pairs(spots(picture)).filter(([a, b]) => overlap(a, b))).toEqual([]);
    for (const { x, y, w, h } of spots(picture)) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x + w).toBeLessThanOrEqual(picture.width);
      expect(y + h).toBeLessThanOrEqual(picture.height);
    }
    if (width >= 900) expect(picture.width).toBeLessThanOrEqual(width);
  });

  it('lets a resource stand again where its wires would be long', () => {
    const sensors = Array.from({ length: 20 }, (_, i) => sensorOf(`s${i}`, `Sensor ${i}`, [`${familyScheme('publisher')}SendUDP`], { [own('SendUDP.input')]: 'a' }));
    const links = sensors.map((_, i) => collectorOf(`c${i}`, `/occi/sensor/s${i}`, '/occi/compute/web', 'a'));
    const world = worldOf([computeOf('web', 'web-1'), ...sensors], links, sampleModel());
    const picture = draw(world.sensors, [], world, 1000);
    expect(picture.resources.length).toBeGreaterThan(2);
    expect(new Set(picture.resources.map(({ id }) => id)).size).toBe(picture.resources.length);
    const inner = picture.wires.filter(({ kind }) => kind === 'in');
    expect(inner).toHaveLength(20);
    for (const { d, label } of inner) expect(Math.abs(Number(d.split(' ')[2]) - label.y - 6)).toBeLessThan(400);
  });

  it('stays bounded for a sensor with hundreds of collectors', () => {
    const world = many(1, 400);
    const picture = draw(world.sensors, [], world, 1000);
    expect(picture.wires.filter(({ kind }) => kind === 'in')).toHaveLength(mostIns);
    expect(picture.sensors[0]!.inner.moreIns).toBe(400 - mostIns);
  });

  it('is there for a sensor with nothing, and for nothing', () => {
    const world = worldOf([sensorOf('bare', 'Bare', [])], [], sampleModel());
    expect(draw(world.sensors, [], world, 800).sensors[0]!.h).toBeGreaterThan(44);
    expect(draw([], [], world, 800)).toMatchObject({ sensors: [], wires: [] });
  });
});

describe('the inside of a sensor', () => {
  it('puts aggregators behind those whose streams they read', () => {
    const { world } = sample();
    const inner = innerOf(world.sensors[0]!, widthsOf(world.sensors[0]!).least);
    const at = (term: string) => inner.pills.find(({ part }) => part.term === term)!;
    expect(at('EWMA').x + at('EWMA').w).toBeLessThan(at('Threshold').x);
    expect(inner.ins.map(({ stream, collector }) => [stream, collector?.id])).toEqual([
      ['a', 'c1'],
      ['a', 'c2'],
      ['x', undefined],
    ]);
    const named = inner.wires.map(({ id }) => id.replace(/\S+#/, '')).sort();
    expect(named).toEqual(['out HTTPPost x 0', 'out SendUDP b 0', 'out SendUDP hot 0', 'to EWMA a 0', 'to EWMA a 1', 'to Threshold b 0']);
  });

  it('leads what passes an aggregator around it', () => {
    const attributes = { [own('EWMA.instream')]: 'a', [own('EWMA.outstream')]: 'b', [own('SendUDP.input')]: 'a,b' };
    const raw = sensorOf('s', 'S', [`${familyScheme('aggregator')}EWMA`, `${familyScheme('publisher')}SendUDP`], attributes);
    const [sensor] = worldOf([computeOf('web', 'web-1'), raw], [collectorOf('c', '/occi/sensor/s', '/occi/compute/web', 'a')], sampleModel()).sensors;
    const inner = innerOf(sensor!, 240);
    const out = inner.wires.find(({ id }) => id.endsWith('SendUDP a 0'))!;
    expect(out.d).toContain(` ${inner.outs[0]!.y + 25} `);
    expect(inner.wires.find(({ id }) => id.endsWith('SendUDP b 0'))!.d).toBe(`M ${inner.pills[0]!.x + inner.pills[0]!.w} ${inner.outs[0]!.y} H ${240 - 16 - Math.round(4 * 6.8)}`);
  });

  it('ends where streams go in a circle', () => {
    const part = (term: string, input: string, output: string) => ({ mixin: term, term, inputs: [input], outputs: [output], settings: [] });
    const [one, two] = [part('A', 'x', 'y'), part('B', 'y', 'x')];
    expect([...levelsOf([one, two]).keys()]).toHaveLength(2);
  });
});

it('narrows columns as far as they can be read, then scrolls', () => {
  expect(columnsOf(2000, { least: 200, most: 300 }).width).toBeLessThan(2000);
  expect(columnsOf(300, { least: 200, most: 300 }).width).toBeGreaterThan(300);
});

it('settles things near to where they would like to be', () => {
  expect(settle([{ item: 'b', y: 50 }, { item: 'a', y: 48 }, { item: 'c', y: 300 }], 40, 0).map(({ item, y }) => [item, y])).toEqual([
    ['a', 48],
    ['b', 88],
    ['c', 300],
  ]);
});

it('draws wires that leave and arrive level', () => {
  expect(curve(0, 10, 100, 10)).toBe('M 0 10 H 100');
  expect(curve(0, 10, 100, 50, 20)).toBe('M 0 10 C 40 10 40 50 80 50 H 100');
});

it('cuts texts to their room', () => {
  expect(fit('CPUPercent', 100, 11)).toBe('CPUPercent');
  expect(fit('NetworkReceived', 60, 11)).toMatch(/^Network.*…$/);
  expect(fit('x'.repeat(9), 5, 11)).toBe('');
});

it('leads arrows to what lies next', () => {
  const { world } = sample();
  const picture = draw(world.sensors, [], world, 1000);
  const [web, db] = picture.resources;
  const all: Spot[] = spots(picture);
  expect(neighbour(all, web!, 'down')).toBe(db);
  expect(neighbour(all, web!, 'right')).toBe(picture.sensors[0]);
  expect(neighbour(all, web!, 'left')).toBeUndefined();
});

it('knows upon which sensor a wire was let go', () => {
  const { world } = sample();
  const picture = draw(world.sensors, [], world, 1000);
  const [spot] = picture.sensors;
  expect(targetAt(picture, { x: spot!.x + 5, y: spot!.y + 5 }, false)).toBe('/occi/sensor/load');
  expect(targetAt(picture, { x: spot!.x - 60, y: spot!.y + 5 }, false)).toBe('');
  const [resource] = picture.resources;
  expect(targetAt(picture, { x: resource!.x + 5, y: resource!.y + 5 }, true)).toBe('/occi/compute/web');
});
