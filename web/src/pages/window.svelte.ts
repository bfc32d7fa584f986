import { rangeFromQuery, span, type TimeRange } from '../lib/timerange';
import { skew } from './door';

const whole: TimeRange = { kind: 'live', seconds: 3600 };
/** Milliseconds between two looks at the present: pages hold no socket, they ask. */
const every = 15_000;

/** What the page looks at: an hour up to now, or what its address says by `range`, or `from` and `to`. */
class Window {
  private readonly asked = rangeFromQuery(Object.fromEntries(new URLSearchParams(location.search)), whole);
  range = $state.raw<TimeRange>(this.at());

  constructor() {
    if (this.asked.kind === 'fixed') return;
    const renew = (): void => {
      if (!document.hidden) this.range = this.at();
    };
    setInterval(renew, every);
    document.addEventListener('visibilitychange', renew);
  }

  private at(): TimeRange {
    if (this.asked.kind === 'fixed') return this.asked;
    const to = Math.floor(Date.now() / 1000 + skew);
    return { kind: 'fixed', from: to - span(this.asked), to };
  }
}

export const pageWindow = new Window();
