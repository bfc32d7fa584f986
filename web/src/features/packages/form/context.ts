import { getContext, setContext } from 'svelte';
import type { EditError, EffectiveField, Value } from '../../../api/packages';
import type { Path } from '../values';

/** What the fields of a form work on: all are reached by their path within the item. */
export interface FormModel {
  readonly written: Value;
  readonly errors: EditError[];
  readonly readonly: boolean;
  /** Whose items references may mean without naming the package. */
  readonly package: string;
  /** What was saved, to mark what is not. */
  readonly saved: Value | undefined;
  /** Where the effective value of a field comes from. */
  effective: (field: string) => EffectiveField | undefined;
  /** Whether something at or below a path that is not written here comes by a link. */
  isLinked: (path: Path) => boolean;
  /** The address of the grid editor, at one of its widgets; absent for what has no grid or is not saved yet. */
  grid?: ((widget?: number) => string) | undefined;
  set: (path: Path, value: Value) => void;
  unset: (path: Path) => void;
  /** Shows where a field stands in the text. */
  locate?: (path: Path) => void;
}

const key = Symbol('form');

export function provideForm(model: FormModel): void {
  setContext(key, model);
}

export function useForm(): FormModel {
  return getContext<FormModel>(key);
}
