import { bounds, defaultRange, pan, rangeFromQuery, rangeToQuery, zoomTo, type TimeRange } from '../lib/timerange';
import { nowSeconds } from './clock.svelte';
import { router } from './router.svelte';

/** The one time range of the page, kept in the address; zooming remembers the way back. */
class PageRange {
  /** What a view shows whose address has no range; a dashboard has one of its own. */
  fallback = $state.raw<TimeRange>(defaultRange);
  readonly current: TimeRange = $derived(rangeFromQuery(router.route.query, this.fallback));
  private trail: TimeRange[] = [];

  set(range: TimeRange): void {
    router.set(rangeToQuery(range, this.fallback), true);
  }

  zoom(from: number, to: number): void {
    this.trail.push(this.current);
    this.set(zoomTo(from, to));
  }

  /** Back to before the last zoom; without one, to twice the stretch. */
  back(): void {
    const before = this.trail.pop();
    if (before) return this.set(before);
    const range = this.current;
    if (range.kind === 'live') return;
    const { from, to } = bounds(range, nowSeconds());
    const half = (to - from) / 2;
    this.set(to + half >= nowSeconds() ? { kind: 'live', seconds: Math.round(4 * half) } : zoomTo(from - half, to + half));
  }

  pan(by: number): void {
    this.set(pan(this.current, by, nowSeconds()));
  }
}

export const pageRange = new PageRange();
