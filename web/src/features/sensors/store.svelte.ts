import { apiUrl } from '../../api/config';
import { live } from '../../api/live';
import { mostSensorsAtOnce, occi, type OcciEntity, type OcciRequest, type SensorFlow } from '../../api/occi';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';
import { curlOf } from './curl';
import { Model } from './discovery';
import { worldOf, type World } from './model';

/** States come from agents and are on no topic. */
const period = 3000;
const soonest = 150;
const flowPeriod = 1000;
/** Mixins that users define come seldom. */
const discoverAfter = 30_000;
const mostSent = 20;

interface Loaded {
  model: Model;
  world: World;
}

/** What was asked of the server by a click, newest first. */
export interface Sent {
  number: number;
  words: string;
  request: OcciRequest;
  /** Undefined while it is awaited. */
  outcome?: 'done' | 'failed';
}

export const curl = (request: OcciRequest): string => curlOf(request, apiUrl('') || location.origin);

/** All sensors with what is around them, kept current while a page looks on. */
export class SensorsStore {
  private model: Model | undefined;
  private discoveredAt = 0;
  private took = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private number = 0;
  sent = $state.raw<Sent[]>([]);

  private readonly resource = new Resource(async (signal): Promise<Loaded> => {
    const [model, resources] = await Promise.all([this.discovered(signal), occi.list('/occi/resource/', signal)]);
    // Every link begins at a resource.
    return { model, world: worldOf(resources, resources.flatMap(({ links }) => links ?? []), model) };
  });

  /** Forms hold on to the model: it stays while it says the same. */
  private async discovered(signal: AbortSignal): Promise<Model> {
    if (this.model && performance.now() - this.discoveredAt < discoverAfter) return this.model;
    const discovered = await occi.discover(signal);
    this.discoveredAt = performance.now();
    if (!this.model || JSON.stringify(this.model.discovered) !== JSON.stringify(discovered)) this.model = new Model(discovered);
    return this.model;
  }

  get data(): Loaded | undefined {
    return this.resource.data;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }

  async load(): Promise<void> {
    clearTimeout(this.timer);
    const begun = performance.now();
    await this.resource.load();
    this.took = performance.now() - begun;
    this.again();
  }
  /** The more there is, the seldomer. */
  private again(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (document.hidden ? this.again() : void this.load()), Math.max(period, 20 * this.took));
  }
  private loadSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), soonest);
  }

  /** For an $effect. */
  follow(): () => void {
    void this.load();
    const ends = (['items', 'hosts'] as const).map((topic) => live.subscribe({ topic }, () => this.loadSoon(), () => this.loadSoon()));
    return () => {
      ends.forEach((end) => end());
      clearTimeout(this.timer);
      this.resource.stop();
    };
  }

  /** Does it, keeps it in the list of what was sent, shows warnings, and looks anew. Throws ApiError. */
  async send(request: OcciRequest, words: string): Promise<OcciEntity | undefined> {
    this.number += 1;
    const entry: Sent = { number: this.number, words, request };
    this.sent = [entry, ...this.sent].slice(0, mostSent);
    const settle = (outcome: 'done' | 'failed'): void => void (this.sent = this.sent.map((one) => (one.number === entry.number ? { ...one, outcome } : one)));
    try {
      const { body, warnings } = await occi.send(request);
      settle('done');
      for (const warning of warnings) toasts.show('warning', 'Taken, with a warning', warning);
      await this.load();
      return body;
    } catch (reason) {
      settle('failed');
      throw reason;
    }
  }
}

/** The newest values of the sensors that are drawn; asked once a second, as nothing else knows them. */
export class Flows {
  byId = $state.raw<ReadonlyMap<string, SensorFlow>>(new Map());
  /** When the server cannot be asked: what is shown is how it was. */
  stale = $state(false);

  /** For an $effect. */
  follow(ids: string[]): () => void {
    if (ids.length === 0) {
      this.byId = new Map();
      return () => {};
    }
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      if (!document.hidden) await this.ask(ids.slice(0, mostSensorsAtOnce), controller.signal);
      if (!controller.signal.aborted) timer = setTimeout(() => void ask(), flowPeriod);
    };
    void ask();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }

  private async ask(ids: string[], signal: AbortSignal): Promise<void> {
    try {
      const sensors = await occi.flow(ids, signal);
      this.byId = new Map(sensors.map((one) => [one.id, one]));
      this.stale = false;
    } catch {
      // The bar above says that the server does not answer; what was known stays, greyed.
      if (!signal.aborted) this.stale = true;
    }
  }
}
