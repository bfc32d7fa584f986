import { incidentsApi, type Incident, type IncidentDetail } from '../../api/incidents';
import { live } from '../../api/live';
import { toSeconds } from '../../lib/duration';
import { Resource } from '../../state/resource.svelte';

const pageSize = 1000;
const maxPages = 10;
const closedAtOnce = 100;

interface Loaded {
  incidents: Incident[];
  /** Where the closed ones go on. */
  next?: string | undefined;
}

async function fetchActive(signal: AbortSignal): Promise<Incident[]> {
  const incidents: Incident[] = [];
  let before: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await incidentsApi.list({ state: 'active', limit: pageSize, before }, signal);
    incidents.push(...answer.incidents);
    before = answer.next;
    if (!before) break;
  }
  return incidents;
}

/** Together: of two that are aborted, neither is left without somebody who awaits it. */
async function fetchAll(signal: AbortSignal): Promise<Loaded> {
  const closed = incidentsApi.list({ state: 'closed', limit: closedAtOnce }, signal);
  const [active, over] = await Promise.all([fetchActive(signal), closed]);
  return { incidents: [...active, ...over.incidents], next: over.next };
}

/** Incidents that go on, and those that ended lately; kept current by the live topic while a page looks on. */
class Incidents {
  private readonly resource = new Resource(fetchAll);
  private watchers = 0;
  private endLive: (() => void) | undefined;
  private asking = false;

  get list(): Incident[] {
    return this.resource.data?.incidents ?? [];
  }
  get loaded(): boolean {
    return this.resource.data !== undefined;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }
  /** More that are closed can be asked for. */
  get more(): boolean {
    return this.resource.data?.next !== undefined;
  }
  find(id: string): Incident | undefined {
    return this.list.find((incident) => incident.id === id);
  }
  load(): Promise<void> {
    return this.resource.load();
  }

  /** For an $effect. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) {
      void this.load();
      this.endLive = live.subscribe(
        { topic: 'incidents' },
        (frames) => this.merge(frames.flatMap(({ incident }) => (incident ? [incident] : []))),
        () => void this.load(),
      );
    }
    return () => {
      this.watchers -= 1;
      if (this.watchers > 0) return;
      this.endLive?.();
      this.resource.stop();
    };
  }

  async loadMore(): Promise<void> {
    const before = this.resource.data?.next;
    if (!before || this.asking) return;
    this.asking = true;
    try {
      const answer = await incidentsApi.list({ state: 'closed', limit: closedAtOnce, before });
      this.take(answer.incidents, answer.next);
    } finally {
      this.asking = false;
    }
  }

  /** What is known of these by now: from the live topic, or as the answer to a command. */
  merge(changed: Incident[]): void {
    if (changed.length > 0 && this.resource.data) this.take(changed, this.resource.data.next);
  }

  private take(changed: Incident[], next: string | undefined): void {
    const byId = new Map(this.list.map((incident) => [incident.id, incident]));
    for (const incident of changed) {
      const known = byId.get(incident.id);
      if (!known || (toSeconds(known.updated) ?? 0) <= (toSeconds(incident.updated) ?? 0)) byId.set(incident.id, incident);
    }
    this.resource.data = { incidents: [...byId.values()], next };
  }
}
export const incidents = new Incidents();

/** One incident with its alerts and what happened. */
export class IncidentView {
  private readonly resource: Resource<IncidentDetail>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly id: string) {
    this.resource = new Resource((signal) => incidentsApi.get(id, signal));
  }
  get data(): IncidentDetail | undefined {
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
  put(detail: IncidentDetail): void {
    this.resource.data = detail;
  }

  /** For an $effect: frames carry no timeline, so it is fetched anew, at most twice a second. */
  follow(): () => void {
    void this.load();
    const ends = [
      live.subscribe({ topic: 'incidents' }, (frames) => frames.some(({ incident }) => incident?.id === this.id) && this.loadSoon(), () => void this.load()),
      live.subscribe({ topic: 'alerts' }, (frames) => {
        const own = new Set(this.data?.alerts.map(({ id }) => id));
        if (frames.some(({ alert }) => alert && own.has(alert.id))) this.loadSoon();
      }),
    ];
    // Deliveries are on no topic.
    const poll = setInterval(() => !document.hidden && this.awaitsDelivery() && void this.load(), 3000);
    return () => {
      ends.forEach((end) => end());
      clearInterval(poll);
      clearTimeout(this.timer);
      this.timer = undefined;
      this.resource.stop();
    };
  }

  private loadSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.load();
    }, 400);
  }
  private awaitsDelivery(): boolean {
    return (this.data?.timeline ?? []).some(({ notification }) => notification?.state === 'queued' || notification?.state === 'retrying');
  }
}
