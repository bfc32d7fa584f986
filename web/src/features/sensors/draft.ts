import type { Category, OcciEntity, OcciRequest, Scalar } from '../../api/occi';
import { idOf, type Field, type Model } from './discovery';

/** What a form holds: an entity that is to be made, or one that is changed. */
export interface Draft {
  /** The id of its kind. */
  kind: string;
  title: string;
  summary: string;
  /** As they are typed, by the attribute's whole name; an empty one is not given. */
  values: Record<string, string>;
  /** Ids, in their order. */
  mixins: string[];
  /** Keys of the ends; of links alone. */
  source: string;
  target: string;
  before?: { key: string; raw: OcciEntity };
}

export const emptyDraft = (kind: string, more: Partial<Draft> = {}): Draft => ({ kind, title: '', summary: '', values: {}, mixins: [], source: '', target: '', ...more });

export function draftOf(key: string, raw: OcciEntity): Draft {
  const values = Object.fromEntries(Object.entries(raw.attributes).map(([name, value]) => [name, String(value)]));
  return {
    kind: raw.kind,
    title: raw.title ?? '',
    summary: raw.summary ?? '',
    values,
    mixins: [...(raw.mixins ?? [])],
    source: raw.source?.location ?? '',
    target: raw.target?.location ?? '',
    before: { key, raw },
  };
}

/** Kind and mixins of a draft, as far as discovery knows them. */
export function categoriesOf(draft: Draft, model: Model): Category[] {
  return [draft.kind, ...draft.mixins].flatMap((id) => model.find(id) ?? []);
}
const fieldsOf = (draft: Draft, model: Model): Field[] => categoriesOf(draft, model).flatMap((category) => model.fields(category));

/** What is wrong with a typed value; "" if nothing. The server judges again. */
export function faultOf({ spec, choices }: Field, typed: string): string {
  const value = typed.trim();
  if (value === '') return '';
  if (spec.type === 'number' && !/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(value)) return 'a number is wanted';
  if (spec.type === 'boolean' && value !== 'true' && value !== 'false') return 'true or false';
  if (!spec.pattern || choices.includes(value)) return '';
  try {
    return new RegExp(`^(?:${spec.pattern})$`, 'u').test(value) ? '' : `it does not match ${spec.pattern}`;
  } catch {
    return ''; // a pattern that only the server's expressions know
  }
}

/** By the attribute's name; a secret that is already there need not be given again. */
export function faultsOf(draft: Draft, model: Model): Record<string, string> {
  const faults: Record<string, string> = {};
  const isKept = (field: Field): boolean => field.secret && draft.before !== undefined && !needsPut(draft, model);
  for (const field of fieldsOf(draft, model)) {
    const typed = draft.values[field.name] ?? '';
    const missing = field.spec.required && field.spec.default === undefined && typed.trim() === '' && !isKept(field);
    const fault = missing ? 'it is required' : faultOf(field, typed);
    if (fault) faults[field.name] = fault;
  }
  return faults;
}

function scalarOf({ spec }: Field, typed: string): Scalar {
  const value = spec.type === 'string' ? typed : typed.trim();
  return spec.type === 'number' ? Number(value) : spec.type === 'boolean' ? value === 'true' : value;
}

function valuesOf(draft: Draft, model: Model): Record<string, Scalar> {
  const out: Record<string, Scalar> = {};
  for (const field of fieldsOf(draft, model)) {
    const typed = draft.values[field.name] ?? '';
    if (typed.trim() !== '') out[field.name] = scalarOf(field, typed);
  }
  return out;
}

const isState = (name: string): boolean => /\.state(\.message)?$/.test(name);
const isCore = (name: string): boolean => /^occi\.core\./.test(name);

/** Whether something goes: a partial update only adds and changes. */
export function needsPut(draft: Draft, model: Model): boolean {
  const { before } = draft;
  if (!before) return false;
  if ((before.raw.mixins ?? []).some((mixin) => !draft.mixins.includes(mixin))) return true;
  if (before.raw.title && draft.title.trim() === '') return true;
  if (before.raw.summary && draft.summary.trim() === '') return true;
  return fieldsOf(draft, model).some(({ name, spec }) => {
    const was = before.raw.attributes[name];
    const isDefault = spec.default !== undefined && String(spec.default) === String(was);
    return was !== undefined && !isDefault && (draft.values[name] ?? '').trim() === '';
  });
}

/** Secrets that a replacement loses unless they are given again: the server never shows them. */
export function lostSecrets(draft: Draft, model: Model): Field[] {
  if (!needsPut(draft, model)) return [];
  const kept = new Set(draft.before?.raw.mixins);
  return draft.mixins
    .filter((mixin) => kept.has(mixin))
    .flatMap((mixin) => model.fields(model.find(mixin)))
    .filter(({ name, secret }) => secret && !(draft.values[name] ?? '').trim());
}

function ends({ source, target }: Draft): { source?: string; target?: string } {
  return source || target ? { source, target } : {};
}

/** The request that makes or changes it; undefined where nothing differs. */
export function requestOf(draft: Draft, model: Model): OcciRequest | undefined {
  const title = draft.title.trim();
  const summary = draft.summary.trim();
  const values = valuesOf(draft, model);
  const said = { ...(title ? { title } : {}), ...(summary ? { summary } : {}), ...(draft.mixins.length > 0 ? { mixins: draft.mixins } : {}) };
  const { before } = draft;
  if (!before) return { method: 'POST', path: model.location(draft.kind), body: { kind: draft.kind, ...said, attributes: values, ...ends(draft) } };
  if (needsPut(draft, model)) {
    const known = new Set(fieldsOf(draft, model).map(({ name }) => name));
    const kept = Object.entries(before.raw.attributes).filter(([name]) => !known.has(name) && !isState(name) && !isCore(name) && !isOfMixin(name, before.raw, model));
    return { method: 'PUT', path: before.key, body: { kind: draft.kind, ...said, attributes: { ...Object.fromEntries(kept), ...values }, ...ends(draft) } };
  }
  return changeOf(draft, values);
}

/** Attributes of mixins that go, go with them. */
function isOfMixin(name: string, raw: OcciEntity, model: Model): boolean {
  return (raw.mixins ?? []).some((mixin) => name in (model.find(mixin)?.attributes ?? {}));
}

function changeOf(draft: Draft, values: Record<string, Scalar>): OcciRequest | undefined {
  const { key, raw } = draft.before!;
  const attributes = Object.fromEntries(Object.entries(values).filter(([name, value]) => raw.attributes[name] !== value));
  const mixins = draft.mixins.filter((mixin) => !(raw.mixins ?? []).includes(mixin));
  const body = {
    ...(draft.title.trim() !== (raw.title ?? '') ? { title: draft.title.trim() } : {}),
    ...(draft.summary.trim() !== (raw.summary ?? '') ? { summary: draft.summary.trim() } : {}),
    ...(mixins.length > 0 ? { mixins } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    ...(draft.source !== (raw.source?.location ?? '') ? { source: draft.source } : {}),
    ...(draft.target !== (raw.target?.location ?? '') ? { target: draft.target } : {}),
  };
  return Object.keys(body).length === 0 ? undefined : { method: 'POST', path: key, body };
}

/** A name that no stream has yet: a, b … z, then s1, s2 … */
export function freshStream(taken: Iterable<string>): string {
  const all = new Set(taken);
  for (let i = 0; i < 26; i += 1) {
    const name = String.fromCharCode(97 + i);
    if (!all.has(name)) return name;
  }
  let number = 1;
  while (all.has(`s${number}`)) number += 1;
  return `s${number}`;
}

/**
 * Adds a mixin and wires it to what is there: it reads what was made last. An aggregator makes a stream of its own, and
 * stands then between that and the publishers.
 */
export function withMixin(draft: Draft, mixin: Category, model: Model): Draft {
  const family = model.family(idOf(mixin));
  const streams = (way: 'in' | 'out'): string[] =>
    fieldsOf(draft, model).filter(({ stream }) => stream === way).flatMap(({ name }) => (draft.values[name] ?? '').split(',').map((one) => one.trim()).filter(Boolean));
  const made = streams('out');
  const read = streams('in');
  const input = made[made.length - 1] ?? read[0] ?? 'a';
  const output = freshStream([...made, ...read, input]);
  const values = { ...draft.values };
  for (const { name, stream } of model.fields(mixin)) {
    if (values[name] || family === 'metric') continue;
    if (stream === 'in') values[name] = input;
    else if (stream === 'out') values[name] = output;
  }
  if (family === 'aggregator') {
    const publishers = draft.mixins.filter((id) => model.family(id) === 'publisher');
    for (const { name, stream } of publishers.flatMap((id) => model.fields(model.find(id)))) {
      if (stream === 'in' && values[name] === input) values[name] = output;
    }
  }
  return { ...draft, values, mixins: [...draft.mixins, idOf(mixin)] };
}
