import type { EffectiveField, TypeExpr, Value } from '../../../api/packages';
import { scalarOf } from '../form/hints';
import { blankOf } from '../values';

/** Every place that holds a linked value, and the records that such places lie in: `gauge`, `gauge.expr`. */
export function placesLinked(fields: EffectiveField[]): Set<string> {
  const places = new Set<string>();
  for (const { field, from } of fields) {
    if (from.how !== 'link') continue;
    const steps = field.split('.');
    steps.forEach((_, i) => places.add(steps.slice(0, i + 1).join('.')));
  }
  return places;
}

/** What a linked value begins as when it is written here instead: a list or map anew, anything else as it is there. */
export function startOf(type: TypeExpr, text: string): Value {
  if (['list', 'map', 'any', 'record', 'secret'].includes(type.kind)) return blankOf(type);
  if (type.kind === 'boolean') return text === 'true';
  return scalarOf(type, text);
}
