import type { Operation, TreeSection } from '../../../api/packages';
import type { Clip } from './clipboard.svelte';
import { freeName, itemsBelow, namesIn, pasteTarget, type Row } from './tree';

export type TreeAction = 'open' | 'new' | 'rename' | 'duplicate' | 'copy' | 'cut' | 'paste' | 'remove';

export interface Deed {
  title: string;
  operations: Operation[];
  /** What is selected afterwards. */
  lands?: { section: string; path: string[] };
  danger?: boolean;
}

const wordsOf = (row: Pick<Row, 'path'>): string => row.path.at(-1) ?? '';

export function renameDeed(name: string, row: Row, to: string): Deed {
  return {
    title: `Rename ${wordsOf(row)} to ${to}`,
    operations: [{ op: 'rename', package: name, section: row.section, path: row.path, name: to }],
    lands: { section: row.section, path: [...row.path.slice(0, -1), to] },
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
  const path = [...parent, freeName(wordsOf(row), namesIn(sections, row.section, parent))];
  return {
    title: `Duplicate ${wordsOf(row)} as ${path.at(-1)}`,
    operations: [{ op: 'copy', package: name, section: row.section, path: row.path, to: { package: name, path } }],
    lands: { section: row.section, path },
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
  const path = [...target, freeName(last, namesIn(sections, clip.section, target))];
  return {
    title: `${clip.cut ? 'Move' : 'Copy'} ${last} to ${[name, ...target].join(' / ')}`,
    operations: [{ op: clip.cut ? 'move' : 'copy', package: clip.package, section: clip.section, path: clip.path, to: { package: name, path } }],
    lands: { section: clip.section, path },
  };
}
