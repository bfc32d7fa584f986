import { describe, expect, it } from 'vitest';
import type { TreeSection } from '../../../api/packages';
import { duplicateDeed, landed, pasteDeed, removeDeed } from './actions';
import type { Row } from './tree';

const sections: TreeSection[] = [{ name: 'rules', title: 'Rules', count: 2, nodes: [{ name: 'disk', item: false, children: [{ name: 'full', item: true }, { name: 'slow', item: true }] }] }];
const row = (path: string[], kind: Row['kind']): Row => ({ key: '', section: 'rules', path, label: path.at(-1) ?? 'Rules', note: '', depth: path.length, kind, open: false, hasChildren: false, error: false });

it('duplicates an item and a group under a free name', () => {
  expect(duplicateDeed('host', row(['disk', 'full'], 'item'), sections).lands?.path).toEqual(['disk', 'full-2']);
  expect(duplicateDeed('host', row(['disk'], 'group'), sections).operations).toEqual([
    { op: 'copy', package: 'host', section: 'rules', path: ['disk'], to: { package: 'host', path: ['disk-2'] } },
  ]);
});

it('says how many items a removal takes', () => {
  expect(removeDeed('host', row(['disk'], 'group'), sections, 'rule').title).toBe('Remove disk with 2 rules');
  expect(removeDeed('host', row(['disk', 'full'], 'item'), sections, 'rule').title).toBe('Remove rule full');
});

describe('pasting', () => {
  const clip = { cut: false, package: 'host', section: 'rules', path: ['disk', 'full'] };
  it('goes into the group of the row, under a free name', () => {
    expect(pasteDeed(clip, 'host', row(['disk', 'slow'], 'item'), sections)?.lands?.path).toEqual(['disk', 'full-2']);
  });
  it('goes into the same group of another package', () => {
    const deed = pasteDeed(clip, 'tower', undefined, []);
    expect(deed?.operations).toEqual([{ op: 'copy', package: 'host', section: 'rules', path: ['disk', 'full'], to: { package: 'tower', path: ['disk', 'full'] } }]);
    expect(pasteDeed(clip, 'tower', row([], 'section'), [])?.lands?.path).toEqual(['disk', 'full']);
  });
  it('moves a whole group', () => {
    const deed = pasteDeed({ ...clip, cut: true, path: ['disk'] }, 'tower', row(['net'], 'group'), []);
    expect(deed?.operations[0]).toMatchObject({ op: 'move', to: { package: 'tower', path: ['disk'] } });
  });
  it('does not go into a section of another kind, nor moves a thing to where it is', () => {
    expect(pasteDeed(clip, 'host', { ...row(['a'], 'group'), section: 'pages' }, sections)).toBeUndefined();
    expect(pasteDeed({ ...clip, cut: true }, 'host', row(['disk'], 'group'), sections)).toBeUndefined();
  });
});

describe('what was put somewhere is found there', () => {
  const lands = { section: 'rules', path: ['disk', 'full-2'], beside: ['full', 'slow'] };
  const holding = (...names: string[]): TreeSection[] => [{ ...sections[0]!, nodes: [{ name: 'disk', item: false, children: names.map((name) => ({ name, item: true })) }] }];
  it('by the name that was asked for', () => {
    expect(landed(lands, holding('full', 'slow', 'full-2'))).toEqual(['disk', 'full-2']);
  });
  it('by the name that the server gave it instead', () => {
    expect(landed(lands, holding('full', 'slow', 'full-7'))).toEqual(['disk', 'full-7']);
  });
  it('by its stem, where somebody else has put something beside it meanwhile', () => {
    expect(landed(lands, holding('full', 'slow', 'quick', 'full-7'))).toEqual(['disk', 'full-7']);
  });
  it('by its group, where nothing came', () => {
    expect(landed(lands, sections)).toEqual(['disk']);
  });
});
