import { api } from '../api/client';
import { live } from '../api/live';
import type { Host } from '../api/types';
import { openAlerts } from './alerts.svelte';
import { Resource } from './resource.svelte';

/** All hosts of the tenant, kept current by the live topic; loaded on first use. */
class Hosts {
  private readonly resource = new Resource(async (signal) => (await api.get<{ hosts: Host[] }>('/hosts', undefined, signal)).hosts);
  private started = false;
  /** Live frames of hosts carry no counts of alerts: those come from the open alerts, once they are known. */
  readonly list: Host[] = $derived.by(() => {
    const all = this.resource.data ?? [];
    if (!openAlerts.loaded) return all;
    const byHost = new Map<string, { critical: number; warning: number; no_data: number }>();
    for (const { labels, state, severity } of openAlerts.list) {
      if (state === 'pending') continue;
      const name = labels.instance ?? '';
      const counts = byHost.get(name) ?? { critical: 0, warning: 0, no_data: 0 };
      counts[state === 'no_data' ? 'no_data' : severity === 'critical' ? 'critical' : 'warning'] += 1;
      byHost.set(name, counts);
    }
    return all.map((host) => ({ ...host, alerts: byHost.get(host.name) ?? {} }));
  });

  get loaded(): boolean {
    return this.resource.data !== undefined;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    void this.resource.load();
    live.subscribe(
      { topic: 'hosts' },
      (frames) => this.merge(frames.flatMap((frame) => (frame.host ? [frame.host] : []))),
      () => void this.resource.load(),
    );
  }

  reload(): Promise<void> {
    return this.resource.load();
  }

  /** By id, or by name for addresses that people write. */
  find(id: string): Host | undefined {
    return this.list.find((host) => host.id === id) ?? this.list.find((host) => host.name === id);
  }

  byName(name: string): Host | undefined {
    return this.list.find((host) => host.name === name);
  }

  private merge(changed: Host[]): void {
    if (changed.length === 0) return;
    const byId = new Map((this.resource.data ?? []).map((host) => [host.id, host]));
    for (const host of changed) {
      if (host.removed) byId.delete(host.id);
      else byId.set(host.id, { ...byId.get(host.id), ...host });
    }
    this.resource.data = [...byId.values()];
  }
}

export const hosts = new Hosts();
