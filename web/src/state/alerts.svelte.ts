import { api } from '../api/client';
import { live } from '../api/live';
import type { Alert } from '../api/types';
import { alertLook } from '../lib/statelook';
import { Resource } from './resource.svelte';

const limit = 1000;
/** A tenant with more open alerts than this has another problem than reading them all. */
const maxPages = 10;

async function fetchOpen(signal: AbortSignal): Promise<Alert[]> {
  const all: Alert[] = [];
  let before: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await api.get<{ alerts: Alert[]; next?: string }>('/alerts', { state: 'open', limit, before }, signal);
    all.push(...answer.alerts);
    before = answer.next;
    if (!before) break;
  }
  return all;
}

/** The open alerts, kept current by the live topic: for counts in the rail and the worst of a host. */
class OpenAlerts {
  private readonly resource = new Resource(fetchOpen);
  private started = false;
  get loaded(): boolean {
    return this.resource.data !== undefined;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }
  readonly list: Alert[] = $derived(this.resource.data ?? []);
  readonly counts = $derived.by(() => {
    const counts = { critical: 0, warning: 0, no_data: 0, pending: 0, acked: 0, shelved: 0, suppressed: 0 };
    for (const alert of this.list) {
      const look = alertLook(alert);
      if (look === 'acked' || look === 'shelved' || look === 'suppressed') counts[look] += 1;
      else if (alert.state === 'pending') counts.pending += 1;
      else if (alert.state === 'no_data') counts.no_data += 1;
      else if (alert.severity === 'critical') counts.critical += 1;
      else counts.warning += 1;
    }
    return counts;
  });

  start(): void {
    if (this.started) return;
    this.started = true;
    void this.resource.load();
    live.subscribe(
      { topic: 'alerts' },
      (frames) => this.merge(frames.flatMap((frame) => (frame.alert ? [frame.alert] : []))),
      () => void this.resource.load(),
    );
    // Which silences hide an alert changes without a change of the alert.
    live.subscribe({ topic: 'silences' }, () => void this.resource.load());
  }

  reload(): Promise<void> {
    return this.resource.load();
  }

  /** What is known of these alerts by now: from the live topic, or as the answer to a command. */
  merge(changed: Alert[]): void {
    if (changed.length === 0) return;
    const byId = new Map(this.list.map((alert) => [alert.id, alert]));
    for (const alert of changed) {
      if (alert.state === 'resolved') byId.delete(alert.id);
      else byId.set(alert.id, alert);
    }
    this.resource.data = [...byId.values()];
  }
}

export const openAlerts = new OpenAlerts();
