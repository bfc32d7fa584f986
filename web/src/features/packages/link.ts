import type { Schemas, TypeExpr } from '../../api/packages';

/**
 * A type may hold itself (a route holds routes): there the server leaves its fields out and says so. Here such a
 * place is given the fields of its type, so that forms and completion go on as deep as people write.
 */
export function linkTypes(schemas: Schemas): Schemas {
  const byName = new Map(schemas.types.map((type) => [type.name, type]));
  const open: TypeExpr[] = [];
  const walk = (type: TypeExpr): void => {
    if (type.recursive) open.push(type);
    if (type.of) walk(type.of);
    for (const field of type.fields ?? []) walk(field);
  };
  for (const type of schemas.types) walk(type);
  for (const section of schemas.sections) [...section.fields, ...section.indexes].forEach(walk);
  for (const type of open) {
    const whole = byName.get(type.type ?? '');
    if (!whole || whole.recursive) continue;
    type.fields = whole.fields ?? [];
    if (whole.one_of) type.one_of = whole.one_of;
    if (whole.some_of) type.some_of = whole.some_of;
  }
  return schemas;
}
