import type { OcciEntity, Scalar } from '../../api/occi';
import { collectorKind, fieldOf, sensorKind, type Model } from './discovery';

/** A mixin of a family with its attributes: a metric, an aggregator, a publisher. */
export interface Part {
  mixin: string;
  term: string;
  /** Streams that it reads, and that it makes. */
  inputs: string[];
  outputs: string[];
  settings: { name: string; value: Scalar }[];
}

export interface Entity {
  /** Its address, which is unique: `/occi/sensor/s1`. */
  key: string;
  id: string;
  /** The term of its kind. */
  kind: string;
  /** What people call it. */
  name: string;
  state: string;
  message: string;
  raw: OcciEntity;
}
export interface Collector extends Entity {
  sensor: string;
  resource: string;
  metrics: Part[];
}
export interface Sensor extends Entity {
  aggregators: Part[];
  publishers: Part[];
  collectors: Collector[];
}
export interface Resource extends Entity {
  collectors: Collector[];
}

export interface World {
  sensors: Sensor[];
  resources: Resource[];
  collectors: Collector[];
  byKey: Map<string, Sensor | Resource | Collector>;
}

export const bare = (id: string): string => id.replace(/^urn:uuid:/, '');
const termOf = (id: string): string => id.slice(id.lastIndexOf('#') + 1);
const list = (value: Scalar | undefined): string[] => String(value ?? '').split(',').map((name) => name.trim()).filter(Boolean);

/** The identifier of an entity is long when nobody chose it. */
export function shortId(id: string): string {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(id) ? id.slice(0, 8) : id;
}

export function partOf(mixin: string, attributes: Record<string, Scalar>, model: Model): Part {
  const part: Part = { mixin, term: termOf(mixin), inputs: [], outputs: [], settings: [] };
  for (const [name, spec] of Object.entries(model.find(mixin)?.attributes ?? {})) {
    const value = attributes[name];
    if (value === undefined) continue;
    const { stream, short } = fieldOf(name, spec);
    if (stream === 'in') part.inputs.push(...list(value));
    else if (stream === 'out') part.outputs.push(...list(value));
    else part.settings.push({ name: short, value });
  }
  return part;
}

function partsOf(raw: OcciEntity, family: 'metric' | 'aggregator' | 'publisher', model: Model): Part[] {
  return (raw.mixins ?? []).filter((mixin) => model.family(mixin) === family).map((mixin) => partOf(mixin, raw.attributes, model));
}

function entityOf(raw: OcciEntity, model: Model): Entity {
  const id = bare(raw.id);
  const kind = termOf(raw.kind);
  const attribute = (name: string): string => String(raw.attributes[`occi.${kind}.${name}`] ?? '');
  return {
    key: model.location(raw.kind) + id,
    id,
    kind,
    name: raw.title || attribute('hostname') || `${kind} ${shortId(id)}`,
    state: attribute('state'),
    message: attribute('state.message'),
    raw,
  };
}

/** What a publisher without an input reads: what thresholds make. */
function withDefaults(publishers: Part[], aggregators: Part[]): Part[] {
  const thresholds = aggregators.filter(({ term }) => term === 'Threshold').flatMap(({ outputs }) => outputs);
  return publishers.map((part) => (part.inputs.length > 0 ? part : { ...part, inputs: thresholds }));
}

const byName = (a: Entity, b: Entity): number => a.name.localeCompare(b.name, undefined, { numeric: true }) || (a.key < b.key ? -1 : 1);

export function worldOf(resources: OcciEntity[], links: OcciEntity[], model: Model): World {
  const world: World = { sensors: [], resources: [], collectors: [], byKey: new Map() };
  for (const raw of resources) {
    const entity = entityOf(raw, model);
    if (raw.kind === sensorKind) {
      const aggregators = partsOf(raw, 'aggregator', model);
      world.sensors.push({ ...entity, aggregators, publishers: withDefaults(partsOf(raw, 'publisher', model), aggregators), collectors: [] });
    } else {
      world.resources.push({ ...entity, collectors: [] });
    }
  }
  world.sensors.sort(byName);
  world.resources.sort(byName);
  const sensors = new Map(world.sensors.map((one) => [one.key, one]));
  const others = new Map(world.resources.map((one) => [one.key, one]));
  for (const raw of links) {
    if (raw.kind !== collectorKind) continue;
    const ends = [raw.source?.location ?? '', raw.target?.location ?? ''];
    const sensor = ends.find((end) => sensors.has(end)) ?? '';
    const resource = ends.find((end) => end !== sensor) ?? '';
    const metrics = partsOf(raw, 'metric', model);
    const entity = entityOf(raw, model);
    const name = raw.title || metrics.map(({ term }) => term).join(', ') || entity.name;
    const collector: Collector = { ...entity, name, sensor, resource, metrics };
    world.collectors.push(collector);
    sensors.get(sensor)?.collectors.push(collector);
    others.get(resource)?.collectors.push(collector);
  }
  // As the server orders what flows: of too many both keep the same ones.
  for (const { collectors } of [...world.sensors, ...world.resources]) collectors.sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const one of [...world.sensors, ...world.resources, ...world.collectors]) world.byKey.set(one.key, one);
  return world;
}

/** The streams of a sensor in the order in which they flow: collected, awaited, made. */
export function streamsOf(sensor: Pick<Sensor, 'collectors' | 'aggregators' | 'publishers'>): string[] {
  const made = sensor.aggregators.flatMap(({ outputs }) => outputs);
  return [...new Set([...collectedBy(sensor), ...awaitedBy(sensor), ...made])];
}
export function collectedBy({ collectors }: Pick<Sensor, 'collectors'>): string[] {
  return [...new Set(collectors.flatMap(({ metrics }) => metrics.flatMap(({ outputs }) => outputs)))];
}
/** Read, but nothing makes them yet. */
export function awaitedBy(sensor: Pick<Sensor, 'collectors' | 'aggregators' | 'publishers'>): string[] {
  const there = new Set([...collectedBy(sensor), ...sensor.aggregators.flatMap(({ outputs }) => outputs)]);
  const read = [...sensor.aggregators, ...sensor.publishers].flatMap(({ inputs }) => inputs);
  return [...new Set(read.filter((stream) => !there.has(stream)))];
}
/** What collectors may feed: streams that are read and that no aggregator makes. */
export function openStreams(sensor: Pick<Sensor, 'aggregators' | 'publishers'>): string[] {
  return awaitedBy({ ...sensor, collectors: [] });
}

/** Where a publisher sends to, in short. */
export function destinationOf({ settings }: Part): string {
  const wanted = ['udpAddr', 'url', 'address', 'filename', 'metric', 'alertname', 'to', 'channel'];
  const found = wanted.map((name) => settings.find((one) => one.name === name)).find(Boolean);
  return found ? String(found.value).replace(/^[a-z]+:\/\/(?:[^/@]*@)?/, '') : '';
}
