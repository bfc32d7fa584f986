import type { AttributeSpec, Category, OcciEntity } from '../../api/occi';
import { collectorKind, Model, sensorKind } from './discovery';
import { worldOf, type World } from './model';

// A little of what a server discovers and lists, for tests.
export const monitoring = 'http://schemas.ogf.org/occi/monitoring#';
export const computeKind = 'http://schemas.ogf.org/occi/infrastructure#compute';
export const familyScheme = (family: string): string => `http://example.com/occi/monitoring/${family}#`;
export const own = (name: string): string => `com.example.occi.monitoring.${name}`;

const text = (more: Partial<AttributeSpec> = {}): AttributeSpec => ({ type: 'string', mutable: true, required: false, ...more });
const number = (more: Partial<AttributeSpec> = {}): AttributeSpec => ({ type: 'number', mutable: true, required: false, ...more });
const needed = text({ required: true, pattern: '[A-Za-z0-9_.-]+' });

function mixin(family: string, term: string, attributes: Record<string, AttributeSpec>): Category {
  const named = Object.fromEntries(Object.entries(attributes).map(([name, spec]) => [own(`${term}.${name}`), spec]));
  const applies = [family === 'metric' ? collectorKind : sensorKind];
  return { term, scheme: familyScheme(family), depends: [monitoring + family], applies, attributes: named, location: `/occi/mixin/${family}/${term.toLowerCase()}/` };
}

export function sampleModel(): Model {
  const core = 'http://schemas.ogf.org/occi/core#';
  const kind = (id: string, parent: string, attributes: Record<string, AttributeSpec>): Category => {
    const cut = id.indexOf('#') + 1;
    const term = id.slice(cut);
    const state = { [`occi.${term}.state`]: text({ mutable: false, required: true }) };
    return { term, scheme: id.slice(0, cut), parent: core + parent, location: `/occi/${term}/`, attributes: { ...attributes, ...state } };
  };
  return new Model({
    kinds: [
      kind(computeKind, 'resource', { 'occi.compute.hostname': text() }),
      kind(sensorKind, 'resource', { 'occi.sensor.period': number(), 'atalaya.sensor.placement': text({ pattern: 'server|process', default: 'server' }) }),
      kind(collectorKind, 'link', { 'occi.collector.period': number() }),
    ],
    mixins: [
      { term: 'metric', scheme: monitoring, applies: [collectorKind] },
      { term: 'aggregator', scheme: monitoring, applies: [sensorKind] },
      { term: 'publisher', scheme: monitoring, applies: [sensorKind] },
      mixin('metric', 'CPUPercent', { out: needed }),
      mixin('metric', 'IsReachable', { out: needed, hostname: text({ required: true }), maxdelay: number({ default: 1000 }) }),
      mixin('aggregator', 'EWMA', { instream: needed, outstream: needed, gain: number({ default: 16 }) }),
      mixin('aggregator', 'Threshold', { instream: needed, outstream: needed, raise: number({ required: true }) }),
      mixin('publisher', 'SendUDP', { input: needed, udpAddr: text({ required: true }) }),
      mixin('publisher', 'HTTPPost', { input: needed, url: text({ required: true, pattern: 'https?://\\S+' }), token: text() }),
    ],
    actions: [{ term: 'stop', scheme: 'http://schemas.ogf.org/occi/monitoring/sensor/action#', title: 'Run it no more' }],
  });
}

export const computeOf = (id: string, hostname: string): OcciEntity => ({
  kind: computeKind,
  id: `urn:uuid:${id}`,
  attributes: { 'occi.compute.hostname': hostname, 'occi.compute.state': 'active' },
});

export const sensorOf = (id: string, title: string, mixins: string[], attributes: OcciEntity['attributes'] = {}, state = 'active'): OcciEntity => ({
  kind: sensorKind,
  id: `urn:uuid:${id}`,
  title,
  mixins,
  attributes: { ...attributes, 'occi.sensor.state': state },
});

export const collectorOf = (id: string, source: string, target: string, out: string, state = 'active'): OcciEntity => ({
  kind: collectorKind,
  id: `urn:uuid:${id}`,
  mixins: [`${familyScheme('metric')}CPUPercent`],
  attributes: { [own('CPUPercent.out')]: out, 'occi.collector.state': state },
  source: { kind: '', location: source },
  target: { kind: '', location: target },
});

/** A sensor with two aggregators in a row and two publishers, and two machines. */
export const loadSensor = (): OcciEntity =>
  sensorOf('load', 'Load', [`${familyScheme('aggregator')}EWMA`, `${familyScheme('aggregator')}Threshold`, `${familyScheme('publisher')}SendUDP`, `${familyScheme('publisher')}HTTPPost`], {
    [own('EWMA.instream')]: 'a',
    [own('EWMA.outstream')]: 'b',
    [own('EWMA.gain')]: 16,
    [own('Threshold.instream')]: 'b',
    [own('Threshold.outstream')]: 'hot',
    [own('Threshold.raise')]: 80,
    [own('SendUDP.input')]: 'b,hot',
    [own('SendUDP.udpAddr')]: '127.0.0.1:8888',
    [own('HTTPPost.input')]: 'x',
    [own('HTTPPost.url')]: 'http://127.0.0.1:1/in',
  });

export function sample(): { model: Model; world: World } {
  const model = sampleModel();
  const collectors = [collectorOf('c2', '/occi/sensor/load', '/occi/compute/db', 'a', 'error'), collectorOf('c1', '/occi/compute/web', '/occi/sensor/load', 'a')];
  return { model, world: worldOf([computeOf('web', 'web-1'), computeOf('db', 'db-1'), loadSensor()], collectors, model) };
}
