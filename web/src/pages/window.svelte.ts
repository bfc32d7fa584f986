import { live } from '../api/live';
import { rangeFromQuery, span, type TimeRange } from '../lib/timerange';
import { nowSeconds } from '../state/clock.svelte';
import './door';

const whole: TimeRange = { kind: 'live', seconds: 3600 };
/** Milliseconds between two looks at the present: pages hold no socket, they ask. */
const every = 15_000;

/** What the page looks at: an hour up to now, or what its address says by `range`, or `from` and `to`. */
class Window {
  /** As it was asked for: for what catches up by itself (log lines) or hands it on (pages in frames). */
  readonly asked = rangeFromQuery(Object.fromEntries(new URLSearchParams(location.search)), whole);
  /** The same as a stretch with a beginning and an end, for queries. */
  range = $state.raw<TimeRange>(this.at());

  constructor() {
    const renew = (): void => {
      if (document.hidden) return;
      if (this.asked.kind === 'live') this.range = this.at();
      live.catchUp();
    };
    setInterval(renew, every);
    document.addEventListener('visibilitychange', renew);
  }

  private at(): TimeRange {
    if (this.asked.kind === 'fixed') return this.asked;
    const to = Math.floor(nowSeconds());
    return { kind: 'fixed', from: to - span(this.asked), to };
  }
}

export const pageWindow = new Window();
