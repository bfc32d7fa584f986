import type { GridSection } from '../../api/dashboards';
import { packagesApi, type Operation, type Value } from '../../api/packages';
import { valueOf, type Draft } from './model';

export interface Place {
  section: GridSection;
  package: string;
  group: string;
  name: string;
}

/** The package that a person's own dashboards go to, unless they say another. */
export const ownPackage = 'site';

/** What makes a dashboard or a grid page, and its package when there is none of that name. */
export function createOperations(place: Place, draft: Draft, packages: readonly string[]): Operation[] {
  const path = [...place.group.split('/').map((part) => part.trim()), place.name];
  const create: Operation = { op: 'create', package: place.package, section: place.section, path, value: valueOf(draft) as Value };
  if (packages.includes(place.package)) return [create];
  return [{ op: 'create_package', package: place.package, title: place.package === ownPackage ? 'This site' : place.package }, create];
}

/** Makes it and gives its id. */
export async function createGrid(place: Place, draft: Draft, packages: readonly string[]): Promise<string> {
  const operations = createOperations(place, draft, packages);
  await packagesApi.change(operations, { reason: `${place.section === 'pages' ? 'Page' : 'Dashboard'} “${draft.title || place.name}” made` });
  const made = operations[operations.length - 1]! as { path: string[] };
  return [place.package, ...made.path].join('/');
}

/** Packages that may hold it: not those that come of a specification. */
export async function packagesToWrite(): Promise<{ all: string[]; offered: string[] }> {
  const all = await packagesApi.list();
  const offered = all.filter((entry) => !entry.instance_of && !entry.shipped && !entry.name.includes('@')).map(({ name }) => name);
  return { all: all.map(({ name }) => name), offered: [...new Set([ownPackage, ...offered.sort()])] };
}
