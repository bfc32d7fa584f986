import type { Component } from 'svelte';
import type { IconName } from '../components/Icon.svelte';
import Overview from './overview/Overview.svelte';

export interface Area {
  name: string;
  word: string;
  icon: IconName;
  /** `g` and this letter go there. */
  key: string;
  /** Whether the page's time range means something here. */
  hasRange: (path: string[]) => boolean;
  load: (path: string[]) => Promise<Component> | Component;
  /** The area of the rail that it belongs to; none: its own. */
  under?: string;
}

const never = (): boolean => false;
type Loaded = Promise<{ default: Component }>;
const of = async (module: Loaded): Promise<Component> => (await module).default;

export const areas: Area[] = [
  { name: 'overview', word: 'Overview', icon: 'overview', key: 'o', hasRange: never, load: () => Overview },
  {
    name: 'alerts',
    word: 'Alerts',
    icon: 'alerts',
    key: 'a',
    hasRange: (path) => path.length > 1,
    load: () => of(import('./alerts/Alerts.svelte')),
  },
  {
    name: 'incidents',
    word: 'Incidents',
    icon: 'incidents',
    key: 'n',
    hasRange: (path) => path.length > 1,
    load: () => of(import('./incidents/Incidents.svelte')),
  },
  {
    name: 'rules',
    word: 'Rules',
    icon: 'rules',
    key: 'r',
    hasRange: never,
    load: () => of(import('./rules/Rules.svelte')),
  },
  {
    name: 'explore',
    word: 'Explore',
    icon: 'explore',
    key: 'e',
    hasRange: () => true,
    load: () => of(import('./explore/Explore.svelte')),
  },
  {
    name: 'dashboards',
    word: 'Dashboards',
    icon: 'dashboards',
    key: 'd',
    hasRange: (path) => path.length > 1,
    load: (path) =>
      path.length > 1 ? of(import('./dashboards/DashboardPage.svelte')) : of(import('./dashboards/DashboardList.svelte')),
  },
  {
    name: 'hosts',
    word: 'Hosts',
    icon: 'hosts',
    key: 'h',
    hasRange: (path) => path.length > 1,
    load: (path) => (path.length > 1 ? of(import('./host/Host.svelte')) : of(import('./hosts/Hosts.svelte'))),
  },
  {
    name: 'logs',
    word: 'Logs',
    icon: 'logs',
    key: 'l',
    hasRange: () => true,
    load: () => of(import('./logs/Logs.svelte')),
  },
  {
    name: 'sensors',
    word: 'Sensors',
    icon: 'sensors',
    key: 'm',
    hasRange: never,
    load: () => of(import('./sensors/Sensors.svelte')),
  },
  {
    name: 'packages',
    word: 'Packages',
    icon: 'packages',
    key: 'p',
    hasRange: never,
    load: () => of(import('./packages/Packages.svelte')),
  },
  {
    name: 'settings',
    word: 'Settings',
    icon: 'settings',
    key: 's',
    hasRange: never,
    load: () => of(import('./settings/Settings.svelte')),
  },
];

/** Pages that the rail does not name: parts of an area, and ways through. */
export const passages: Area[] = [
  {
    name: 'silences',
    word: 'Silences',
    icon: 'alerts',
    key: 'i',
    hasRange: never,
    load: () => of(import('./silences/Silences.svelte')),
    under: 'alerts',
  },
  {
    name: 'routes',
    word: 'Routes',
    icon: 'routes',
    key: 'u',
    hasRange: never,
    load: () => of(import('./routes/Routes.svelte')),
    under: 'alerts',
  },
  {
    name: 'page',
    word: 'Page',
    icon: 'link',
    key: '',
    hasRange: never,
    load: () => of(import('./dashboards/OpenPage.svelte')),
  },
];

export function areaOf(name: string): Area | undefined {
  return [...areas, ...passages].find((area) => area.name === name);
}
