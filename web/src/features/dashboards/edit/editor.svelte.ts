import { kindOf, type Variable, type Widget, type WidgetKind } from '../../../api/dashboards';
import { kindInfo } from '../kinds';
import { defaultSize, nudge, placeFor, settle, type Direction } from '../layout';
import { isChanged, type Draft, type Piece } from '../model';

const deepest = 200;
/** Changes of one field that follow each other this closely are one step back. */
const together = 1500;

/** A draft with the way back and forth, and what is chosen in it. */
export class Editor {
  draft = $state.raw<Draft>({ title: '', help: '', range: '', variables: {}, pieces: [] });
  /** Counts changes that did not come from the grid itself: it has to follow them. */
  version = $state(0);
  selected = $state<string | undefined>(undefined);
  private saved = $state.raw<Draft>(this.draft);
  private past = $state.raw<Draft[]>([]);
  private future = $state.raw<Draft[]>([]);
  private lastField = '';
  private lastAt = 0;
  private nextKey = 1;

  constructor(
    draft: Draft,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.draft = draft;
    this.saved = draft;
  }

  get unsaved(): boolean {
    return isChanged(this.saved, this.draft);
  }
  get before(): Draft {
    return this.saved;
  }
  get canUndo(): boolean {
    return this.past.length > 0;
  }
  get canRedo(): boolean {
    return this.future.length > 0;
  }
  get piece(): Piece | undefined {
    return this.draft.pieces.find(({ key }) => key === this.selected);
  }

  /** A change; those of the same `field` in quick succession are undone as one. */
  change(patch: Partial<Draft>, field = ''): void {
    const isSameField = field !== '' && field === this.lastField && this.now() - this.lastAt < together;
    if (!isSameField) this.past = [...this.past, this.draft].slice(-deepest);
    this.lastField = field;
    this.lastAt = this.now();
    this.future = [];
    this.draft = { ...this.draft, ...patch };
    this.version += 1;
  }

  undo(): void {
    const before = this.past[this.past.length - 1];
    if (!before) return;
    this.past = this.past.slice(0, -1);
    this.future = [...this.future, this.draft];
    this.arrive(before);
  }

  redo(): void {
    const next = this.future[this.future.length - 1];
    if (!next) return;
    this.future = this.future.slice(0, -1);
    this.past = [...this.past, this.draft];
    this.arrive(next);
  }

  private arrive(draft: Draft): void {
    this.draft = draft;
    this.lastField = '';
    this.version += 1;
    if (!draft.pieces.some(({ key }) => key === this.selected)) this.selected = undefined;
  }

  /** What is shown is what stands in the file from now on. */
  wasSaved(): void {
    this.saved = this.draft;
  }

  add(kind: WidgetKind): void {
    const widget = kindInfo(kind)!.begin();
    this.insert(widget, defaultSize(kind));
  }

  /** At the bottom, chosen, so that it can be filled. */
  insert(widget: Widget, size: { w: number; h: number }): void {
    const key = `n${this.nextKey++}`;
    this.change({ pieces: [...this.draft.pieces, { key, ...placeFor(this.draft.pieces, size), widget }] });
    this.selected = key;
  }

  duplicate(key: string): void {
    const piece = this.draft.pieces.find((one) => one.key === key);
    if (piece) this.insert(structuredClone(piece.widget), { w: piece.w, h: piece.h });
  }

  remove(key: string): void {
    this.change({ pieces: settle(this.draft.pieces.filter((piece) => piece.key !== key)) });
    if (this.selected === key) this.selected = undefined;
  }

  setWidget(key: string, widget: Widget, field: string): void {
    const pieces = this.draft.pieces.map((piece) => (piece.key === key ? { ...piece, widget } : piece));
    this.change({ pieces }, `${key} ${kindOf(widget) ?? ''} ${field}`);
  }

  setVariables(variables: Record<string, Variable>, field: string): void {
    this.change({ variables }, `variables ${field}`);
  }

  step(key: string, direction: Direction, resize: boolean): void {
    const pieces = nudge(this.draft.pieces, key, direction, resize);
    if (JSON.stringify(pieces) !== JSON.stringify(this.draft.pieces)) this.change({ pieces }, `place ${key}`);
  }

  /** Where the grid has put things after a drag. */
  place(places: Map<string, { x: number; y: number; w: number; h: number }>): void {
    const pieces = this.draft.pieces.map((piece) => ({ ...piece, ...places.get(piece.key) }));
    if (JSON.stringify(pieces) !== JSON.stringify(this.draft.pieces)) this.change({ pieces });
  }
}
