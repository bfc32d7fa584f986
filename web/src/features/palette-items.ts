import { incidentsApi } from '../api/incidents';
import { packagesApi, type PackageEntry, type RegistryItem } from '../api/packages';
import type { IconName } from '../components/Icon.svelte';
import { alertLook, stateLook } from '../lib/statelook';
import { openAlerts } from '../state/alerts.svelte';
import { auth } from '../state/auth.svelte';
import { dashboards } from '../state/dashboards.svelte';
import { hosts } from '../state/hosts.svelte';
import { router } from '../state/router.svelte';
import { theme } from '../state/theme.svelte';
import { areas, passages } from './areas';

const mostIncidents = 200;

export interface PaletteItem {
  word: string;
  hint: string;
  icon: IconName;
  run: () => void;
}

/** The packages there are, and the sections that they have items in. */
export interface KnownPackages {
  packages: PackageEntry[];
  sections: ReadonlySet<string>;
}

export async function knownPackages(): Promise<KnownPackages> {
  const packages = await packagesApi.list();
  return { packages, sections: new Set(packages.flatMap((one) => Object.keys(one.sections ?? {}))) };
}

export function packageItems({ packages }: KnownPackages): PaletteItem[] {
  return packages.map(({ name, title }) => ({
    word: title ? `${name} · ${title}` : name,
    hint: 'package',
    icon: 'packages',
    run: () => router.go(['packages', name]),
  }));
}

/** What goes on, newest first. */
export async function incidentItems(): Promise<PaletteItem[]> {
  const { incidents } = await incidentsApi.list({ state: 'active', limit: mostIncidents });
  return incidents.map(({ id, title, owner }) => ({
    word: `#${id} ${title}`,
    hint: owner ? `incident of ${owner}` : 'incident',
    icon: 'incidents',
    run: () => router.go(['incidents', id]),
  }));
}

/** What is found in the registry, of it what has a page in its package and is not listed already. */
export function registryItems(found: RegistryItem[], { sections }: KnownPackages): PaletteItem[] {
  return found
    .filter(({ id, kind, package: name }) => sections.has(kind) && kind !== 'dashboards' && id.startsWith(`${name}/`))
    .map(({ id, kind, package: name, title }) => ({
      word: title || id,
      hint: title ? `${kind} · ${id}` : kind,
      icon: 'packages',
      run: () => router.go(['packages', name, kind, ...id.slice(name.length + 1).split('/')]),
    }));
}

/** Everything that can be jumped to or done from where the person is. */
export function paletteItems(): PaletteItem[] {
  const pages = [...areas, ...passages].filter(({ key }) => key);
  const items: PaletteItem[] = pages.map((area) => ({
    word: area.word,
    hint: 'page',
    icon: area.icon,
    run: () => router.go([area.name]),
  }));
  for (const dashboard of dashboards.list) {
    items.push({
      word: dashboard.title || dashboard.path.join(' / '),
      hint: 'dashboard',
      icon: 'dashboards',
      run: () => router.go(['dashboards', ...dashboard.id.split('/')]),
    });
  }
  for (const host of hosts.list) {
    items.push({ word: host.name, hint: 'host', icon: 'hosts', run: () => router.go(['hosts', host.id]) });
  }
  for (const alert of openAlerts.list) {
    items.push({
      word: [alert.annotations?.title || alert.name, alert.labels.instance].filter(Boolean).join(' · '),
      hint: stateLook(alertLook(alert)).word.toLowerCase(),
      icon: 'alerts',
      run: () => router.go(['alerts', alert.id]),
    });
  }
  items.push(
    { word: 'Who would get an alert?', hint: 'action', icon: 'routes', run: () => router.go(['routes']) },
    { word: 'Switch theme', hint: 'action', icon: theme.isDark ? 'sun' : 'moon', run: () => theme.toggle() },
    { word: 'Change password', hint: 'action', icon: 'user', run: () => router.go(['settings', 'account']) },
    { word: 'Sign out', hint: 'action', icon: 'user', run: () => void auth.signOut() },
  );
  if (auth.may('operator')) {
    items.push(
      { word: 'Add host', hint: 'action', icon: 'plus', run: () => router.go(['hosts'], { add: 'host' }) },
      { word: 'New silence', hint: 'action', icon: 'plus', run: () => router.go(['silences'], { new: '1' }) },
      { word: 'New sensor', hint: 'action', icon: 'plus', run: () => router.go(['sensors'], { new: 'sensor' }) },
      { word: 'New dashboard', hint: 'action', icon: 'plus', run: () => router.go(['dashboards'], { add: 'dashboard' }) },
      { word: 'Add check', hint: 'action', icon: 'plus', run: () => router.go(['hosts'], { tab: 'checks', add: 'check' }) },
    );
  }
  return items;
}
