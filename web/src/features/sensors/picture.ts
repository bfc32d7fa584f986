import { innerOf, widthsOf, type Inner } from './box';
import { curve } from './lines';
import type { Resource, Sensor, World } from './model';

/** Where everything stands: resources at the left, sensors with their pipes, publishers at the right. Pure. */
export interface Spot {
  x: number;
  y: number;
  w: number;
  h: number;
}
export interface SensorSpot extends Spot {
  sensor: Sensor;
  inner: Inner;
}
export interface ResourceSpot extends Spot {
  /** Of this place: a resource stands again where its wires would be too long. */
  id: string;
  resource: Resource;
}
export interface PublisherSpot extends Spot {
  sensor: Sensor;
  part: Sensor['publishers'][number];
}
export interface Wire {
  /** Unique in the picture. */
  id: string;
  kind: 'in' | 'out';
  d: string;
  sensor: Sensor;
  stream: string;
  /** The place of the stream's colour: 0 … 9. */
  colour: number;
  /** Keys: of the collector that it is and of the resource it comes from; the publisher's term that it leads to. */
  collector?: string;
  resource?: string;
  metric?: string;
  publisher?: string;
  label: { x: number; y: number; width: number; anchor: 'start' | 'end' };
}
export interface Picture {
  width: number;
  columns: Columns;
  height: number;
  resources: ResourceSpot[];
  sensors: SensorSpot[];
  publishers: PublisherSpot[];
  wires: Wire[];
}

export const edge = 12;
/** Below the headings. */
export const top = 36;
const gap = 22;
export const resourceHeight = 38;
const resourcePitch = 48;
const publisherHeight = 34;
/** How far apart, in pixels, rows may lie that come from one place. */
const reach = 360;

export interface Columns {
  resource: Spot;
  sensor: Spot;
  publisher: Spot;
  width: number;
}

/** What is wide where there is room; narrower than the least it scrolls. */
export function columnsOf(available: number, sensor: { least: number; most: number }): Columns {
  const least = { resource: 100, wireIn: 142, sensor: sensor.least, wireOut: 72, publisher: 108 };
  const most = { resource: 190, wireIn: 270, sensor: Math.max(sensor.least, sensor.most), wireOut: 180, publisher: 210 };
  const sum = (all: typeof least): number => Object.values(all).reduce((total, one) => total + one, 0);
  const needed = 2 * edge + sum(least);
  const spare = sum(most) - sum(least);
  const share = spare <= 0 ? 0 : Math.max(0, Math.min(1, (available - needed) / spare));
  const wide = (name: keyof typeof least): number => Math.floor(least[name] + share * (most[name] - least[name]));
  const sensorAt = edge + wide('resource') + wide('wireIn');
  const publisherAt = sensorAt + wide('sensor') + wide('wireOut');
  return {
    resource: { x: edge, y: 0, w: wide('resource'), h: resourceHeight },
    sensor: { x: sensorAt, y: 0, w: wide('sensor'), h: 0 },
    publisher: { x: publisherAt, y: 0, w: wide('publisher'), h: publisherHeight },
    width: publisherAt + wide('publisher') + edge,
  };
}

/** Down a column without one upon another, each as near as may be to where it would like to be. */
export function settle<T>(wishes: { item: T; y: number }[], pitch: number, top: number): { item: T; y: number }[] {
  const sorted = [...wishes].sort((a, b) => a.y - b.y);
  let free = top;
  return sorted.map(({ item, y }) => {
    const at = Math.max(free, Math.round(y));
    free = at + pitch;
    return { item, y: at };
  });
}

function placeSensors(sensors: Sensor[], at: Spot): SensorSpot[] {
  let y = top;
  return sensors.map((sensor) => {
    const inner = innerOf(sensor, at.w);
    const spot = { sensor, inner, x: at.x, y, w: at.w, h: inner.height };
    y += inner.height + gap;
    return spot;
  });
}

/** Rows of a sensor by the resource that they come from. */
interface Use {
  key: string;
  ys: number[];
}

/** What lies near each other is led to one place. */
function usesOf(spots: SensorSpot[]): Use[] {
  const open = new Map<string, Use>();
  const uses: Use[] = [];
  for (const { inner, y } of spots) {
    for (const { collector, y: row } of inner.ins) {
      if (!collector) continue;
      const known = open.get(collector.resource);
      if (known && y + row - known.ys[0]! <= reach) {
        known.ys.push(y + row);
        continue;
      }
      const use = { key: collector.resource, ys: [y + row] };
      open.set(use.key, use);
      uses.push(use);
    }
  }
  return uses;
}

function placeResources(spots: SensorSpot[], idle: Resource[], world: World, at: Spot): { resources: ResourceSpot[]; from: Map<string, ResourceSpot> } {
  const wishes = usesOf(spots).flatMap((use) => {
    const item = world.byKey.get(use.key) as Resource | undefined;
    return item ? [{ item: { item, ys: use.ys }, y: use.ys.reduce((sum, one) => sum + one, 0) / use.ys.length - resourceHeight / 2 }] : [];
  });
  const placed: { item: { item: Resource; ys: number[] }; y: number }[] = settle(wishes, resourcePitch, top);
  let below = placed.length > 0 ? placed[placed.length - 1]!.y + resourcePitch : top;
  for (const item of idle) {
    placed.push({ item: { item, ys: [] }, y: below });
    below += resourcePitch;
  }
  const from = new Map<string, ResourceSpot>();
  const times = new Map<string, number>();
  const resources = placed.map(({ item: { item, ys }, y }) => {
    const time = times.get(item.key) ?? 0;
    times.set(item.key, time + 1);
    const spot = { id: time === 0 ? item.key : `${item.key} ${time}`, resource: item, x: at.x, y, w: at.w, h: resourceHeight };
    for (const row of ys) from.set(`${item.key} ${row}`, spot);
    return spot;
  });
  return { resources, from };
}

function wiresIn(spots: SensorSpot[], places: Map<string, ResourceSpot>): Wire[] {
  return spots.flatMap(({ sensor, inner, x, y }) =>
    inner.ins.flatMap((row): Wire[] => {
      const from = row.collector && places.get(`${row.collector.resource} ${y + row.y}`);
      if (!from || !row.collector) return [];
      const room = x - from.x - from.w;
      return [
        {
          id: `${row.collector.key} ${row.metric} ${row.stream}`,
          kind: 'in',
          d: curve(from.x + from.w, from.y + from.h / 2, x, y + row.y, Math.round(room * 0.42)),
          sensor,
          stream: row.stream,
          colour: row.colour,
          collector: row.collector.key,
          resource: from.resource.key,
          ...(row.metric ? { metric: row.metric } : {}),
          label: { x: x - 9, y: y + row.y - 6, width: room - 22, anchor: 'end' },
        },
      ];
    }),
  );
}

function placePublishers(spots: SensorSpot[], at: Spot): { publishers: PublisherSpot[]; wires: Wire[] } {
  const publishers: PublisherSpot[] = [];
  const wires: Wire[] = [];
  for (const { sensor, inner, x, y, w } of spots) {
    for (const row of inner.outs) {
      publishers.push({ sensor, part: row.part, x: at.x, y: y + row.y - publisherHeight / 2, w: at.w, h: publisherHeight });
      wires.push({
        id: `${sensor.key} ${row.part.term}`,
        kind: 'out',
        d: curve(x + w, y + row.y, at.x, y + row.y),
        sensor,
        stream: row.part.inputs[0] ?? '',
        colour: row.colour,
        publisher: row.part.term,
        label: { x: x + w + 9, y: y + row.y - 6, width: at.x - x - w - 16, anchor: 'start' },
      });
    }
  }
  return { publishers, wires };
}

export function draw(sensors: Sensor[], idle: Resource[], world: World, available: number): Picture {
  const widths = sensors.map((sensor) => widthsOf(sensor));
  const columns = columnsOf(available, { least: Math.max(180, ...widths.map(({ least }) => least)), most: Math.max(210, ...widths.map(({ most }) => most)) });
  const spots = placeSensors(sensors, columns.sensor);
  const { resources, from } = placeResources(spots, idle, world, columns.resource);
  const { publishers, wires } = placePublishers(spots, columns.publisher);
  const bottoms = [...spots, ...resources, ...publishers].map(({ y, h }) => y + h);
  return {
    width: columns.width,
    columns,
    height: Math.max(top + resourceHeight, ...bottoms) + edge,
    resources,
    sensors: spots,
    publishers,
    wires: [...wiresIn(spots, from), ...wires],
  };
}

/** As much of a text as goes into so many pixels, by what its letters are wide on average. */
export function fit(text: string, width: number, size = 12): string {
  const most = Math.floor(width / (size * 0.56));
  if (text.length <= most) return text;
  return most < 2 ? '' : `${text.slice(0, most - 1).trimEnd()}…`;
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/** What lies next in a direction: the nearest, where what lies aside counts double. */
export function neighbour<T extends Spot>(spots: T[], from: T, direction: Direction): T | undefined {
  const middle = ({ x, y, w, h }: Spot): [number, number] => [x + w / 2, y + h / 2];
  const [fx, fy] = middle(from);
  let best: T | undefined;
  let least = Infinity;
  for (const spot of spots) {
    if (spot === from) continue;
    const [x, y] = middle(spot);
    const along = direction === 'up' ? fy - y : direction === 'down' ? y - fy : direction === 'left' ? fx - x : x - fx;
    const aside = direction === 'up' || direction === 'down' ? Math.abs(x - fx) : Math.abs(y - fy);
    if (along < 4) continue;
    const distance = along + 2 * aside;
    if (distance < least) [best, least] = [spot, distance];
  }
  return best;
}
