import { packagesApi, type Address, type Draft, type EditError, type Item, type Operation, type Section, type Value } from '../../../api/packages';
import { atMissing, changesBetween, isEqual, isFields, setAt, unsetAt, type Changes, type Path } from '../values';

const pause = 200;

export function applyChanges(value: Value, changes: Changes): Value {
  let next = value;
  // From the last on: taking one out of a list moves those behind it.
  for (const field of [...changes.unset].reverse()) next = unsetAt(next, field);
  for (const { field, value: to } of changes.set) next = setAt(next, field, to);
  return next;
}

/** What the server can show as a form: fields by name. */
function fieldsOf(draft: Draft): Value | undefined {
  if (draft.written === null && draft.yaml.replace(/#.*/g, '').trim() === '') return {};
  return isFields(draft.written ?? undefined) ? draft.written : undefined;
}

const keyOf = ({ field, message }: EditError): string => JSON.stringify([field ?? '', message]);

/**
 * One item under edit, as a form and as a text at once. The server makes each of the other, so that comments
 * stay; until it has answered the form shows what was entered. A text that cannot be read leaves the form as
 * it was last good.
 */
export class ItemEdit {
  yaml = $state('');
  /** What the form shows. */
  written = $state.raw<Value>({});
  errors = $state.raw<EditError[]>([]);
  /** The text cannot be read: the form stands still. */
  isBroken = $state(false);
  isBusy = $state(false);
  /** Why the last check could not be made. */
  failure = $state.raw<unknown>(undefined);
  base = $state.raw<Item | undefined>(undefined);
  /** The text was touched by hand: then it is saved as it is, else only the fields that changed. */
  typed = $state(false);
  readonly isDirty = $derived.by(() =>
    this.base ? this.yaml !== this.base.yaml || !isEqual(this.written, this.baseFields) : this.yaml.trim() !== '' || !isEqual(this.written, {}),
  );
  /** What a new item begins with: nobody has entered that. */
  private begun = $state.raw<Value>({});
  /** There is something that would be lost. */
  readonly isTouched = $derived.by(() => this.isDirty && (this.base !== undefined || this.typed || !isEqual(this.written, this.begun)));

  /** What is wrong with it as it was saved: that keeps nobody from saving something better. */
  private wrongBefore = $state.raw<ReadonlySet<string>>(new Set());
  /** Mistakes that keep it from being saved. */
  readonly faults = $derived(this.errors.filter((error) => !this.wrongBefore.has(keyOf(error))));

  /** What `yaml` says. */
  private known: Value = {};
  private timer: ReturnType<typeof setTimeout> | undefined;
  private controller: AbortController | undefined;
  private settled: (() => void)[] = [];

  constructor(
    readonly section: Section,
    public at: Address,
    base?: Item,
    /** Viewers may look and not ask what something would mean. */
    private readonly mayCheck = true,
  ) {
    if (base) this.rebase(base);
    else this.schedule(0);
  }

  /** Where a draft stands: names that are not written yet are left out. */
  private get place(): { package: string; section: string; path?: string[] } {
    const { path, ...rest } = this.at;
    return path.every((name) => name !== '') ? this.at : rest;
  }

  /** What was saved, as the form has it. */
  baseFields = $state.raw<Value>({});

  /** Begins anew on what the server has. */
  rebase(base: Item): void {
    this.stop();
    this.base = base;
    this.at = { package: base.package, section: base.section, path: base.path };
    this.yaml = base.yaml;
    this.baseFields = isFields(base.written) ? base.written : {};
    this.known = this.baseFields;
    this.written = this.baseFields;
    this.isBroken = base.written !== null && base.written !== undefined && !isFields(base.written);
    this.errors = (base.errors ?? []).map(({ line: _, column: __, ...error }) => error);
    this.wrongBefore = new Set(this.errors.map(keyOf));
    this.typed = false;
    // An item that is wrong: the places within its own text come from the check.
    // Secrets are told as dots, but by the text that may be seen.
    const isVeiled = JSON.stringify(base.written ?? null).includes('•');
    if (this.mayCheck && (this.errors.length > 0 || this.isBroken || isVeiled)) this.schedule(0);
  }

  /** Goes on from another state of the item with one's own text on top of it. */
  continueOn(base: Item, draft: Draft): void {
    this.rebase(base);
    this.take(draft);
    this.typed = true;
  }

  set(path: Path, value: Value): void {
    this.change(setAt(this.written, path, value));
  }

  unset(path: Path): void {
    this.change(unsetAt(this.written, path));
  }

  change(next: Value): void {
    this.written = next;
    this.schedule(pause);
  }

  /** Of a new item: what stands in it from the first. */
  begin(value: Value): void {
    this.begun = value;
    this.change(value);
  }

  type(text: string): void {
    this.yaml = text;
    this.typed = true;
    this.schedule(pause);
  }

  discard(): void {
    if (this.base) this.rebase(this.base);
  }

  /** When the text and the form say the same. */
  async settle(): Promise<void> {
    if (this.timer !== undefined) {
      clearTimeout(this.timer);
      this.timer = undefined;
      void this.check();
    }
    if (this.isBusy) await new Promise<void>((done) => this.settled.push(done));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.controller?.abort();
    this.controller = undefined;
    this.finish();
  }

  /** What has to be done to the package for it to hold what is edited. */
  operations(): Operation[] {
    // What a form gave is written as the types of its fields say; what was typed stays as it is.
    if (!this.base) return [{ op: 'create', ...this.at, ...(this.typed ? { yaml: this.yaml } : { value: this.written }) }];
    if (this.typed) return [{ op: 'replace', ...this.at, yaml: this.yaml }];
    const { set, unset } = changesBetween(this.baseFields, this.written);
    return [
      ...unset.map((field) => ({ op: 'unset' as const, ...this.at, field })),
      ...set.map(({ field, value }) => ({ op: 'set' as const, ...this.at, field, value })),
    ];
  }

  private schedule(after: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.check();
    }, after);
  }

  private async check(): Promise<void> {
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    this.isBusy = true;
    const [text, sent] = [this.yaml, this.written];
    try {
      const draft = await packagesApi.draft(this.place, { yaml: text, ...changesBetween(this.known, sent) }, controller.signal);
      if (this.controller !== controller) return;
      // Typed meanwhile: this answer is about another text.
      if (this.yaml === text) this.take(draft, sent);
      this.failure = undefined;
    } catch (reason) {
      if (this.controller !== controller || controller.signal.aborted) return;
      this.failure = reason;
    } finally {
      if (this.controller === controller && this.timer === undefined) this.finish();
    }
  }

  private finish(): void {
    this.isBusy = false;
    for (const done of this.settled.splice(0)) done();
  }

  private take(draft: Draft, sent = this.written): void {
    // Nothing is wrong with what nobody has begun.
    const isUntouched = !this.base && draft.yaml.trim() === '';
    this.errors = isUntouched ? [] : draft.errors.map(atMissing);
    const fields = fieldsOf(draft);
    this.isBroken = fields === undefined;
    if (draft.yaml === this.base?.yaml) this.wrongBefore = new Set([...this.wrongBefore, ...this.errors.map(keyOf)]);
    if (fields === undefined) return;
    this.yaml = draft.yaml;
    this.known = fields;
    if (draft.yaml === this.base?.yaml) this.baseFields = fields;
    const since = changesBetween(sent, this.written);
    this.written = since.set.length + since.unset.length === 0 ? fields : applyChanges(fields, since);
  }
}
