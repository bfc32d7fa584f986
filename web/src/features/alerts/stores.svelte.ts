import { api } from '../../api/client';
import { live } from '../../api/live';
import type { Alert, AlertDetail, Rule } from '../../api/types';
import { toSeconds } from '../../lib/duration';
import { Resource } from '../../state/resource.svelte';
import { absorb, noFilter, wanted, type AlertFilter } from './filter';

/** The tenant's rules: titles for alerts, and whether anything is watched at all. */
class Rules {
  private readonly resource = new Resource(
    async (signal) => (await api.get<{ rules: Rule[] }>('/rules', undefined, signal)).rules,
  );
  private readonly byId = $derived(new Map((this.resource.data ?? []).map((rule) => [rule.id, rule])));

  private readonly asked = new Set<string>();

  /** Undefined until they are known. */
  get list(): Rule[] | undefined {
    return this.resource.data;
  }
  load(): Promise<void> {
    return this.resource.load();
  }
  /** Alerts of rules that are new here have them asked for, once a rule. */
  ensure(alerts: Alert[]): void {
    if (!this.list) return;
    const unknown = alerts.filter(({ rule }) => rule && !this.byId.has(rule) && !this.asked.has(rule));
    for (const { rule } of unknown) this.asked.add(rule!);
    if (unknown.length > 0) void this.load();
  }
  of(alert: Pick<Alert, 'rule'>): Rule | undefined {
    return alert.rule ? this.byId.get(alert.rule) : undefined;
  }
  titleOf(alert: Pick<Alert, 'rule' | 'name'>): string {
    return this.of(alert)?.title || alert.name;
  }
}
export const rules = new Rules();

const pageSize = 100;
/** Read at once in search of some that fit; the reader asks for more by going down. */
const maxPages = 10;

/** Alerts that are over, newest first, a page at a time as the reader goes down. */
export class ResolvedAlerts {
  list = $state.raw<Alert[]>([]);
  more = $state(false);
  private next: string | undefined;
  private filter: AlertFilter = noFilter;
  private readonly resource = new Resource(async (signal) => {
    const { severity, host, text, matchers } = this.filter;
    const params = { state: 'resolved', severity, host, text: text.trim(), limit: pageSize };
    const fits = wanted({ ...this.filter, text: '', silence: '' }, (alert) => rules.titleOf(alert));
    const found: Alert[] = [];
    let next = this.next;
    // The server knows nothing of matchers: pages are read until some fit.
    for (let page = 0; page < maxPages; page += 1) {
      const answer = await api.get<{ alerts: Alert[]; next?: string }>('/alerts', { ...params, before: next }, signal);
      found.push(...(matchers.length > 0 ? answer.alerts.filter(fits) : answer.alerts));
      next = answer.next;
      if (!next || found.length >= pageSize / 2) break;
    }
    return { alerts: found, ...(next ? { next } : {}) };
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

  /** The first page of what the filter shows. */
  async load(filter: AlertFilter = this.filter): Promise<void> {
    this.filter = absorb(filter);
    this.next = undefined;
    await this.resource.load();
    this.take([]);
  }

  async loadMore(): Promise<void> {
    if (!this.more || this.resource.loading) return;
    await this.resource.load();
    this.take(this.list);
  }

  private take(before: Alert[]): void {
    const page = this.resource.data;
    if (!page || this.resource.error || this.resource.loading) return;
    const known = new Set(before.map((alert) => alert.id));
    this.list = [...before, ...page.alerts.filter((alert) => !known.has(alert.id))];
    this.next = page.next;
    this.more = page.next !== undefined;
  }

  /** For an $effect: alerts that end while the page looks on come to the top. */
  follow(): () => void {
    return live.subscribe(
      { topic: 'alerts' },
      (frames) => {
        const changed = frames.some(({ alert }) => alert && (alert.state === 'resolved' || this.list.some(({ id }) => id === alert.id)));
        if (changed && !this.resource.loading) void this.load();
      },
      () => void this.load(),
    );
  }
}

/** One alert with its history and what was told about it. */
export class AlertView {
  private readonly resource: Resource<AlertDetail>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly id: string) {
    this.resource = new Resource((signal) => api.get<AlertDetail>(`/alerts/${encodeURIComponent(id)}`, undefined, signal));
  }

  get data(): AlertDetail | undefined {
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
  put(detail: AlertDetail): void {
    this.resource.data = detail;
  }

  /** For an $effect: keeps it current. Frames carry no history, so it is fetched anew, at most twice a second. */
  follow(): () => void {
    void this.load();
    const end = live.subscribe(
      { topic: 'alerts' },
      (frames) => {
        if (frames.some(({ alert }) => alert?.id === this.id)) this.loadSoon();
      },
      () => void this.load(),
    );
    // Attempts at delivering are not on the live topic: looked at while some are still to come.
    const poll = setInterval(() => {
      if (!document.hidden && this.awaitsDelivery()) void this.load();
    }, 3000);
    return () => {
      end();
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
    const now = Date.now() / 1000;
    return (this.data?.notifications ?? []).some(({ state, next_attempt }) => {
      if (state !== 'queued' && state !== 'retrying') return false;
      return (toSeconds(next_attempt) ?? 0) < now;
    });
  }
}
