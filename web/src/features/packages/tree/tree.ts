import type { TreeNode, TreeSection } from '../../../api/packages';

/** A line of the tree: a section, a group or an item. */
export interface Row {
  key: string;
  section: string;
  path: string[];
  label: string;
  /** Beside the name: the item's title, or how many items lie below. */
  note: string;
  depth: number;
  kind: 'section' | 'group' | 'item';
  open: boolean;
  hasChildren: boolean;
  error: boolean;
}

export const keyOf = (section: string, path: string[]): string => [section, ...path].map(encodeURIComponent).join('/');

function countItems(nodes: TreeNode[]): number {
  let count = 0;
  for (const node of nodes) count += (node.item ? 1 : 0) + countItems(node.children ?? []);
  return count;
}

const holdsError = (node: TreeNode): boolean => Boolean(node.error) || (node.children ?? []).some(holdsError);

/** What is seen of the tree. A filter opens whatever holds something that fits. */
export function rowsOf(sections: TreeSection[], open: ReadonlySet<string>, filter: string): Row[] {
  const wanted = filter.trim().toLowerCase();
  const rows: Row[] = [];
  const seen = new Map<string, number>();
  /** A name that stands twice by mistake is shown twice. */
  const unique = (key: string): string => {
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return count === 0 ? key : `${key}#${count + 1}`;
  };
  const fits = (text: string): boolean => text.toLowerCase().includes(wanted);

  /** Adds the rows of `nodes`; whether anything of them fits. `all`: something above fits, so all do. */
  const walk = (section: string, nodes: TreeNode[], above: string[], depth: number, all: boolean): void => {
    for (const node of nodes) {
      const path = [...above, node.name];
      const children = node.children ?? [];
      const own = all || fits(`${node.name} ${node.title ?? ''}`);
      const at = rows.length;
      const key = keyOf(section, path);
      const isOpen = children.length > 0 && (wanted !== '' || open.has(key));
      rows.push({
        key: unique(key),
        section,
        path,
        label: node.name,
        note: node.item ? (node.title ?? '') : String(countItems(children)),
        depth,
        kind: node.item ? 'item' : 'group',
        open: isOpen,
        hasChildren: children.length > 0,
        error: isOpen ? Boolean(node.error) : holdsError(node),
      });
      if (isOpen) walk(section, children, path, depth + 1, own);
      if (!own && rows.length === at + 1) rows.pop();
    }
  };

  for (const section of sections) {
    const at = rows.length;
    const key = keyOf(section.name, []);
    const isOpen = wanted !== '' || open.has(key);
    const own = wanted !== '' && fits(`${section.name} ${section.title}`);
    if (section.shape === 'document') {
      const error = section.nodes.some(holdsError);
      const row = { key, section: section.name, path: [], label: section.title || section.name, note: '', depth: 0, open: false, hasChildren: false, error };
      if (wanted === '' || own) rows.push({ ...row, kind: 'item' });
      continue;
    }
    rows.push({
      key,
      section: section.name,
      path: [],
      label: section.title || section.name,
      note: String(section.count),
      depth: 0,
      kind: 'section',
      open: isOpen,
      hasChildren: section.nodes.length > 0,
      error: !isOpen && section.nodes.some(holdsError),
    });
    if (isOpen) walk(section.name, section.nodes, [], 1, wanted === '' || own);
    if (wanted !== '' && !own && rows.length === at + 1) rows.pop();
  }
  return rows;
}

/** Keys of everything above an item, to be opened so that it is seen. */
export function ancestorsOf(section: string, path: string[]): string[] {
  return path.map((_, length) => keyOf(section, path.slice(0, length)));
}

/** What is open, as if a group were called otherwise already: the keys of all below it go along. */
export function openedAs(opened: ReadonlySet<string>, section: string, path: string[], to: string): Set<string> {
  const [from, next] = [keyOf(section, path), keyOf(section, [...path.slice(0, -1), to])];
  const below = [...opened].filter((key) => key === from || key.startsWith(`${from}/`));
  return new Set([...opened, ...below.map((key) => next + key.slice(from.length))]);
}

/** Where the keyboard goes from a row; the row itself where there is nothing further. */
export function nextRow(rows: Row[], at: number, key: string, page: number): number {
  const last = rows.length - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, at + 1);
    case 'ArrowUp':
      return Math.max(0, at - 1);
    case 'PageDown':
      return Math.min(last, at + page);
    case 'PageUp':
      return Math.max(0, at - page);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'ArrowLeft': {
      // To what it lies in.
      for (let i = at - 1; i >= 0; i -= 1) if (rows[i]!.depth < rows[at]!.depth) return i;
      return at;
    }
    case 'ArrowRight':
      return rows[at + 1] && rows[at + 1]!.depth > rows[at]!.depth ? at + 1 : at;
    default:
      return at;
  }
}

export function findNode(sections: TreeSection[], section: string, path: string[]): TreeNode | undefined {
  let nodes = sections.find((one) => one.name === section)?.nodes;
  let found: TreeNode | undefined;
  for (const step of path) {
    found = nodes?.find((node) => node.name === step);
    nodes = found?.children;
  }
  return found;
}

/** Names of what stands directly in a group (or a section, for an empty path). */
export function namesIn(sections: TreeSection[], section: string, path: string[]): string[] {
  const nodes = path.length === 0 ? sections.find((one) => one.name === section)?.nodes : findNode(sections, section, path)?.children;
  return (nodes ?? []).map((node) => node.name);
}

/** `name`, or the first free of name-2, name-3, … */
export function freeName(name: string, taken: string[]): string {
  if (!taken.includes(name)) return name;
  const stem = name.replace(/-\d+$/, '');
  for (let number = 2; ; number += 1) {
    const candidate = `${stem.slice(0, 60)}-${number}`;
    if (!taken.includes(candidate)) return candidate;
  }
}

/** How many items a row stands for. */
export function itemsBelow(sections: TreeSection[], section: string, path: string[]): number {
  const node = findNode(sections, section, path);
  return node ? countItems([node]) : (sections.find((one) => one.name === section)?.count ?? 0);
}

/**
 * The group that something pasted at a row goes into: groups of the same level are siblings. Undefined where a
 * thing of this depth does not fit: `depth` is the length of what was copied.
 */
export function pasteTarget(section: string, row: Pick<Row, 'section' | 'path'>, depth: number): string[] | undefined {
  if (row.section !== section || row.path.length < depth - 1) return undefined;
  return row.path.slice(0, depth - 1);
}
