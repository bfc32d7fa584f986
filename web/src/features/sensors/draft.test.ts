import { describe, expect, it } from 'vitest';
import { collectorKind, sensorKind } from './discovery';
import { draftOf, emptyDraft, faultOf, faultsOf, freshStream, lostSecrets, needsPut, requestOf, withMixin } from './draft';
import { computeKind, familyScheme, loadSensor, own, sampleModel } from './testing';

const model = sampleModel();
const find = (family: string, term: string) => model.find(familyScheme(family) + term)!;
const load = () => draftOf('/occi/sensor/load', loadSensor());

it('makes an entity of what was typed, each value of its type, nothing of what was left out', () => {
  const draft = emptyDraft(sensorKind, {
    title: ' Load ',
    mixins: [`${familyScheme('aggregator')}EWMA`],
    values: { 'occi.sensor.period': ' 5 ', 'atalaya.sensor.placement': '', [own('EWMA.instream')]: 'a', [own('EWMA.outstream')]: 'b', [own('EWMA.gain')]: '2.5', 'no.such': 'x' },
  });
  expect(requestOf(draft, model)).toEqual({
    method: 'POST',
    path: '/occi/sensor/',
    body: {
      kind: sensorKind,
      title: 'Load',
      mixins: [`${familyScheme('aggregator')}EWMA`],
      attributes: { 'occi.sensor.period': 5, [own('EWMA.instream')]: 'a', [own('EWMA.outstream')]: 'b', [own('EWMA.gain')]: 2.5 },
    },
  });
});

it('names the ends of a link', () => {
  const draft = emptyDraft(collectorKind, { source: '/occi/sensor/s', target: '/occi/compute/c' });
  expect(requestOf(draft, model)).toMatchObject({ path: '/occi/collector/', body: { source: '/occi/sensor/s', target: '/occi/compute/c' } });
});

describe('a change', () => {
  it('sends only what differs', () => {
    expect(requestOf(load(), model)).toBeUndefined();
    const draft = load();
    draft.values[own('EWMA.gain')] = '8';
    expect(requestOf({ ...draft, title: 'Load of all' }, model)).toEqual({ method: 'POST', path: '/occi/sensor/load', body: { title: 'Load of all', attributes: { [own('EWMA.gain')]: 8 } } });
  });

  it('that takes something away replaces the whole entity, without what the server sets', () => {
    const draft = load();
    draft.values[own('EWMA.gain')] = ''; // the default is what it was: nothing goes
    expect(needsPut(draft, model)).toBe(false);
    const without = { ...draft, mixins: draft.mixins.filter((id) => !id.endsWith('HTTPPost')) };
    const request = requestOf(without, model)!;
    expect(request.method).toBe('PUT');
    const { attributes, mixins } = request.body as { attributes: Record<string, unknown>; mixins: string[] };
    expect(mixins.map((id) => id.replace(/^.*#/, ''))).toEqual(['EWMA', 'Threshold', 'SendUDP']);
    expect(Object.keys(attributes).sort()).toEqual(['EWMA.instream', 'EWMA.outstream', 'SendUDP.input', 'SendUDP.udpAddr', 'Threshold.instream', 'Threshold.outstream', 'Threshold.raise'].map(own));
  });

  it('warns of secrets that a replacement loses', () => {
    const draft = load();
    expect(lostSecrets(draft, model)).toEqual([]);
    const without = { ...draft, mixins: draft.mixins.filter((id) => !id.endsWith('EWMA')) };
    expect(lostSecrets(without, model).map(({ short }) => short)).toEqual(['token']);
    without.values[own('HTTPPost.token')] = 'again';
    expect(lostSecrets(without, model)).toEqual([]);
  });
});

it('names what is missing or wrong', () => {
  const draft = emptyDraft(sensorKind, { mixins: [`${familyScheme('publisher')}HTTPPost`], values: { 'occi.sensor.period': 'soon', [own('HTTPPost.url')]: 'ftp://x' } });
  expect(faultsOf(draft, model)).toEqual({
    'occi.sensor.period': 'a number is wanted',
    [own('HTTPPost.input')]: 'it is required',
    [own('HTTPPost.url')]: 'it does not match https?://\\S+',
  });
});

it('leaves patterns that only the server knows to the server', () => {
  const field = { name: 'x', short: 'x', spec: { type: 'string', mutable: true, required: false, pattern: '(?P<a>x' } as const, choices: [], secret: false };
  expect(faultOf(field, 'y')).toBe('');
});

describe('a mixin that is added', () => {
  it('is wired to what is there: an aggregator stands between the stream and the publishers', () => {
    let draft = emptyDraft(sensorKind);
    draft = withMixin(draft, find('publisher', 'SendUDP'), model);
    expect(draft.values[own('SendUDP.input')]).toBe('a');
    draft = withMixin(draft, find('aggregator', 'EWMA'), model);
    expect([own('EWMA.instream'), own('EWMA.outstream'), own('SendUDP.input')].map((name) => draft.values[name])).toEqual(['a', 'b', 'b']);
    draft = withMixin(draft, find('aggregator', 'Threshold'), model);
    expect([own('Threshold.instream'), own('Threshold.outstream'), own('SendUDP.input')].map((name) => draft.values[name])).toEqual(['b', 'c', 'c']);
  });

  it('of a metric waits for the sensor that it is for', () => {
    expect(withMixin(emptyDraft(collectorKind), find('metric', 'CPUPercent'), model).values).toEqual({});
  });
});

it('finds names for streams that are free', () => {
  expect(freshStream([])).toBe('a');
  expect(freshStream(['a', 'c'])).toBe('b');
  expect(freshStream([...'abcdefghijklmnopqrstuvwxyz', 's1'])).toBe('s2');
});

it('makes other resources from their kind alone', () => {
  expect(requestOf(emptyDraft(computeKind, { values: { 'occi.compute.hostname': 'web-1' } }), model)?.body).toEqual({ kind: computeKind, attributes: { 'occi.compute.hostname': 'web-1' } });
});
