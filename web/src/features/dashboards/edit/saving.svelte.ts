import { ApiError } from '../../../api/errors';
import { packagesApi, refusalOf, type ChangeResult, type EditError, type Operation } from '../../../api/packages';
import { addressOf, baseOf, loadGrid, type GridItem } from '../load';
import { draftOf, operationsFor, type Draft } from '../model';

/** What another person has saved meanwhile, beside what this one wants to. */
export interface Clash {
  theirs: GridItem;
  theirText: string;
  ownText: string;
}

/** Saving one dashboard: first what would change, then the change; a conflict loses nothing. */
export class Saving {
  preview = $state.raw<ChangeResult | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  clash = $state.raw<Clash | undefined>(undefined);
  busy = $state(false);
  private item: GridItem;
  private before: Draft;

  constructor(
    item: GridItem,
    before: Draft,
    private readonly draft: Draft,
  ) {
    this.item = item;
    this.before = before;
  }

  get errors(): EditError[] {
    return refusalOf(this.error)?.errors ?? [];
  }

  private get operations(): Operation[] {
    return operationsFor(addressOf(this.item), this.before, this.draft);
  }

  /** Asks what the change does; again after a conflict that was not about this dashboard. */
  async look(): Promise<void> {
    await this.attempt(async () => {
      this.preview = await packagesApi.change(this.operations, { preview: true, base: baseOf(this.item) });
    });
  }

  /** True once it is saved. */
  async save(reason: string): Promise<boolean> {
    let isSaved = false;
    await this.attempt(async () => {
      await packagesApi.change(this.operations, { reason: reason.trim() || 'Dashboard changed', base: baseOf(this.item) });
      isSaved = true;
    });
    return isSaved;
  }

  /** This person's version replaces the other one, which stays in the history. */
  async keepOwn(): Promise<void> {
    if (!this.clash) return;
    this.item = this.clash.theirs;
    this.before = draftOf(this.clash.theirs);
    this.clash = undefined;
    await this.look();
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = undefined;
    try {
      await work();
    } catch (reason) {
      if (reason instanceof ApiError && reason.status === 409 && refusalOf(reason)?.conflicts) await this.meet(work, reason);
      else this.error = reason;
    } finally {
      this.busy = false;
    }
  }

  /** The file is another than it was. Where this dashboard in it is the same, the change goes on top. */
  private async meet(work: () => Promise<void>, reason: unknown): Promise<void> {
    try {
      const theirs = await loadGrid(this.item.section, [this.item.package, ...this.item.path]);
      if (JSON.stringify(draftOf(theirs)) === JSON.stringify(this.before)) {
        this.item = theirs;
        await work();
        return;
      }
      const { yaml } = await packagesApi.item(addressOf(this.item));
      this.clash = { theirs, theirText: yaml, ownText: await this.ownText(theirs, yaml) };
    } catch (other) {
      this.error = other instanceof ApiError && other.status === 409 ? reason : other;
    }
  }

  /** This person's version as it would be written. */
  private async ownText(theirs: GridItem, yaml: string): Promise<string> {
    const set: { field: string[]; value: never }[] = [];
    const unset: string[][] = [];
    for (const operation of operationsFor(addressOf(theirs), draftOf(theirs), this.draft)) {
      if (operation.op === 'set') set.push({ field: operation.field, value: operation.value as never });
      else if (operation.op === 'unset') unset.push(operation.field);
    }
    try {
      return (await packagesApi.draft(addressOf(theirs), { yaml, set, unset })).yaml;
    } catch {
      return JSON.stringify(this.draft, null, 2);
    }
  }
}
