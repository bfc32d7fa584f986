import type { TypeExpr, Value } from '../../../../api/packages';
import type { Path } from '../../values';

/** What every widget is given. */
export interface WidgetProps {
  type: TypeExpr;
  path: Path;
  value: Value | undefined;
  /** Of the input, for its label. */
  id: string;
  label: string;
  fallback?: Value | undefined;
  example?: string | undefined;
  isWrong: boolean;
  readonly: boolean;
  onchange: (value: Value) => void;
  onclear: () => void;
}

/** The text of a scalar; what is no scalar is shown as it is written in the text. */
export function textOf(value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
