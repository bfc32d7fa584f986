import { describe, expect, it } from 'vitest';
import type { Dashboard } from '../../api/dashboards';
import { draftOf, isChanged, nameFrom, operationsFor, tidy, widgetOf, type Draft } from './model';

const address = { package: 'site', section: 'dashboards', path: ['ops', 'first'] };
const dashboard: Dashboard = {
  id: 'site/ops/first',
  package: 'site',
  path: ['ops', 'first'],
  title: 'First',
  range: '1h',
  widgets: [
    { title: 'CPU', at: { x: 0, y: 0, w: 12, h: 8 }, chart: { queries: [{ expr: 'up' }] } },
    { at: { x: 12, y: 0, w: 6, h: 4 }, stat: { expr: 'up' } },
  ],
};
const before = draftOf(dashboard);
const withPiece = (draft: Draft, i: number, patch: object): Draft => ({
  ...draft,
  pieces: draft.pieces.map((piece, n) => (n === i ? { ...piece, ...patch } : piece)),
});

describe('what is saved', () => {
  it('is nothing when nothing has changed', () => {
    expect(isChanged(before, draftOf(dashboard))).toBe(false);
    expect(operationsFor(address, before, draftOf(dashboard))).toEqual([]);
  });
  it('is the place alone of a widget that was moved', () => {
    expect(operationsFor(address, before, withPiece(before, 1, { x: 18 }))).toEqual([
      { op: 'set', ...address, field: ['widgets', '1', 'at'], value: { x: 18, y: 0, w: 6, h: 4 } },
    ]);
  });
  it('is the body of a widget whose settings changed, and a title that went is taken away', () => {
    const after = withPiece(before, 0, { widget: { title: '', chart: { queries: [{ expr: 'node_load1', legend: '' }], unit: 'count' } } });
    expect(operationsFor(address, before, after)).toEqual([
      { op: 'unset', ...address, field: ['widgets', '0', 'title'] },
      { op: 'set', ...address, field: ['widgets', '0', 'chart'], value: { queries: [{ expr: 'node_load1' }], unit: 'count' } },
    ]);
  });
  it('is what goes and what comes, by its number', () => {
    const text = { key: 'n1', x: 0, y: 8, w: 8, h: 5, widget: { text: { markdown: 'hi' } } };
    const after = { ...before, pieces: [{ ...before.pieces[1]!, x: 0 }, text] };
    expect(operationsFor(address, before, after)).toEqual([
      { op: 'unset', ...address, field: ['widgets', '0'] },
      { op: 'set', ...address, field: ['widgets', '0', 'at'], value: { x: 0, y: 0, w: 6, h: 4 } },
      { op: 'set', ...address, field: ['widgets', '1'], value: { at: { x: 0, y: 8, w: 8, h: 5 }, text: { markdown: 'hi' } } },
    ]);
  });
  it('is the whole list where its order is another, or nothing of it stays', () => {
    const turned = { ...before, pieces: [...before.pieces].reverse() };
    expect(operationsFor(address, before, turned)).toMatchObject([{ op: 'set', field: ['widgets'] }]);
    expect(operationsFor(address, before, { ...before, pieces: [] })).toEqual([{ op: 'set', ...address, field: ['widgets'], value: [] }]);
  });
  it('is title, range and variables by themselves', () => {
    const after = { ...before, title: 'Second', range: '', variables: { host: { label: 'instance', of: 'up', multi: true } } };
    expect(operationsFor(address, before, after)).toEqual([
      { op: 'set', ...address, field: ['title'], value: 'Second' },
      { op: 'unset', ...address, field: ['range'] },
      { op: 'set', ...address, field: ['variables'], value: { host: { label: 'instance', of: 'up', multi: true } } },
    ]);
  });
  it('is a new item when there was none', () => {
    const [operation] = operationsFor(address, undefined, { ...before, help: '' });
    expect(operation).toMatchObject({ op: 'create', value: { title: 'First', range: '1h' } });
    expect(JSON.stringify(operation)).not.toContain('help');
    expect(JSON.stringify(operation)).not.toContain('variables');
  });
});

it('gives widgets without a place one', () => {
  const draft = draftOf({ widgets: [{ stat: { expr: 'a' } }, { stat: { expr: 'b' } }] });
  expect(draft.pieces.map(({ x, y }) => [x, y])).toEqual([[0, 0], [0, 4]]);
  expect(widgetOf(draft.pieces[1]!)).toEqual({ at: { x: 0, y: 4, w: 6, h: 4 }, stat: { expr: 'b' } });
});
it('leaves out what is empty, but keeps zero and no', () => {
  expect(tidy({ a: '', b: 0, c: false, d: undefined, thresholds: { warning: undefined }, e: [{ f: '' }] })).toEqual({ b: 0, c: false, e: [{}] });
});
it('makes a name of a title', () => {
  expect(nameFrom('CPU & Größe: über alles!')).toBe('cpu_grosse_uber_alles');
  expect(nameFrom('  ')).toBe('');
});
