import { live } from '../../api/live';
import { numberOf, queryRange } from '../../api/prom';
import type { LiveFrame } from '../../api/types';
import { Ring } from '../../lib/ring';
import { nowSeconds } from '../../state/clock.svelte';

export type Vital = 'cpu' | 'memory' | 'load' | 'disk' | 'received' | 'sent';

const realDisk = 'fstype!~"tmpfs|ramfs|squashfs|iso9660|devtmpfs"';
const outside = 'device!~"lo|veth.*"';
const diskUse = `1 - node_filesystem_avail_bytes{${realDisk}} / node_filesystem_size_bytes{${realDisk}}`;

function expressions(window: string): Record<Vital, string> {
  return {
    cpu: `1 - avg by (instance)(rate(node_cpu_seconds_total{mode="idle"}[${window}]))`,
    memory: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
    load: 'node_load1',
    disk: `max by (instance)(${diskUse})`,
    received: `sum by (instance)(rate(node_network_receive_bytes_total{${outside}}[${window}]))`,
    sent: `sum by (instance)(rate(node_network_transmit_bytes_total{${outside}}[${window}]))`,
  };
}

/** Seconds that the sparklines show. */
export const stretch = 300;
const step = 2;

/**
 * The newest minutes of what matters most, for every host: history by one range query a vital, then
 * deltas. `version` moves once a delivery; the rings themselves are not reactive.
 */
export class Vitals {
  version = $state(0);
  /** Unix seconds of the newest sample of any host: the right edge of every sparkline. */
  latest = 0;
  error = $state.raw<unknown>(undefined);
  private readonly rings = new Map<string, Ring>();
  private readonly mounts = new Map<string, Map<string, number>>();
  private ends: (() => void)[] = [];
  private generation = 0;

  start(): void {
    const live1s = expressions('5s');
    for (const vital of Object.keys(live1s) as Vital[]) {
      const isDisk = vital === 'disk';
      // File systems come one by one, so that the fullest has a name.
      this.ends.push(
        live.subscribe(
          { topic: 'query', query: isDisk ? diskUse : live1s[vital] },
          (frames) => (isDisk ? this.onDisks(frames) : this.onFrames(vital, frames)),
          vital === 'cpu' ? () => void this.load() : undefined,
        ),
      );
    }
    void this.load();
  }

  stop(): void {
    for (const end of this.ends) end();
    this.ends = [];
    this.generation += 1;
  }

  ring(vital: Vital, instance: string): Ring | undefined {
    return this.rings.get(`${vital} ${instance}`);
  }

  value(vital: Vital, instance: string): number | undefined {
    const last = this.ring(vital, instance)?.last;
    return last && this.latest - last.time < 30 ? last.value : undefined;
  }

  fullestMount(instance: string): string {
    let name = '';
    let most = -1;
    for (const [mount, use] of this.mounts.get(instance) ?? []) {
      if (use > most) [name, most] = [mount, use];
    }
    return name;
  }

  private async load(): Promise<void> {
    const generation = (this.generation += 1);
    const to = Math.floor(nowSeconds() / step) * step;
    const asked = Object.entries(expressions('8s')) as [Vital, string][];
    const results = await Promise.allSettled(
      asked.map(async ([vital, query]) => ({ vital, series: await queryRange(query, to - stretch, to, step) })),
    );
    if (generation !== this.generation) return;
    const failed = results.find((result) => result.status === 'rejected');
    this.error = failed?.status === 'rejected' ? failed.reason : undefined;
    for (const result of results) {
      if (result.status !== 'fulfilled') continue;
      for (const { metric, values } of result.value.series) {
        this.replace(result.value.vital, metric.instance ?? '', values);
      }
    }
    this.version += 1;
  }

  /** History first, then the live points that came meanwhile. */
  private replace(vital: Vital, instance: string, values: [number, string][]): void {
    const key = `${vital} ${instance}`;
    const before = this.rings.get(key);
    const ring = new Ring(stretch + 60);
    for (const [time, value] of values) this.push(ring, time, numberOf(value));
    if (before) for (let i = 0; i < before.length; i += 1) ring.push(before.time(i), before.value(i));
    this.rings.set(key, ring);
  }

  private push(ring: Ring, time: number, value: number): void {
    if (!Number.isFinite(value)) return;
    ring.push(time, value);
    if (time > this.latest) this.latest = time;
  }

  private onFrames(vital: Vital, frames: LiveFrame[]): void {
    for (const { time, result } of frames) {
      if (time === undefined) continue;
      for (const { metric, value } of result ?? []) this.append(vital, metric.instance ?? '', time, numberOf(value));
    }
    this.version += 1;
  }

  private onDisks(frames: LiveFrame[]): void {
    for (const { time, result } of frames) {
      if (time === undefined) continue;
      const touched = new Set<string>();
      for (const { metric, value } of result ?? []) {
        const instance = metric.instance ?? '';
        let mounts = this.mounts.get(instance);
        if (!mounts) this.mounts.set(instance, (mounts = new Map()));
        mounts.set(metric.mountpoint ?? '', numberOf(value));
        touched.add(instance);
      }
      for (const instance of touched) {
        this.append('disk', instance, time, Math.max(...this.mounts.get(instance)!.values()));
      }
    }
    this.version += 1;
  }

  private append(vital: Vital, instance: string, time: number, value: number): void {
    const key = `${vital} ${instance}`;
    let ring = this.rings.get(key);
    if (!ring) this.rings.set(key, (ring = new Ring(stretch + 60)));
    this.push(ring, time, value);
  }
}
