import type { Host } from '../../api/types';
import { formatValue } from '../../lib/units';

/** What a host is, in one line: `Debian 12 · 4 CPUs · 16 GiB`. */
export function factsLine(host: Host): string {
  const { os, cpus, memory_bytes } = host.facts ?? {};
  const parts: string[] = [];
  if (os) parts.push(String(os).replace(/ GNU\/Linux|\s*\([^)]*\)$/g, ''));
  if (cpus) parts.push(Number(cpus) === 1 ? '1 CPU' : `${cpus} CPUs`);
  if (memory_bytes) parts.push(formatValue(Number(memory_bytes), 'bytes'));
  return parts.join(' · ');
}

/** All of it, for the hover. */
export function factsTitle(host: Host): string {
  return Object.entries(host.facts ?? {})
    .map(([name, value]) => {
      const isBytes = name.endsWith('_bytes');
      return `${name.replace(/_bytes$/, '').replace(/_/g, ' ')}: ${isBytes ? formatValue(Number(value), 'bytes') : value}`;
    })
    .join('\n');
}
