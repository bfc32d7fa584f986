import type { Operation, TreeSection } from '../../../api/packages';
import type { Clip } from './clipboard.svelte';
import { findNode, freeName, itemsBelow, namesIn, pasteTarget, type Row } from './tree';

export type TreeAction = 'open' | 'new' | 'rename' | 'duplicate' | 'copy' | 'cut' | 'paste' | 'remove';

/** Where something is put, and what stood in that group before. */
export interface Landing {
  section: string;
  path: string[];
  beside: string[];
}

export interface Deed {
  title: string;
  operations: Operation[];
  /** What is selected afterwards. */
  lands?: Landing;
  danger?: boolean;
}

const wordsOf = (row: Pick<Row, 'path'>): string => row.path.at(-1) ?? '';

export function renameDeed(name: string, row: Row, to: string): Deed {
  return {
    title: `Rename ${wordsOf(row)} to ${to}`,
    operations: [{ op: 'rename', package: name, section: row.section, path: row.path, name: to }],
    lands: { section: row.section, path: [...row.path.slice(0, -1), to], beside: [] },
  };
}

export function removeDeed(name: string, row: Row, sections: TreeSection[], item: string): Deed {
  const count = itemsBelow(sections, row.section, row.path);
  const what = row.kind === 'item' ? `${item} ${wordsOf(row)}` : `${wordsOf(row) || row.label} with ${count} ${count === 1 ? item : `${item}s`}`;
  return {
    title: `Remove ${what}`,
    operations: [{ op: 'remove', package: name, section: row.section, path: row.path }],
    danger: true,
  };
}

export function duplicateDeed(name: string, row: Row, sections: TreeSection[]): Deed {
  const parent = row.path.slice(0, -1);
  const beside = namesIn(sections, row.section, parent);
  const path = [...parent, freeName(wordsOf(row), beside)];
  return {
    title: `Duplicate ${wordsOf(row)} as ${path.at(-1)}`,
    operations: [{ op: 'copy', package: name, section: row.section, path: row.path, to: { package: name, path } }],
    lands: { section: row.section, path, beside },
  };
}

/** Undefined where what is on the clipboard cannot stand. An empty section takes it with the groups it was in. */
export function pasteDeed(clip: Clip, name: string, row: Pick<Row, 'section' | 'path'> | undefined, sections: TreeSection[]): Deed | undefined {
  const own = clip.path.slice(0, -1);
  const target = row ? (row.path.length === 0 && row.section === clip.section ? own : pasteTarget(clip.section, row, clip.path.length)) : own;
  if (!target) return undefined;
  const last = clip.path.at(-1) ?? '';
  const isHome = clip.package === name && own.join('/') === target.join('/');
  if (clip.cut && isHome) return undefined;
  const beside = namesIn(sections, clip.section, target);
  const path = [...target, freeName(last, beside)];
  return {
    title: `${clip.cut ? 'Move' : 'Copy'} ${last} to ${[name, ...target].join(' / ')}`,
    operations: [{ op: clip.cut ? 'move' : 'copy', package: clip.package, section: clip.section, path: clip.path, to: { package: name, path } }],
    lands: { section: clip.section, path, beside },
  };
}

/**
 * Where something stands after it was put there: under the name that was asked for, or under another, as the
 * server gives one where a name may stand once in a package. Its group, where neither can be told.
 */
export function landed({ section, path, beside }: Landing, sections: TreeSection[]): string[] {
  if (findNode(sections, section, path)) return path;
  const group = path.slice(0, -1);
  const stem = (path.at(-1) ?? '').replace(/-\d+$/, '');
  const came = namesIn(sections, section, group).filter((name) => !beside.includes(name));
  const found = came.find((name) => name.replace(/-\d+$/, '') === stem) ?? (came.length === 1 ? came[0] : undefined);
  return found === undefined ? group : [...group, found];
}
