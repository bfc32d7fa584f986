import type { DashboardEntry } from '../../api/dashboards';
import { fuzzyScore } from '../../lib/match';

export interface Group {
  key: string;
  /** The package; '' for what is starred. */
  package: string;
  /** The path without the last part, as written: `machines`, `database / mysql`. */
  group: string;
  entries: DashboardEntry[];
}

export function titleOf(entry: Pick<DashboardEntry, 'title' | 'path'>): string {
  return entry.title || entry.path[entry.path.length - 1] || '';
}

/** By package and group, the starred first; a text that is sought leaves what fits. */
export function groupEntries(entries: DashboardEntry[], stars: readonly string[], text: string): Group[] {
  const wanted = text.trim();
  const found = wanted
    ? entries.filter((entry) => fuzzyScore(wanted, `${titleOf(entry)} ${entry.id} ${entry.help ?? ''}`) !== undefined)
    : entries;
  const sorted = [...found].sort((a, b) => titleOf(a).localeCompare(titleOf(b), undefined, { numeric: true }));
  const groups = new Map<string, Group>();
  for (const entry of sorted) {
    const group = entry.path.slice(0, -1).join(' / ');
    const key = `${entry.package}/${group}`;
    if (!groups.has(key)) groups.set(key, { key, package: entry.package, group, entries: [] });
    groups.get(key)!.entries.push(entry);
  }
  const starred = sorted.filter(({ id }) => stars.includes(id));
  const rest = [...groups.values()].sort((a, b) => a.key.localeCompare(b.key));
  return starred.length > 0 ? [{ key: '', package: '', group: '', entries: starred }, ...rest] : rest;
}
