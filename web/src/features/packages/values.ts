import type { EditError, Field, Fields, Section, TypeExpr, Value } from '../../api/packages';

export type Path = string[];

export function isFields(value: Value | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function getAt(value: Value | undefined, path: Path): Value | undefined {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here)) here = here[Number(step)];
    else if (isFields(here)) here = Object.hasOwn(here, step) ? here[step] : undefined;
    else return undefined;
  }
  return here;
}

/** A copy with one value changed; records on the way are made. A step into a list is a number; its length appends. */
export function setAt(value: Value | undefined, path: Path, to: Value): Value {
  const [step, ...rest] = path;
  if (step === undefined) return to;
  if (Array.isArray(value)) {
    const copy = [...value];
    copy[Number(step)] = setAt(copy[Number(step)], rest, to);
    return copy;
  }
  const fields: Fields = isFields(value) ? value : {};
  return { ...fields, [step]: setAt(fields[step], rest, to) };
}

export function unsetAt(value: Value | undefined, path: Path): Value {
  const [step, ...rest] = path;
  if (step === undefined || value === undefined || value === null || typeof value !== 'object') return value ?? null;
  if (Array.isArray(value)) {
    const at = Number(step);
    if (rest.length === 0) return value.filter((_, i) => i !== at);
    return value.map((one, i) => (i === at ? unsetAt(one, rest) : one));
  }
  const copy = { ...value };
  if (!Object.hasOwn(copy, step)) return copy;
  if (rest.length === 0) delete copy[step];
  else copy[step] = unsetAt(copy[step], rest);
  return copy;
}

export function isEqual(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => isEqual(one, b[i]));
  if (!isFields(a) || !isFields(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]));
}

export interface Changes {
  set: { field: Path; value: Value }[];
  unset: Path[];
}

/** What makes `after` of `before`, in as small steps as keep the comments around it. */
export function changesBetween(before: Value | undefined, after: Value | undefined, at: Path = []): Changes {
  const changes: Changes = { set: [], unset: [] };
  const add = (more: Changes): void => {
    changes.set.push(...more.set);
    changes.unset.push(...more.unset);
  };
  if (isEqual(before, after)) return changes;
  if (isFields(before) && isFields(after)) {
    for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) changes.unset.push([...at, name]);
    for (const name of Object.keys(after)) add(changesBetween(before[name], after[name], [...at, name]));
    return changes;
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length > 0 && before.length === after.length) {
    after.forEach((one, i) => add(changesBetween(before[i], one, [...at, String(i)])));
    return changes;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const steps = listSteps(before, after, at);
    if (steps) return steps;
  }
  if (after === undefined) changes.unset.push(at);
  else changes.set.push({ field: at, value: after });
  return changes;
}

/** Items added at the end, or one taken out, so that the comments of the others stay; undefined for anything else. */
function listSteps(before: Value[], after: Value[], at: Path): Changes | undefined {
  let same = 0;
  while (same < before.length && same < after.length && isEqual(before[same], after[same])) same += 1;
  if (before.length > 0 && same === before.length) {
    return { set: after.slice(same).map((value, i) => ({ field: [...at, String(same + i)], value })), unset: [] };
  }
  const isOneLess = after.length > 0 && after.length === before.length - 1;
  if (isOneLess && after.slice(same).every((one, i) => isEqual(one, before[same + 1 + i]))) {
    return { set: [], unset: [[...at, String(same)]] };
  }
  return undefined;
}

/** The errors of one field itself, not of what lies below it. */
export function errorsOf(errors: EditError[], path: Path): EditError[] {
  const field = path.join('.');
  return errors.filter((error) => (error.field ?? '') === field);
}

/** What is missing has no place of its own in the text; in a form it has. */
export function atMissing(error: EditError): EditError {
  const name = /needs the key "([^"]+)"$/.exec(error.message)?.[1];
  if (name !== undefined) return { ...error, field: error.field ? `${error.field}.${name}` : name };
  const parameter = /^the parameter "([^"]+)" of \S+ is not given$/.exec(error.message)?.[1];
  // The field says itself where it is written.
  return parameter === undefined ? error : { ...error, field: `with.${parameter}`, remedy: '' };
}

/** Whether a form of this type has a place for what stands at a path. */
export function isShown(type: TypeExpr, path: Path): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return true;
  const list = type.kind === 'list' && type.one_or_many && !/^\d+$/.test(step) ? type.of : undefined;
  if (list) return isShown(list, path);
  if (type.kind === 'record') {
    const field = type.fields?.find(({ name }) => name === step);
    return field !== undefined && isShown(field, rest);
  }
  return (type.kind === 'list' || type.kind === 'map') && type.of !== undefined && isShown(type.of, rest);
}

/** Whether anything at or below the field is wrong. */
export function hasErrors(errors: EditError[], path: Path): boolean {
  const field = path.join('.');
  return errors.some((error) => error.field === field || error.field?.startsWith(`${field}.`));
}

/** An item's fields as the record that they are. */
export function recordOf(section: Section): TypeExpr {
  return {
    kind: 'record',
    fields: section.fields,
    ...(section.one_of && { one_of: section.one_of }),
    ...(section.some_of && { some_of: section.some_of }),
  };
}

/** The type of what stands at a path; undefined where nothing is known. */
export function typeAt(type: TypeExpr | undefined, path: Path): TypeExpr | Field | undefined {
  let here = type;
  for (let i = 0; i < path.length; i += 1) {
    const step = path[i]!;
    if (here?.kind === 'list' && here.one_or_many && !/^\d+$/.test(step)) here = here.of;
    if (here?.kind === 'record') here = here.fields?.find((field) => field.name === step);
    else if (here?.kind === 'map' || here?.kind === 'list') here = here.of;
    else return undefined;
  }
  return here;
}

/** `fails_after` → "Fails after", where a schema gives no title. */
export function titleOf(field: { name: string; title?: string | undefined }): string {
  if (field.title) return field.title;
  const words = field.name.replace(/[_-]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a new value of a type begins as, when a person asks for one. */
export function blankOf(type: TypeExpr): Value {
  if (type.kind === 'record' || type.kind === 'map') return {};
  if (type.kind === 'list') return [];
  if (type.kind === 'boolean') return false;
  if (type.kind === 'enumeration') return type.values?.[0]?.value ?? '';
  return '';
}
