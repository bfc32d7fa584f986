import type { PackageEntry } from '../../api/packages';
import type { Rule } from '../../api/types';
import { stateLook } from '../../lib/statelook';

/** The path of a declaration below the folder of packages, as people know it: `host/package.yaml:11`. */
export function placeOf(file: string | undefined, line?: number, column?: number): string {
  if (!file) return '';
  const short = file.replace(/^.*\/packages\/[^/]+\//, '');
  return [short, line, column].filter((part) => part !== undefined && part !== 0).join(':');
}

const words: Record<string, [one: string, many: string]> = { rpc: ['procedure', 'procedures'] };

/** What a package holds, counted: `14 rules, 1 dashboard`. */
export function countsOf(sections: Record<string, number> | undefined): string {
  return Object.entries(sections ?? {})
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${words[name]?.[count === 1 ? 0 : 1] ?? (count === 1 ? name.replace(/s$/, '') : name)}`.replace(/_/g, ' '))
    .join(', ');
}

/** Rules of one package, worst first, then as they are named. */
export function arrangeRules(rules: Rule[], text: string): Rule[] {
  const wanted = text.trim().toLowerCase();
  return rules
    .filter((rule) => `${rule.title ?? ''} ${rule.id} ${rule.expr ?? ''} ${rule.state}`.toLowerCase().includes(wanted))
    .sort((a, b) => stateLook(b.state).rank - stateLook(a.state).rank || a.id.localeCompare(b.id));
}

/** Does a program fail that processes one of the package's sections? */
export function isFailing({ processed }: Pick<PackageEntry, 'processed'>): boolean {
  return processed?.some(({ state }) => state === 'failed') ?? false;
}

/** The state that a package shows as: its own or its programs' where they are not well, before the worst of its rules. */
export function worstOf(entry: Pick<PackageEntry, 'state' | 'processed'>, rules: Rule[]): string {
  if (entry.state !== 'ok') return entry.state;
  if (isFailing(entry)) return 'failing';
  let worst = 'ok';
  for (const rule of rules) if (stateLook(rule.state).rank > stateLook(worst).rank) worst = rule.state;
  return worst;
}
