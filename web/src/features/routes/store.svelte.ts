import { live } from '../../api/live';
import { routesApi, type Answer, type Question, type Routes } from '../../api/routes';
import { Resource } from '../../state/resource.svelte';

/** Intervals of time begin and end with minutes. */
const period = 30_000;
const soonest = 300;

/** The tree as it acts now, while a page looks at it. */
export class RoutesStore {
  private readonly resource = new Resource((signal) => routesApi.get(signal));
  private timer: ReturnType<typeof setTimeout> | undefined;
  private took = 0;
  /** Counts what may make another answer to the same question. */
  changes = $state(0);

  get data(): Routes | undefined {
    return this.resource.data;
  }
  get slow(): boolean {
    return this.resource.slow;
  }
  get error(): unknown {
    return this.resource.error;
  }

  async load(): Promise<void> {
    const begun = performance.now();
    await this.resource.load();
    this.took = performance.now() - begun;
    this.changes += 1;
  }

  /** Every change of an alert counts anew: the more alerts there are, the seldomer. */
  private loadSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.load();
    }, Math.max(soonest, 10 * this.took));
  }

  /** For an $effect. */
  follow(): () => void {
    void this.load();
    const ends = (['routes', 'silences', 'alerts'] as const).map((topic) =>
      live.subscribe({ topic }, () => this.loadSoon(), () => this.loadSoon()),
    );
    const poll = setInterval(() => !document.hidden && void this.load(), period);
    return () => {
      ends.forEach((end) => end());
      clearInterval(poll);
      clearTimeout(this.timer);
      this.timer = undefined;
      this.resource.stop();
    };
  }
}

/** One question at a time; a later one supersedes an earlier one. */
export class Oracle {
  answer = $state.raw<Answer | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  private newest = 0;

  async ask(question: Question | undefined): Promise<void> {
    this.newest += 1;
    const mine = this.newest;
    try {
      const answer = question && (await routesApi.test(question));
      if (mine !== this.newest) return;
      this.answer = answer;
      this.error = undefined;
    } catch (reason) {
      if (mine !== this.newest) return;
      this.answer = undefined;
      this.error = reason;
    }
  }
}
