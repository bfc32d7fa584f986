import { SvelteSet } from 'svelte/reactivity';

/** Which rows of a list are chosen to do something with. */
export class Selection<T extends { id: string }> {
  private readonly ids = new SvelteSet<string>();
  /** The row chosen last: a range goes on from there. */
  private anchor = '';

  get size(): number {
    return this.ids.size;
  }
  has(id: string): boolean {
    return this.ids.has(id);
  }
  /** Those of the list that are chosen, in its order. */
  of(rows: T[]): T[] {
    return rows.filter(({ id }) => this.ids.has(id));
  }

  toggle(id: string): void {
    if (!this.ids.delete(id)) this.ids.add(id);
    this.anchor = id;
  }

  /** Everything between the row chosen last and this one. */
  extend(rows: T[], id: string): void {
    const from = rows.findIndex((row) => row.id === this.anchor);
    const to = rows.findIndex((row) => row.id === id);
    if (from < 0 || to < 0) {
      this.ids.add(id);
      this.anchor = id;
      return;
    }
    for (const row of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) this.ids.add(row.id);
  }

  setAll(rows: T[], chosen: boolean): void {
    for (const { id } of rows) {
      if (chosen) this.ids.add(id);
      else this.ids.delete(id);
    }
  }

  clear(): void {
    this.ids.clear();
    this.anchor = '';
  }

  /** What is no longer in the list is not acted on unseen. */
  keep(rows: T[]): void {
    if (this.ids.size === 0) return;
    const present = new Set(rows.map(({ id }) => id));
    for (const id of [...this.ids]) if (!present.has(id)) this.ids.delete(id);
  }
}
