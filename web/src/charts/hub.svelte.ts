import { nowSeconds } from '../state/clock.svelte';

/**
 * What the charts of a page share: the instant under the pointer, the shift while someone drags the
 * time axis, the server's present, and the one paint of an animation frame.
 */
class Hub {
  cursor = $state.raw<{ time: number; owner: number } | undefined>(undefined);
  /** Seconds by which a drag has moved the range, until it is let go. */
  shift = $state(0);
  private nextOwner = 1;
  /** How far the newest sample seen is from this browser's clock. */
  private skew = 0;
  private readonly paints = new Set<() => void>();
  private planned = false;

  newOwner(): number {
    return this.nextOwner++;
  }

  /** Live samples tell the time at the server: its clock, and not the browser's, moves the charts. */
  observe(sampleTime: number): void {
    const skew = sampleTime - nowSeconds();
    // Up at once, down slowly: a batch that comes late does not pull the edge back.
    this.skew = skew > this.skew || skew < this.skew - 60 ? skew : this.skew * 0.98 + skew * 0.02;
  }

  /** Unix seconds at the right edge of a live chart. */
  get now(): number {
    return nowSeconds() + this.skew;
  }

  move(time: number, owner: number): void {
    if (this.cursor?.time !== time || this.cursor.owner !== owner) this.cursor = { time, owner };
  }

  leave(owner: number): void {
    if (this.cursor?.owner === owner) this.cursor = undefined;
  }

  /** Runs `paint` in the next animation frame, once however often it is asked for. */
  plan(paint: () => void): void {
    this.paints.add(paint);
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      const all = [...this.paints];
      this.paints.clear();
      for (const one of all) one();
    });
  }

  cancel(paint: () => void): void {
    this.paints.delete(paint);
  }
}

export const hub = new Hub();
