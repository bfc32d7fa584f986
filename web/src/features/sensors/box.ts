import { around, curve } from './lines';
import { awaitedBy, streamsOf, type Collector, type Part, type Sensor } from './model';

/** What is drawn within the box of a sensor: rows that come in, aggregators, rows that go out. From its upper left. Pure. */
export interface InRow {
  y: number;
  stream: string;
  colour: number;
  collector?: Collector;
  metric?: string;
}
export interface OutRow {
  y: number;
  part: Part;
  colour: number;
}
export interface Pill {
  x: number;
  y: number;
  w: number;
  h: number;
  part: Part;
  level: number;
}
export interface InnerWire {
  id: string;
  colour: number;
  stream: string;
  d: string;
}
export interface Inner {
  height: number;
  ins: InRow[];
  outs: OutRow[];
  pills: Pill[];
  wires: InnerWire[];
  /** What is there and is not drawn. */
  moreIns: number;
  moreOuts: number;
  moreParts: number;
}

export const head = 44;
const foot = 10;
const rowPitch = 27;
const pillPitch = 31;
const outPitch = 42;
export const mostIns = 10;
export const mostOuts = 8;
export const mostParts = 16;
/** Room for the name of a stream at either side. */
export const side = 48;
const pillHeight = 22;
/** How far what passes an aggregator keeps away from its middle, at the ends of the bend. */
const bow = 25;
const pillWidth = { least: 74, most: 94 };
const pillGap = { least: 20, most: 34 };

/** In which column an aggregator stands: behind all whose streams it reads. */
export function levelsOf(aggregators: Part[]): Map<Part, number> {
  const makers = new Map(aggregators.flatMap((part) => part.outputs.map((stream) => [stream, part] as const)));
  const levels = new Map<Part, number>();
  const level = (part: Part, above: Part[]): number => {
    const known = levels.get(part);
    if (known !== undefined) return known;
    if (above.includes(part)) return 0; // a circle, which the server refuses
    const before = part.inputs.flatMap((stream) => makers.get(stream) ?? []).filter((one) => one !== part);
    const found = before.length === 0 ? 0 : 1 + Math.max(...before.map((one) => level(one, [...above, part])));
    levels.set(part, found);
    return found;
  };
  aggregators.forEach((part) => level(part, []));
  return levels;
}

/** How narrow, and how wide, it is well drawn. */
export function widthsOf(sensor: Sensor): { least: number; most: number } {
  const depth = depthOf(sensor.aggregators.slice(0, mostParts));
  const wide = (pill: number, gap: number): number => 2 * side + 24 + depth * pill + Math.max(0, depth - 1) * gap;
  return { least: wide(pillWidth.least, pillGap.least), most: wide(pillWidth.most, pillGap.most) };
}
const depthOf = (parts: Part[]): number => (parts.length === 0 ? 0 : 1 + Math.max(...levelsOf(parts).values()));

/** Rows around the middle of the body. */
function spread(count: number, pitch: number, body: number): (i: number) => number {
  return (i) => head + body / 2 + (i - (count - 1) / 2) * pitch;
}

export function innerOf(sensor: Sensor, width: number): Inner {
  const colours = new Map(streamsOf(sensor).map((stream, i) => [stream, i % 10]));
  const colour = (stream: string | undefined): number => colours.get(stream ?? '') ?? 9;
  const order = [...colours.keys()];
  const place = (stream: string): number => order.indexOf(stream);

  const collected = sensor.collectors.flatMap((collector) =>
    collector.metrics.flatMap(({ term, outputs }) => outputs.map((stream) => ({ stream, collector, metric: term }))),
  );
  const comes = [...collected.slice(0, mostIns).sort((a, b) => place(a.stream) - place(b.stream)), ...awaitedBy(sensor).map((stream) => ({ stream }))];
  const shownIns = comes.slice(0, mostIns);
  const parts = sensor.aggregators.slice(0, mostParts);
  const levels = levelsOf(parts);
  const depth = depthOf(parts);
  const columns = Array.from({ length: depth }, (_, at) => parts.filter((part) => levels.get(part) === at).sort((a, b) => place(a.inputs[0] ?? '') - place(b.inputs[0] ?? '')));
  const publishers = sensor.publishers.slice(0, mostOuts);

  const tallest = Math.max(0, ...columns.map((column) => column.length));
  const body = Math.max(rowPitch, shownIns.length * rowPitch, tallest * pillPitch, publishers.length * outPitch - 8);
  const inAt = spread(shownIns.length, rowPitch, body);
  const ins = shownIns.map((row, i): InRow => ({ ...row, y: inAt(i), colour: colour(row.stream) }));
  const outAt = spread(publishers.length, outPitch, body);
  const outs = publishers.map((part, i): OutRow => ({ part, y: outAt(i), colour: colour(part.inputs[0]) }));
  const room = width - 2 * side - 24;
  const w = Math.round(Math.max(pillWidth.least, Math.min(pillWidth.most, (room - Math.max(0, depth - 1) * pillGap.least) / Math.max(1, depth))));
  const step = depth > 1 ? (room - w) / (depth - 1) : 0;
  const pills = columns.flatMap((column, level) => {
    const pillAt = spread(column.length, pillPitch, body);
    const x = Math.round(depth > 1 ? side + 12 + level * step : (width - w) / 2);
    return column.map((part, i): Pill => ({ x, y: pillAt(i) - pillHeight / 2, w, h: pillHeight, part, level }));
  });

  return {
    height: head + body + foot,
    ins,
    outs,
    pills,
    wires: wiresOf(ins, outs, pills, width, depth, colour),
    moreIns: collected.length + awaitedBy(sensor).length - shownIns.length,
    moreOuts: sensor.publishers.length - publishers.length,
    moreParts: sensor.aggregators.length - parts.length,
  };
}

/** Room that a name takes at its side. */
const nameWidth = (name: string): number => Math.min(side, 16 + name.length * 6.8);

function wiresOf(ins: InRow[], outs: OutRow[], pills: Pill[], width: number, depth: number, colour: (stream: string) => number): InnerWire[] {
  const from = new Map<string, { x: number; y: number; level: number }[]>();
  const begins = (stream: string, x: number, y: number, level: number): void => void from.set(stream, [...(from.get(stream) ?? []), { x, y, level }]);
  for (const { stream, y } of ins) begins(stream, nameWidth(stream), y, -1);
  for (const { part, x, y, w, h, level } of pills) part.outputs.forEach((stream) => begins(stream, x + w, y + h / 2, level));
  const wires: InnerWire[] = [];
  const lead = (stream: string, id: string, x: number, y: number, level: number): void => {
    (from.get(stream) ?? []).forEach((begin, i) => {
      // What goes past a column of aggregators does not look as if it went through them.
      const passes = level - begin.level > 1 && pills.some((one) => one.level > begin.level && one.level < level && crosses(one, begin, { x, y }));
      const d = passes ? around(begin.x, begin.y, x, y, y < begin.y ? -bow : bow) : curve(begin.x, begin.y, x, y);
      wires.push({ id: `${id} ${stream} ${i}`, colour: colour(stream), stream, d });
    });
  };
  for (const { part, x, y, h, level } of pills) part.inputs.forEach((stream) => lead(stream, `to ${part.mixin}`, x, y + h / 2, level));
  for (const { part, y } of outs) part.inputs.forEach((stream) => lead(stream, `out ${part.mixin}`, width - nameWidth(part.inputs.join(', ')), y, depth));
  return wires;
}

/** Whether the straight way leads through a pill. */
function crosses({ x, y, w, h }: Pill, from: { x: number; y: number }, to: { x: number; y: number }): boolean {
  const at = from.y + ((x + w / 2 - from.x) / (to.x - from.x)) * (to.y - from.y);
  return at > y - 4 && at < y + h + 4;
}
