import { expect, it } from 'vitest';
import type { Category, OcciEntity } from '../../api/occi';
import { collectorKind, Model, sensorKind } from './discovery';
import { awaitedBy, collectedBy, destinationOf, openStreams, streamsOf, worldOf } from './model';
import { sample, sampleModel } from './testing';

it('finds families, fields and choices in what discovery says', () => {
  const model = sampleModel();
  expect(model.ofFamily('metric').map(({ term }) => term)).toEqual(['CPUPercent', 'IsReachable']);
  expect(model.ofFamily('aggregator').map(({ term }) => term)).toEqual(['EWMA', 'Threshold']);
  expect(model.resourceKinds().map(({ term }) => term)).toEqual(['compute']);
  const fields = model.fields(model.find(sensorKind));
  expect(fields.map(({ short }) => short)).toEqual(['period', 'placement']);
  expect(fields[1]!.choices).toEqual(['server', 'process']);
  const post = model.fields(model.ofFamily('publisher').find(({ term }) => term === 'HTTPPost'));
  expect(post.map(({ short, secret, stream }) => [short, secret, stream])).toEqual([
    ['input', false, 'in'],
    ['url', false, undefined],
    ['token', true, undefined],
  ]);
});

it('offers mixins that a tenant defined where they apply, and knows no family of them', () => {
  const own: Category = { term: 'blue', scheme: 'http://x#', location: '/occi/mixin/blue/', applies: [sensorKind] };
  const model = new Model({ ...sampleModel().discovered, mixins: [...sampleModel().discovered.mixins, own] });
  expect(model.otherMixins(sensorKind)).toEqual([own]);
  expect(model.family('http://x#blue')).toBeUndefined();
});

it('joins collectors to both ends, in whichever direction they lead', () => {
  const { world } = sample();
  const [load] = world.sensors;
  expect(load!.name).toBe('Load');
  expect(load!.collectors.map(({ id, resource }) => [id, resource])).toEqual([
    ['c1', '/occi/compute/web'],
    ['c2', '/occi/compute/db'],
  ]);
  expect(world.resources.map(({ name, collectors }) => [name, collectors.length])).toEqual([
    ['db-1', 1],
    ['web-1', 1],
  ]);
  expect(world.byKey.get('/occi/collector/c2')?.name).toBe('CPUPercent');
});

it('tells streams that are collected, made, awaited, and those that collectors may feed', () => {
  const load = sample().world.sensors[0]!;
  expect(streamsOf(load)).toEqual(['a', 'x', 'b', 'hot']);
  expect(collectedBy(load)).toEqual(['a']);
  expect(awaitedBy(load)).toEqual(['x']);
  expect(openStreams(load)).toEqual(['a', 'x']);
});

it('says where a publisher sends to, without scheme and password', () => {
  const part = (name: string, value: string) => ({ mixin: 'm', term: 'X', inputs: [], outputs: [], settings: [{ name, value }] });
  expect(destinationOf(part('udpAddr', '127.0.0.1:8888'))).toBe('127.0.0.1:8888');
  expect(destinationOf(part('url', 'https://ana:secret@x.example/in'))).toBe('x.example/in');
  expect(destinationOf(part('gain', '3'))).toBe('');
});

it('keeps what is broken: a collector without ends, an unknown kind, an id nobody chose', () => {
  const model = sampleModel();
  const stray: OcciEntity = { kind: collectorKind, id: 'urn:uuid:c9', attributes: {}, source: { kind: '', location: '/occi/compute/gone' }, target: { kind: '', location: '/occi/sensor/gone' } };
  const odd: OcciEntity = { kind: 'http://x#thing', id: 'urn:uuid:7be7e1a0-0000-4000-8000-000000000000', attributes: {} };
  const world = worldOf([odd], [stray], model);
  expect(world.collectors[0]).toMatchObject({ sensor: '', resource: '/occi/compute/gone' });
  expect(world.resources[0]!.name).toBe('thing 7be7e1a0');
});
