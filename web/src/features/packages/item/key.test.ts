import { describe, expect, it } from 'vitest';
import type { Field, Section, TreeSection } from '../../../api/packages';
import { faultsOfPlace, withKey } from './key';

it('says the name of an item in its text, once', () => {
  expect(withKey('', 'name', 'web')).toBe('name: web\n');
  expect(withKey('# words\nname: web # old\nrules: []\n', 'name', '$& 1')).toBe("# words\nname: '$& 1'\nrules: []\n");
  expect(withKey('rules:\n  - name: x\n', 'name', 'web')).toBe('name: web\nrules:\n  - name: x\n');
});

describe('the place of a new item', () => {
  const index = (name: string): Field => ({ name, kind: 'text', pattern: '[a-z0-9]{1,8}', pattern_help: 'letters and digits' });
  const section: Section = { name: 'rules', item: 'rule', title: 'Rules', shape: 'tree', indexes: [index('group'), index('name')], fields: [] };
  const calm = { name: 'calm', item: true };
  const tree: TreeSection[] = [{ name: 'rules', title: 'Rules', count: 2, nodes: [{ name: 'sea', item: false, children: [calm, { name: 'deep', item: false, children: [calm] }] }, calm] }];
  const faults = (...places: string[]): string[] => faultsOfPlace(section, places, tree);

  it('is right while it is new, or not entered yet', () => {
    expect([faults('sea', 'storm'), faults('', ''), faults('sea', ''), faults('', 'calm')]).toEqual([['', ''], ['', ''], ['', ''], ['', '']]);
  });
  it('is told to be taken', () => {
    expect(faults('sea', 'calm')).toEqual(['', 'There is a rule sea/calm already']);
    expect(faults('sea', 'deep')).toEqual(['', 'sea/deep is a group']);
    expect(faults('calm', 'x')).toEqual(['calm is a rule, and no group', '']);
  });
  it('is told what names are made of', () => {
    expect(faults('sea', 'bad name!')).toEqual(['', '“bad name!” is no name here: letters and digits']);
  });
});
