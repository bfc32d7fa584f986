import { describe, expect, it } from 'vitest';
import type { TreeSection } from '../../../api/packages';
import { ancestorsOf, freeName, itemsBelow, keyOf, namesIn, nextRow, openedAs, pasteTarget, rowsOf } from './tree';

const sections: TreeSection[] = [
  {
    name: 'rules',
    title: 'Rules',
    count: 3,
    nodes: [
      { name: 'disk', item: false, children: [{ name: 'full', title: 'Disk is full', item: true }, { name: 'slow', item: true, error: true }] },
      { name: 'cpu', item: false, children: [{ name: 'busy', item: true }] },
    ],
  },
  { name: 'alertmanager', title: 'Alertmanager', count: 1, nodes: [{ name: 'alertmanager', item: true }] },
];
const labels = (open: string[], filter = ''): string[] => rowsOf(sections, new Set(open), filter).map(({ label }) => label);

describe('rowsOf', () => {
  it('shows sections alone until they are opened', () => {
    expect(labels([])).toEqual(['Rules', 'Alertmanager']);
    expect(labels([keyOf('rules', []), keyOf('rules', ['disk'])])).toEqual(['Rules', 'disk', 'full', 'slow', 'cpu', 'Alertmanager']);
  });
  it('tells of an error below a closed group', () => {
    const rows = rowsOf(sections, new Set([keyOf('rules', [])]), '');
    expect(rows.find(({ label }) => label === 'disk')?.error).toBe(true);
    expect(rows.find(({ label }) => label === 'cpu')?.error).toBe(false);
  });
  it('keeps what fits a filter with the groups above it', () => {
    expect(labels([], 'full')).toEqual(['Rules', 'disk', 'full']);
    expect(labels([], 'DISK')).toEqual(['Rules', 'disk', 'full', 'slow']);
    expect(labels([], 'nothing')).toEqual([]);
  });
  it('shows a section that is one item as that item', () => {
    const rows = rowsOf([{ ...sections[1]!, shape: 'document' }], new Set(), '');
    expect(rows).toMatchObject([{ kind: 'item', path: [], label: 'Alertmanager', hasChildren: false }]);
  });
  it('gives a name that stands twice two rows of their own', () => {
    const twice = [{ name: 'rules', title: 'Rules', count: 2, nodes: [{ name: 'a', item: true }, { name: 'a', item: true }] }];
    expect(new Set(rowsOf(twice, new Set([keyOf('rules', [])]), '').map(({ key }) => key)).size).toBe(3);
  });
  it('lays out 5,000 items well within a frame or two', () => {
    const children = Array.from({ length: 5000 }, (_, i) => ({ name: `rule${i}`, item: true }));
    const large = [{ name: 'rules', title: 'Rules', count: 5000, nodes: [{ name: 'all', item: false, children }] }];
    expect(rowsOf(large, new Set([keyOf('rules', []), keyOf('rules', ['all'])]), '')).toHaveLength(5002);
  });
});

it('moves by keyboard: into, out of and along', () => {
  const rows = rowsOf(sections, new Set([keyOf('rules', []), keyOf('rules', ['disk'])]), '');
  expect(nextRow(rows, 0, 'ArrowDown', 5)).toBe(1);
  expect(nextRow(rows, 3, 'ArrowLeft', 5)).toBe(1);
  expect(nextRow(rows, 1, 'ArrowRight', 5)).toBe(2);
  expect(nextRow(rows, 2, 'ArrowRight', 5)).toBe(2);
  expect(nextRow(rows, 1, 'End', 5)).toBe(rows.length - 1);
});

it('opens what is above an item', () => {
  expect(ancestorsOf('rules', ['disk', 'full'])).toEqual([keyOf('rules', []), keyOf('rules', ['disk'])]);
});

it('finds a free name', () => {
  expect(freeName('full', ['slow'])).toBe('full');
  expect(freeName('full', ['full'])).toBe('full-2');
  expect(freeName('full-2', ['full', 'full-2'])).toBe('full-3');
  expect(namesIn(sections, 'rules', [])).toEqual(['disk', 'cpu']);
  expect(namesIn(sections, 'rules', ['disk'])).toEqual(['full', 'slow']);
});

it('counts what a group stands for', () => {
  expect(itemsBelow(sections, 'rules', ['disk'])).toBe(2);
  expect(itemsBelow(sections, 'rules', [])).toBe(3);
});

it('pastes beside what is of the same kind and depth', () => {
  const rule = { section: 'rules', path: ['cpu', 'busy'] };
  expect(pasteTarget('rules', rule, 2)).toEqual(['cpu']);
  expect(pasteTarget('rules', { section: 'rules', path: ['cpu'] }, 2)).toEqual(['cpu']);
  expect(pasteTarget('rules', { section: 'rules', path: [] }, 2)).toBeUndefined();
  expect(pasteTarget('rules', { section: 'rules', path: [] }, 1)).toEqual([]);
  expect(pasteTarget('rules', { section: 'pages', path: ['a', 'b'] }, 2)).toBeUndefined();
});

it('leaves a group open that gets another name, with what is open below it', () => {
  const opened = new Set([keyOf('rules', []), keyOf('rules', ['disk']), keyOf('rules', ['disk', 'io']), keyOf('rules', ['disks'])]);
  const then = openedAs(opened, 'rules', ['disk'], 'store');
  expect([...then].filter((key) => !opened.has(key))).toEqual([keyOf('rules', ['store']), keyOf('rules', ['store', 'io'])]);
});
