import { live } from '../../api/live';
import { numberOf, queryInstant } from '../../api/prom';

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
    void this.load();
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

  /** What is known already; the next samples come within a second, so a failure needs no word. */
  private async load(): Promise<void> {
    const asked = Object.entries(queries).map(async ([name, query]) => ({ name, vector: await queryInstant(query) }));
    for (const result of await Promise.allSettled(asked)) {
      if (result.status !== 'fulfilled') continue;
      const { name, vector } = result.value;
      for (const { metric, value } of vector) {
        const key = `${name} ${metric.instance}`;
        if (!this.values.has(key)) this.values.set(key, numberOf(value[1]));
      }
    }
    this.version += 1;
  }

  value(name: QuickValue, instance: string): number | undefined {
    void this.version;
    return this.values.get(`${name} ${instance}`);
  }
}
