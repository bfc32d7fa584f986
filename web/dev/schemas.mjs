// Schemas as the development server tells them, and as much checking as the forms need to show errors.
const kinds = 'text markdown integer number ratio boolean duration bytes time cron zone regex promql selector url host port path email colour secret enumeration reference list map record script any'.split(' ');

/** Declarations as in packages → {sections, types} as the API gives them. */
export function describeSections({ types = {}, schemas = {} }) {
  const typeOf = (written, own = {}) => {
    let match;
    if ((match = /^list of (.+)$/.exec(written))) return { kind: 'list', type: written, of: typeOf(match[1], own), ...bounds(own) };
    if ((match = /^one or many (.+)$/.exec(written))) return { kind: 'list', one_or_many: true, type: written, of: typeOf(match[1]), ...bounds(own) };
    if ((match = /^map of (.+)$/.exec(written))) return { kind: 'map', type: written, of: typeOf(match[1], own) };
    if ((match = /^reference to (.+)$/.exec(written))) return { kind: 'reference', type: written, section: match[1] };
    const base = types[written];
    const merged = base ? { ...base, ...own } : own;
    const kind = base ? typeOf(base.type, base).kind : written;
    if (!kinds.includes(kind)) throw new Error(`type ${written}`);
    return { kind, type: written, ...bounds(merged), ...(merged.fields && { fields: fieldsOf(merged.fields) }), ...(merged.one_of && { one_of: merged.one_of }), ...(merged.some_of && { some_of: merged.some_of }), ...(merged.values && { values: valuesOf(merged.values) }), ...(merged.or && { or: merged.or }), ...(merged.unit && { unit: merged.unit }), ...(merged.pattern && { pattern: merged.pattern, pattern_help: merged.pattern_help }) };
  };
  const bounds = ({ min, max }) => ({ ...(min !== undefined && { min }), ...(max !== undefined && { max }) });
  const valuesOf = (values) => (Array.isArray(values) ? values.map((value) => ({ value, help: '' })) : Object.entries(values).map(([value, help]) => ({ value, help })));
  const fieldsOf = (fields) => Object.entries(fields).map(([name, own]) => ({ ...typeOf(own.type, own), name, title: own.title ?? '', help: own.help ?? '', required: own.required ?? false, ...(own.default !== undefined && { default: own.default }), ...(own.example && { example: own.example }) }));
  return {
    types: Object.entries(types).map(([name, own]) => ({ ...typeOf(own.type, own), name })),
    sections: Object.entries(schemas).map(([name, own]) => ({ name, item: own.item ?? name, title: own.title ?? name, help: own.help ?? '', package: 'base', shape: own.shape ?? 'tree', acts: own.acts ?? '', indexes: fieldsOf(own.indexes ?? {}), fields: fieldsOf(own.fields ?? {}), one_of: own.one_of ?? [], some_of: own.some_of ?? [], field_sets: Object.entries(own.field_sets ?? {}).map(([set, { title = set, page = '', fields }]) => ({ name: set, title, page, fields })), contains: [] })),
  };
}

const patterns = { duration: /^(\d+(\.\d+)?(ms|s|m|h|d|w|y))+$/, bytes: /^\d+(\.\d+)?([kMGT]i?)?B?$/, url: /^https?:\/\/\S+$/, email: /^\S+@\S+$/, path: /^\//, host: /^[A-Za-z0-9_.:-]+$/, cron: /^(@\w+|(\S+\s+){4}\S+)$/, colour: /^(#[0-9a-f]{6}|[a-z]+)$/i };

/** Errors with the field named: {message, remedy, field}. */
export function check(section, written) {
  const errors = [];
  const say = (field, message, remedy = '') => errors.push({ field: field.join('.'), message, remedy });
  const value = (type, it, at) => {
    if (it === null || it === undefined || type.or?.includes(it) || (typeof it === 'string' && it.includes('${'))) return;
    if (type.kind === 'record') return record(type, it, at);
    if (type.kind === 'list') {
      if (!Array.isArray(it)) return type.one_or_many ? value(type.of, it, at) : say(at, `expected a list, found ${typeof it}`);
      return it.forEach((one, i) => value(type.of, one, [...at, i]));
    }
    if (type.kind === 'map') return typeof it === 'object' ? Object.entries(it).forEach(([key, one]) => value(type.of, one, [...at, key])) : say(at, 'expected a mapping');
    if (['integer', 'number', 'port'].includes(type.kind) && typeof it !== 'number') return say(at, `expected a number, found "${it}"`, 'Write digits, such as 10.');
    if (type.min !== undefined && it < type.min) say(at, `${it} is below ${type.min}`, `Write ${type.min} or more.`);
    if (type.max !== undefined && (typeof it === 'string' ? it.length : it) > type.max) say(at, `${it} is above ${type.max}`);
    if (type.kind === 'enumeration' && !type.values.some((one) => one.value === it)) say(at, `"${it}" is none of ${type.values.map((one) => one.value).join(', ')}`);
    if (type.kind === 'promql' && (it.match(/\(/g) ?? []).length !== (it.match(/\)/g) ?? []).length) say(at, 'unclosed left parenthesis', 'Close it with ")".');
    if (patterns[type.kind] && !patterns[type.kind].test(it)) say(at, `"${it}" is not a ${type.kind}`);
  };
  const record = (type, it, at) => {
    if (typeof it !== 'object' || Array.isArray(it)) return say(at, 'expected a mapping');
    for (const key of Object.keys(it)) {
      const field = type.fields.find((one) => one.name === key);
      if (!field) say([...at, key], `unknown field "${key}"`, `Fields here are ${type.fields.map((one) => one.name).join(', ')}.`);
      else value(field, it[key], [...at, key]);
    }
    for (const field of type.fields) if (field.required && it[field.name] === undefined) say([...at, field.name], `${field.title || field.name} is required`);
    for (const set of type.one_of ?? []) if (set.filter((name) => it[name] !== undefined).length !== 1) say(at, `exactly one of ${set.join(', ')} is needed`);
    return undefined;
  };
  record(section, written ?? {}, []);
  return errors;
}
