import { api } from '../api/client';
import { live } from '../api/live';
import type { Host } from '../api/types';
import { Resource } from './resource.svelte';

/** All hosts of the tenant, kept current by the live topic; loaded on first use. */
class Hosts {
  private readonly resource = new Resource(async (signal) => (await api.get<{ hosts: Host[] }>('/hosts', undefined, signal)).hosts);
  private started = false;
  readonly list: Host[] = $derived(this.resource.data ?? []);

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
    const byId = new Map(this.list.map((host) => [host.id, host]));
    for (const host of changed) byId.set(host.id, { ...byId.get(host.id), ...host });
    this.resource.data = [...byId.values()];
  }
}

export const hosts = new Hosts();
