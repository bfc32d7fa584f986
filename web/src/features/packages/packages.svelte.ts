import { api } from '../../api/client';
import { live } from '../../api/live';
import type { Check, Package, Rule } from '../../api/types';
import { Resource } from '../../state/resource.svelte';

export interface Inventory {
  packages: Package[];
  rules: Rule[];
  checks: Check[];
}

const every = 5000;

/**
 * The packages with their rules. Files are edited elsewhere and nobody tells of it, so this asks
 * every few seconds while the page is seen, and at once when an alert changes.
 */
export class Packages {
  private readonly resource = new Resource(async (signal): Promise<Inventory> => {
    const [packages, rules, checks] = await Promise.all([
      api.get<{ packages: Package[] }>('/packages', undefined, signal),
      api.get<{ rules: Rule[] }>('/rules', undefined, signal),
      api.get<{ checks: Check[] }>('/checks', undefined, signal),
    ]);
    return { packages: packages.packages, rules: rules.rules, checks: checks.checks };
  });

  get data(): Inventory | undefined {
    return this.resource.data;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }

  load(): Promise<void> {
    return this.resource.load();
  }

  /** Returns what ends it. */
  start(): () => void {
    void this.load();
    const timer = setInterval(() => !document.hidden && void this.load(), every);
    const end = live.subscribe({ topic: 'alerts' }, () => void this.load(), () => void this.load());
    return () => {
      clearInterval(timer);
      end();
    };
  }
}
