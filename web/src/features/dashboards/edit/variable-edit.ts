import type { Variable, Widget } from '../../../api/dashboards';
import type { Draft } from '../model';
import { referencesIn } from '../variables';

export type VariableKind = 'label' | 'values' | 'text';

export function kindOfVariable(variable: Variable): VariableKind {
  if (variable.text) return 'text';
  return variable.values ? 'values' : 'label';
}

/** The variable as one of another kind: what both have stays. */
export function variableOf(kind: VariableKind, from: Variable): Variable {
  const { default: begins, multi, all } = from;
  const kept = begins === undefined ? {} : { default: begins };
  const choice = { ...(multi ? { multi } : {}), ...(all ? { all } : {}) };
  if (kind === 'text') return { ...kept, text: true };
  if (kind === 'values') return { ...kept, values: from.values ?? [], ...choice };
  return { ...kept, label: from.label ?? '', of: from.of ?? '', ...choice };
}

/** All texts of a value, with `change` made to each. */
function mapTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => mapTexts(one, change)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapTexts(one as unknown, change)])) as T;
}

/** In how many texts of the dashboard a variable stands. */
export function uses(draft: Draft, name: string): number {
  let count = 0;
  const look = (text: string): string => {
    if (referencesIn(text).includes(name)) count += 1;
    return text;
  };
  mapTexts(draft.pieces.map(({ widget }) => widget), look);
  mapTexts(draft.variables, look);
  return count;
}

/** The variable under another name at its place, and everywhere where it is used. */
export function renamed(draft: Draft, from: string, to: string): Partial<Draft> {
  const change = (text: string): string =>
    text.replace(/\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g, (whole, braced?: string, plain?: string) => {
      if ((braced ?? plain) !== from) return whole;
      return braced ? `\${${to}}` : `$${to}`;
    });
  const variables = Object.fromEntries(Object.entries(draft.variables).map(([name, variable]) => [name === from ? to : name, mapTexts(variable, change)]));
  return { variables, pieces: draft.pieces.map((piece) => ({ ...piece, widget: mapTexts<Widget>(piece.widget, change) })) };
}
