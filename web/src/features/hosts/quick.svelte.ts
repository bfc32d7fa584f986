import { live } from '../../api/live';
import { numberOf } from '../../api/prom';

const queries = {
  cpu: '1 - avg by (instance)(rate(node_cpu_seconds_total{mode="idle"}[5s]))',
  load: 'node_load1',
  memory: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
};
export type QuickValue = keyof typeof queries;

/** The newest CPU, load and memory of every host. `version` moves once a delivery. */
export class Quick {
  version = $state(0);
  private readonly values = new Map<string, number>();
  private ends: (() => void)[] = [];

  start(): void {
    for (const [name, query] of Object.entries(queries)) {
      const end = live.subscribe({ topic: 'query', query, lookback_delta: '5s' }, (frames) => {
        for (const { result } of frames) {
          for (const { metric, value } of result ?? []) this.values.set(`${name} ${metric.instance}`, numberOf(value));
        }
        this.version += 1;
      });
      this.ends.push(end);
    }
  }

  stop(): void {
    for (const end of this.ends) end();
    this.ends = [];
  }

  value(name: QuickValue, instance: string): number | undefined {
    void this.version;
    return this.values.get(`${name} ${instance}`);
  }
}
