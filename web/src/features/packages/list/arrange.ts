import type { PackageEntry } from '../../../api/packages';
import { isFailing } from '../order';

export interface Family {
  entry: PackageEntry;
  instances: PackageEntry[];
}

/** Instances under their specification; broken and failing ones first, then by name. */
export function arrangePackages(packages: PackageEntry[], text: string): Family[] {
  const wanted = text.trim().toLowerCase();
  const fits = ({ name, title }: PackageEntry): boolean => `${name} ${title ?? ''}`.toLowerCase().includes(wanted);
  const byName = (a: PackageEntry, b: PackageEntry): number => a.name.localeCompare(b.name);
  const names = new Set(packages.map(({ name }) => name));
  const isOwn = (entry: PackageEntry): boolean => !entry.instance_of || !names.has(rootOf(entry));
  const families = packages.filter(isOwn).map((entry) => {
    const instances = packages.filter((other) => other !== entry && other.instance_of && rootOf(other) === entry.name).sort(byName);
    return { entry, instances: fits(entry) ? instances : instances.filter(fits) };
  });
  const isBroken = ({ entry, instances }: Family): boolean => [entry, ...instances].some((one) => one.state === 'broken' || isFailing(one));
  return families
    .filter(({ entry, instances }) => fits(entry) || instances.length > 0)
    .sort((a, b) => Number(isBroken(b)) - Number(isBroken(a)) || byName(a.entry, b.entry));
}

/** What an instance is called among those of its specification, and where its values are edited. */
export function instanceIn({ name, instance_of: of }: PackageEntry): { name: string; path: string[]; madeBy?: string } {
  const own = name.slice(name.indexOf('@') + 1);
  // `ping@one.gate` is written in the specification that `one` is of: here it has its own page alone.
  if (!of) return { name: own, path: ['packages', name] };
  if (own !== of.name) return { name: own, path: ['packages', name], madeBy: own.slice(0, -of.name.length - 1) };
  return { name: own, path: ['packages', of.declared_in, 'instances', of.package, of.name] };
}

/** `exporter@db1.local` is an instance that an instance made: it stands under the first. */
function rootOf(entry: PackageEntry): string {
  return entry.instance_of?.package.split('@')[0] ?? '';
}

/**
 * The packages that an instance may be written into: one's own; those that are well before those that are not, and
 * first those with instances already, most of all of the same specification.
 */
export function homesOf(packages: PackageEntry[], specification = ''): string[] {
  const own = packages.filter((one) => !one.specification && !one.instance_of && !one.shipped);
  const rank = (one: PackageEntry): number => {
    if (one.state === 'broken') return 4;
    if (isFailing(one)) return 3;
    const theirs = packages.filter(({ instance_of: of }) => of?.declared_in === one.name);
    return theirs.length === 0 ? 2 : theirs.some(({ instance_of: of }) => of?.package === specification) ? 0 : 1;
  };
  return own.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)).map(({ name }) => name);
}
