/** A ring of the newest (time, value) points, for sparklines. Storage is allocated once. */
export class Ring {
  private readonly times: Float64Array;
  private readonly values: Float64Array;
  private start = 0;
  length = 0;

  constructor(readonly capacity: number) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }

  /** Points must come in order; one at the newest time replaces it, an older one is ignored. */
  push(time: number, value: number): boolean {
    if (this.length > 0) {
      const newest = this.slot(this.length - 1);
      if (time < this.times[newest]!) return false;
      if (time === this.times[newest]!) {
        this.values[newest] = value;
        return true;
      }
    }
    if (this.length === this.capacity) {
      this.start = (this.start + 1) % this.capacity;
      this.length -= 1;
    }
    const at = this.slot(this.length);
    this.times[at] = time;
    this.values[at] = value;
    this.length += 1;
    return true;
  }

  clear(): void {
    this.start = 0;
    this.length = 0;
  }

  time(i: number): number {
    return this.times[this.slot(i)]!;
  }

  value(i: number): number {
    return this.values[this.slot(i)]!;
  }

  get last(): { time: number; value: number } | undefined {
    return this.length === 0 ? undefined : { time: this.time(this.length - 1), value: this.value(this.length - 1) };
  }

  private slot(i: number): number {
    return (this.start + i) % this.capacity;
  }
}
