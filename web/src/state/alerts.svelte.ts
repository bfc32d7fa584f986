import { api } from '../api/client';
import { live } from '../api/live';
import type { Alert } from '../api/types';
import { Resource } from './resource.svelte';

const limit = 1000;

/** The open alerts, kept current by the live topic: for counts in the rail and the worst of a host. */
class OpenAlerts {
  private readonly resource = new Resource(
    async (signal) => (await api.get<{ alerts: Alert[] }>('/alerts', { state: 'open', limit }, signal)).alerts,
  );
  private started = false;
  readonly list: Alert[] = $derived(this.resource.data ?? []);
  readonly counts = $derived.by(() => {
    const counts = { critical: 0, warning: 0, no_data: 0, acked: 0, pending: 0 };
    for (const alert of this.list) {
      if (alert.ack) counts.acked += 1;
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
      (frames) => {
        const byId = new Map(this.list.map((alert) => [alert.id, alert]));
        for (const { alert } of frames) {
          if (!alert) continue;
          if (alert.state === 'resolved') byId.delete(alert.id);
          else byId.set(alert.id, alert);
        }
        this.resource.data = [...byId.values()];
      },
      () => void this.resource.load(),
    );
  }
}

export const openAlerts = new OpenAlerts();
