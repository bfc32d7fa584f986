import type { Host } from '../../api/types';
import { hostLook, stateLook } from '../../lib/statelook';
import type { Vital } from './vitals.svelte';

export type Sort = 'worst' | 'name' | 'cpu' | 'memory' | 'load' | 'disk' | 'network';
export const sorts: Sort[] = ['worst', 'name', 'cpu', 'memory', 'load', 'disk', 'network'];

/** Hosts whose name has the text, in the wanted order; names decide between equals. */
export function arrange(
  hosts: Host[],
  sort: Sort,
  text: string,
  value: (vital: Vital, instance: string) => number | undefined,
): Host[] {
  const wanted = text.trim().toLowerCase();
  const keyed = hosts
    .filter((host) => host.name.toLowerCase().includes(wanted))
    .map((host) => ({ host, key: keyOf(host, sort, value) }));
  keyed.sort((a, b) => b.key - a.key || a.host.name.localeCompare(b.host.name, undefined, { numeric: true }));
  return keyed.map(({ host }) => host);
}

function keyOf(host: Host, sort: Sort, value: (vital: Vital, instance: string) => number | undefined): number {
  switch (sort) {
    case 'name':
      return 0;
    case 'worst': {
      const alerts = host.alerts ?? {};
      const weight = (alerts.critical ?? 0) * 1e4 + (alerts.warning ?? 0) * 100 + (alerts.no_data ?? 0);
      return stateLook(hostLook(host)).rank * 1e8 + Math.min(weight, 1e8 - 1);
    }
    case 'network':
      return (value('received', host.name) ?? -1) + (value('sent', host.name) ?? 0);
    default:
      return value(sort, host.name) ?? -1;
  }
}
