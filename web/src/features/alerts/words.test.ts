import { describe, expect, it } from 'vitest';
import type { MatrixSeries } from '../../api/types';
import { narrowTo } from './narrow';
import { concernOf, linkParts, rangeFor, sentenceOf, seriesOfAlert, thresholdOf, timeline, valueText } from './words';

const gauge = { kind: 'gauge', expr: 'node_memory_MemAvailable_bytes' } as const;

describe('the text of a judgement', () => {
  it('has its threshold read', () => {
    expect(thresholdOf('2.2e+10 is below 9e+11')).toEqual({ side: 'below', level: 9e11 });
    expect(thresholdOf('down (2 times in a row)')).toBeUndefined();
  });
  it('is said in the unit of the metric', () => {
    expect(sentenceOf({ text: '1.07374e+09 is below 2.14748e+09', value: 1073741824 }, gauge)).toBe('1 GiB is below 2 GiB');
  });
  it('stays as it is for other kinds', () => {
    expect(sentenceOf({ text: 'down: refused', value: 0 }, { kind: 'binary' })).toBe('down: refused');
  });
  it('has no value while there is no data', () => {
    expect(valueText({ ...gauge, value: 5, state: 'no_data' })).toBe('–');
    expect(valueText({ kind: 'tailable', value: 1, state: 'firing' })).toBe('1 line');
  });
});

describe('the time line', () => {
  const history = [
    { at: '2026-01-01T00:00:10Z', data_at: '2026-01-01T00:00:10Z', episode: 1, from: '', to: 'firing', severity: 'warning', text: '3 is above 2', value: 3 },
    { at: '2026-01-01T00:01:10Z', data_at: '2026-01-01T00:00:20Z', episode: 1, from: 'firing', to: 'firing', severity: 'critical', late: true },
    { at: '2026-01-01T00:01:20Z', episode: 1, from: 'firing', to: 'acknowledged', by: 'ana', text: 'on it' },
    { at: '2026-01-01T00:02:10Z', episode: 1, from: 'firing', to: 'resolved' },
    { at: '2026-01-01T00:05:00Z', episode: 2, from: 'resolved', to: 'firing', severity: 'critical' },
  ] as const;
  const items = timeline([...history], { kind: 'gauge' });

  it('begins with the newest', () => {
    expect(items.map((item) => item.word)).toEqual(['Critical', 'Resolved', 'Acknowledged', 'Worse: critical', 'Warning']);
  });
  it('says by how much the data was late', () => {
    expect(items[3]).toMatchObject({ late: true, delay: 50, after: 60 });
  });
  it('names who acted and what they noted', () => {
    expect(items[2]).toMatchObject({ by: 'ana', note: 'on it', text: '', look: 'acked' });
  });
  it('measures a state past the commands in between', () => {
    expect(items[1]!.after).toBe(60);
  });
  it('marks where an episode begins', () => {
    expect(items.map((item) => item.opensEpisode)).toEqual([2, undefined, undefined, undefined, undefined]);
  });
});

describe('what people did', () => {
  const line = (to: string, patch = {}) => ({ at: '2026-01-01T00:00:10Z', episode: 1, from: 'firing', to, ...patch });
  const word = (to: string, by?: string): string => timeline([line(to, by ? { by } : {})], { kind: 'posted' })[0]!.word;
  it('is told apart from what ended by itself', () => {
    expect([word('unshelved', 'ana'), word('unshelved')]).toEqual(['Taken from the shelf', 'Back from the shelf']);
    expect([word('unacknowledged', 'ana'), word('unacknowledged')]).toEqual(['Acknowledgement taken back', 'Acknowledgement ended']);
  });
  it('changes the state by a close alone: notes and shelves leave the time that it lasts', () => {
    const items = timeline(
      [
        line('firing', { from: '', severity: 'critical' }),
        line('shelved', { at: '2026-01-01T00:00:20Z', by: 'ana', text: 'works' }),
        line('note', { at: '2026-01-01T00:00:30Z', by: 'bo', text: 'hm' }),
        line('closed', { at: '2026-01-01T00:01:10Z', by: 'ana', text: 'done' }),
      ],
      { kind: 'posted' },
    );
    expect(items[0]).toMatchObject({ word: 'Closed', look: 'closed', note: 'done', text: '', by: 'ana', after: 60 });
    expect(items[1]).toMatchObject({ word: 'Note', note: 'hm', by: 'bo', after: undefined });
  });
  it('stands in the list in a few words', () => {
    const alert = { id: 'a', name: 'a', severity: 'critical', labels: {}, started: 0, state: 'firing' } as const;
    expect(concernOf({ ...alert, silenced_by: ['s', 't'] })).toBe('by 2 silences');
    expect(concernOf({ ...alert, ack: { by: 'ana', at: 0 }, shelf: { by: 'bo', at: 0, note: 'works' } })).toBe('bo: works');
    expect(concernOf({ ...alert, ack: { by: 'ana', at: 0, until: '2100-01-01T00:00:00Z' } })).toMatch(/^ana until (2100|2099)/);
  });
});

describe('the stretch around an alert', () => {
  const alert = { id: 'a', name: 'a', severity: 'critical', labels: {}, started: 1000, state: 'firing' } as const;
  it('moves with the present while it is open', () => {
    expect(rangeFor(alert, 1060)).toEqual({ kind: 'live', seconds: 900 });
    expect(rangeFor(alert, 1000 + 7200)).toEqual({ kind: 'live', seconds: 10800 });
  });
  it('holds all of one that is over', () => {
    expect(rangeFor({ ...alert, state: 'resolved', resolved: 5000 }, 9000)).toEqual({ kind: 'fixed', from: 0, to: 6000 });
  });
});

describe('the series of an alert', () => {
  it('has no label that the alert has not', () => {
    const series: MatrixSeries[] = [{ metric: { __name__: 'x', instance: 'a' }, values: [] }, { metric: { instance: 'b' }, values: [] }];
    expect(seriesOfAlert(series, { instance: 'a', team: 't' })).toEqual([series[0]]);
  });
  it('is asked for by matchers in every selector', () => {
    const labels = { __name__: 'x', instance: 'a' };
    expect(narrowTo('x_a / x_b{c="d"}', labels)).toBe('x_a{instance="a"} / x_b{c="d",instance="a"}');
    expect(narrowTo('sum by (instance) (rate(x{mode="user"}[10s])) > 2', labels)).toBe(
      'sum by (instance) (rate(x{mode="user",instance="a"}[10s])) > 2',
    );
  });
  it('is not doubled where a selector has the matcher already', () => {
    expect(narrowTo('x{instance="a"}', { instance: 'a' })).toBe('x{instance="a"}');
  });
  it('is left alone where labels are made up or matched by hand', () => {
    expect(narrowTo('a * on (instance) b', { instance: 'a' })).toBeUndefined();
    expect(narrowTo('label_replace(a, "x", "$1", "y", "(.*)")', { x: '1' })).toBeUndefined();
  });
});

describe('links in a text', () => {
  it('end before the full stop', () => {
    expect(linkParts('See https://wiki.example.org/a.')).toEqual([
      { text: 'See ' },
      { text: 'https://wiki.example.org/a', href: 'https://wiki.example.org/a' },
      { text: '.' },
    ]);
  });
});
