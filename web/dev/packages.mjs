// The packages of the development server: files in memory, edited through the `yaml` library, which keeps
// comments well enough for working on the pages. What a real server checks is done here for a few types only.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isSeq, LineCounter, parse, parseDocument, Document } from 'yaml';
import { check, describeSections } from './schemas.mjs';

const repository = new URL('../../packages/', import.meta.url);
const read = (path) => readFileSync(new URL(path, repository), 'utf8');
const { sections, types } = describeSections(parse(readFileSync(new URL('sections.yaml', import.meta.url), 'utf8')));
const sectionOf = (name) => sections.find((one) => one.name === name);
const hashOf = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16);

const files = new Map();
for (const entry of readdirSync(repository, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name).slice(fileURLToPath(repository).length);
  if (entry.isFile() && !path.startsWith('base/') && /\.(yaml|md|py|html)$/.test(path)) files.set(path, read(path));
}
files.set('tower/package.yaml', 'package: tower\nversion: 0.1.0\ntitle: The watchtower\n\n# What we look at ourselves.\nrules:\n  test: {}\nsamples:\n  one:\n    # kept for the demonstration\n    text: hello   # and this\n    note: |\n      Some *words*\n      on two lines.\n    steps:\n      - do: look\n      - {do: wait, wait: 5s}\n    ports: 80\n    labels: {team: tower}\n');
files.set('broken/package.yaml', "package: broken\nversion: 0.3.1\n\nrules:\n  disk:\n    full:\n      gauge: {expr: node_load1, above: {warning: 1}}\n    typo:\n      gauge: {expr: node_load1, above: {warning: 1}}\n      fro: 10s\n");
files.set('mysql/package.yaml', "package: mysql\nversion: 1.2.0\ntitle: MySQL servers\nparameters:\n  host: {type: host, required: true, help: The server., example: db1}\n  port: {type: port, default: 3306}\n  user: {type: text, default: atalaya}\ncollectors:\n  checks:\n    alive: {tcp: {address: '${host}:${port}'}}\nrules:\n  mysql:\n    down: {binary: {expr: 'check_up{check=\"alive\"}'}}\n");
files.set('ours/package.yaml', 'package: ours\nversion: 1.0.0\ntitle: What this site adds\noverride: {host: {rules: {disk: {filesystem_filling: {for: 30s}}}}}\ninstances:\n  mysql:\n    db1: {with: {host: db1.example.org}}\n    db2: {with: {host: db2.example.org, port: 3307}, title: The replica}\n');
if (process.env.ITEMS) {
  const groups = Array.from({ length: 50 }, (_, g) => `  group${g}:\n` + Array.from({ length: Number(process.env.ITEMS) / 50 }, (_, i) => `    rule_${g}_${i}:\n      title: Rule ${i} of group ${g}\n      gauge: {expr: node_load1, above: {warning: ${i}}}\n`).join('')).join('');
  files.set('large/package.yaml', `package: large\nversion: 1.0.0\nrules:\n${groups}`);
}
const commits = [];
/** What was computed of the files as they are: reading 5,000 items takes this library seconds. */
const kept = new Map();
const once = (key, make) => {
  if (!kept.has(key)) kept.set(key, make());
  return kept.get(key);
};

export class Refused extends Error {
  constructor(status, body) {
    super(body.error);
    this.status = status;
    this.body = { status: 'error', ...body };
  }
}
const missing = (what) => new Refused(404, { errorType: 'not_found', error: `${what} is not known` });
const packageNames = () => [...new Set([...files.keys()].map((file) => file.split('/')[0]))].sort();
const partsOf = (name, from = files) => [...from].filter(([file]) => file.startsWith(`${name}/`) && /^[^/]+\/[^/]+\.yaml$/.test(file));

function place(document, text, counter, path) {
  for (let end = path.length; end > 0; end -= 1) {
    const parent = document.getIn(path.slice(0, end - 1), true);
    const pair = isMap(parent) ? parent.items.find((one) => String(one.key?.value ?? one.key) === path[end - 1]) : undefined;
    const node = pair?.key ?? (isSeq(parent) ? parent.items[Number(path[end - 1])] : undefined);
    if (node?.range) {
      const { line, col } = counter.linePos(node.range[0]);
      return { line, column: col };
    }
  }
  return { line: 1, column: 1 };
}
const pathIn = (section, path) => {
  if (section?.shape !== 'list') return section?.shape === 'document' ? [section.name] : [section.name, ...path];
  return [section.name, ...path];
};

/** Every item of a section: {path, node, at} where `at` leads to it in the document. */
function itemsOf(document, section) {
  const found = [];
  const root = document.get(section.name, true);
  if (!root) return found;
  if (section.shape === 'document') return [{ path: [], node: root, at: [section.name] }];
  if (section.shape === 'list') {
    root.items?.forEach((node, i) => found.push({ path: [String(node.get(section.indexes[0].name))], node, at: [section.name, i] }));
    return found;
  }
  const walk = (node, path) => {
    if (path.length === section.indexes.length) return void found.push({ path, node, at: [section.name, ...path] });
    if (path.length > 0 && !isMap(node)) return;
    for (const pair of node.items ?? []) walk(pair.value, [...path, String(pair.key.value)]);
  };
  walk(root, []);
  return found;
}

function errorsOf(name, from = files) {
  return from === files ? once(`errors ${name}`, () => findErrors(name, from)) : findErrors(name, from);
}
function findErrors(name, from) {
  const errors = [];
  for (const [file, text] of partsOf(name, from)) {
    const counter = new LineCounter();
    const document = parseDocument(text, { lineCounter: counter });
    for (const error of document.errors) {
      const { line, col } = counter.linePos(error.pos[0]);
      errors.push({ file, line, column: col, message: error.message.split('\n')[0], remedy: 'Look at the line and the one above it.' });
    }
    if (document.errors.length) continue;
    for (const section of sections) {
      for (const { path, node, at } of itemsOf(document, section)) {
        for (const error of check(section, node?.toJSON ? node.toJSON() : node)) {
          errors.push({ ...error, file, package: name, section: section.name, path, ...place(document, text, counter, [...at.map(String), ...error.field.split('.')]) });
        }
      }
    }
  }
  return errors;
}

const manifest = (name) => parse(partsOf(name).find(([file]) => file.endsWith('/package.yaml'))?.[1] ?? '') ?? {};
const entry = (name) => once(`entry ${name}`, () => makeEntry(name));
function makeEntry(name) {
  const head = manifest(name);
  const errors = errorsOf(name);
  const counts = {};
  for (const [, text] of partsOf(name)) {
    const document = parseDocument(text);
    if (!document.errors.length) for (const section of sections) {
      const count = itemsOf(document, section).length;
      if (count) counts[section.name] = (counts[section.name] ?? 0) + count;
    }
  }
  return { name, version: head.version ?? '', title: head.title ?? '', state: errors.length ? 'broken' : 'ok', errors, items: Object.values(counts).reduce((a, b) => a + b, 0), specification: Boolean(head.parameters), shipped: !['tower', 'broken', 'mysql', 'ours', 'large'].includes(name), sections: counts };
}
function instances() {
  return packageNames().flatMap((declared_in) =>
    Object.entries(manifest(declared_in).instances ?? {}).flatMap(([specification, named]) =>
      Object.keys(named ?? {}).map((name) => ({ ...entry(specification), name: `${specification}@${name}`, specification: false, instance_of: { package: specification, name, declared_in } })),
    ),
  );
}

function detail(name) {
  if (!packageNames().includes(name)) throw missing(`package ${name}`);
  const head = manifest(name);
  const overrides = [];
  for (const [other, inSections] of Object.entries(head.override ?? {})) for (const [section, groups] of Object.entries(inSections)) {
    const walk = (value, path, depth) => {
      if (depth > 0) for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key], depth - 1);
      else for (const field of Object.keys(value)) overrides.push({ package: other, section, path, field: [field] });
    };
    walk(groups, [], sectionOf(section).indexes.length);
  }
  return {
    ...entry(name), help: head.help ?? '', requires: head.requires ?? {}, imports: head.imports ?? [], fallbacks: head.fallbacks ?? [], overrides,
    files: [...files].filter(([file]) => file.startsWith(`${name}/`)).map(([file, text]) => ({ file: file.slice(name.length + 1), size: text.length, hash: hashOf(text) })),
    readme: files.get(`${name}/README.md`),
    parameters: describeSections({ types: {}, schemas: { x: { fields: head.parameters ?? {} } } }).sections[0].fields,
  };
}

const tree = (name) => once(`tree ${name}`, () => makeTree(name));
function makeTree(name) {
  if (!packageNames().includes(name)) throw missing(`package ${name}`);
  const broken = new Set(errorsOf(name).map((error) => [error.section, ...(error.path ?? [])].join('/')));
  const found = [];
  for (const section of sections) {
    const nodes = [];
    let count = 0;
    for (const [, text] of partsOf(name)) {
      const document = parseDocument(text);
      const root = document.get(section.name, true);
      if (document.errors.length || root === undefined) continue;
      if (section.shape === 'tree') for (const pair of root.items ?? []) if (section.indexes.length > 1 && !nodes.some((one) => one.name === String(pair.key.value))) nodes.push({ name: String(pair.key.value), item: false, children: [] });
      for (const { path, node } of itemsOf(document, section)) {
        count += 1;
        const id = [name, ...path].join('/');
        const leaf = { name: path.at(-1) ?? section.name, title: node?.get?.('title'), item: true, id, error: broken.has([section.name, ...path].join('/')) || undefined };
        const parent = path.length > 1 ? nodes.find((one) => one.name === path[0]) : undefined;
        (parent?.children ?? nodes).push(leaf);
      }
    }
    if (nodes.length || count) found.push({ name: section.name, title: section.title, count, nodes });
  }
  return { sections: found };
}

function locate(name, section, path, from = files) {
  for (const [file, text] of partsOf(name, from)) {
    const counter = new LineCounter();
    const document = parseDocument(text, { lineCounter: counter });
    const found = itemsOf(document, section).find((one) => one.path.join('/') === path.join('/'));
    if (found) return { file, text, document, counter, ...found };
  }
  throw missing([name, section.name, ...path].join('/'));
}
function itemText(found) {
  const value = found.node;
  const document = new Document();
  document.contents = value;
  const lines = found.text.split('\n');
  const at = place(found.document, found.text, found.counter, found.at.map(String));
  if (!value?.range || value.flow) return document.toString({ lineWidth: 0 });
  // The lines themselves, dedented, so that comments stand as they were written.
  const first = at.line;
  const indent = lines[first - 1].search(/\S/);
  let end = first;
  while (end < lines.length && (lines[end].trim() === '' || lines[end].search(/\S/) > indent)) end += 1;
  const body = lines.slice(first, end);
  while (body.length && body.at(-1).trim() === '') body.pop();
  const inner = Math.min(...body.filter((l) => l.trim()).map((l) => l.search(/\S/)));
  return body.map((l) => l.slice(inner)).join('\n') + '\n';
}
function item(name, sectionName, path) {
  const section = sectionOf(sectionName);
  if (!section) throw missing(`section ${sectionName}`);
  const found = locate(name, section, path);
  const written = found.node?.toJSON ? found.node.toJSON() : found.node;
  const at = place(found.document, found.text, found.counter, found.at.map(String));
  const fields = [];
  const walk = (list, value, prefix) => {
    for (const field of list) {
      const own = value?.[field.name];
      const where = [...prefix, field.name].join('.');
      if (own !== undefined && field.kind === 'record') walk(field.fields, own, [...prefix, field.name]);
      else if (own !== undefined) fields.push({ field: where, value: typeof own === 'object' ? JSON.stringify(own) : String(own), from: { how: 'written', package: name, file: found.file, line: at.line } });
      else if (field.default !== undefined) fields.push({ field: where, value: String(field.default), from: { how: 'default', package: 'base', file: 'base/sections/rules.yaml', line: 1 } });
    }
  };
  walk(section.fields, written, []);
  for (const other of packageNames()) {
    let over = manifest(other).override?.[name]?.[sectionName];
    for (const step of path) over = over?.[step];
    for (const [field, value] of Object.entries(over ?? {})) {
      const one = fields.find((candidate) => candidate.field === field);
      const said = { field, value: String(value), from: { how: 'override', package: other, file: `${other}/package.yaml`, line: 4 } };
      if (one) Object.assign(one, said);
      else fields.push(said);
    }
  }
  return { id: [name, ...path].join('/'), package: name, section: sectionName, path, title: written?.title ?? path.at(-1), file: found.file.slice(name.length + 1), ...at, hash: hashOf(found.text), yaml: itemText(found), written, fields, errors: errorsOf(name).filter((e) => e.section === sectionName && e.path?.join('/') === path.join('/')), writable: true };
}

function draft({ section: sectionName, yaml, set = [], unset = [] }) {
  const section = sectionOf(sectionName);
  const counter = new LineCounter();
  let document = parseDocument(yaml, { lineCounter: counter });
  if (document.errors.length) {
    return { yaml, errors: document.errors.map((e) => ({ message: e.message.split('\n')[0], line: counter.linePos(e.pos[0]).line, column: counter.linePos(e.pos[0]).col, remedy: 'Look at the line and the one above it.' })) };
  }
  for (const { field, value } of set) document.setIn(field, document.createNode(value));
  for (const field of unset) document.deleteIn(field);
  const text = set.length + unset.length ? (document.contents === null ? '' : document.toString({ lineWidth: 0, flowCollectionPadding: false })) : yaml;
  const lines = new LineCounter();
  document = parseDocument(text, { lineCounter: lines });
  const written = document.toJSON() ?? {};
  const errors = section ? check(section, written).map((e) => ({ ...e, ...place(document, text, lines, e.field.split('.')) })) : [];
  return { yaml: text, written, errors };
}

function applyOne(next, op) {
  const section = sectionOf(op.section);
  if (op.op === 'create_package') return void next.set(`${op.package}/package.yaml`, `package: ${op.package}\nversion: 0.1.0\n${op.title ? `title: ${op.title}\n` : ''}`);
  if (op.op === 'remove_package') return [...next.keys()].filter((f) => f.startsWith(`${op.package}/`)).forEach((f) => next.delete(f));
  if (op.op === 'write') return void next.set(`${op.package}/${op.file}`, op.text);
  if (op.op === 'delete_file') return void next.delete(`${op.package}/${op.file}`);
  const file = `${op.package}/package.yaml`;
  const save = (where, document) => next.set(where, document.toString({ lineWidth: 0, flowCollectionPadding: false }));
  const edit = (where, change) => {
    const document = parseDocument(next.get(where));
    change(document);
    save(where, document);
  };
  const nodeAt = () => {
    for (const [where, text] of partsOf(op.package, next)) {
      const document = parseDocument(text);
      const full = pathIn(section, op.path);
      if (section.shape === 'list' && op.path.length) {
        const found = itemsOf(document, section).find((one) => one.path[0] === op.path[0]);
        if (found) return { where, full: found.at, node: found.node };
      } else if (document.hasIn(full)) return { where, full, node: document.getIn(full, true) };
    }
    throw missing([op.package, op.section, ...op.path].join('/'));
  };
  if (op.op === 'create') {
    return edit(file, (document) => {
      const full = pathIn(section, op.path);
      if (document.hasIn(full)) throw new Refused(422, { errorType: 'already_exists', error: `${op.path.join('/')} is there already` });
      document.setIn(full, op.yaml !== undefined ? parseDocument(op.yaml).contents : document.createNode(op.value ?? {}));
    });
  }
  const { where, full, node } = nodeAt();
  if (op.op === 'set') return edit(where, (d) => d.setIn([...full, ...op.field], d.createNode(op.value)));
  if (op.op === 'unset') return edit(where, (d) => d.deleteIn([...full, ...op.field]));
  if (op.op === 'replace') return edit(where, (d) => d.setIn(full, parseDocument(op.yaml).contents));
  if (op.op === 'remove') return edit(where, (d) => d.deleteIn(full));
  if (op.op === 'rename') return edit(where, (d) => (d.getIn(full.slice(0, -1), true).items.find((p) => String(p.key.value) === full.at(-1)).key.value = op.name));
  if (op.op === 'copy' || op.op === 'move') {
    const copy = node.clone ? node.clone() : node;
    edit(`${op.to.package}/package.yaml`, (d) => {
      if (d.hasIn(pathIn(section, op.to.path))) throw new Refused(422, { errorType: 'already_exists', error: `${op.to.path.join('/')} is there already` });
      d.setIn(pathIn(section, op.to.path), copy);
    });
    if (op.op === 'move') edit(where, (d) => d.deleteIn(full));
    return undefined;
  }
  throw new Refused(400, { errorType: 'bad_data', error: `operation ${op.op} is not known` });
}

function unified(before = '', after = '') {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let [start, endA, endB] = [0, a.length, b.length];
  while (start < endA && start < endB && a[start] === b[start]) start += 1;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) (endA -= 1), (endB -= 1);
  if (start === a.length && start === b.length) return '';
  const from = Math.max(0, start - 3);
  return [`@@ -${from + 1},${endA - from + 3} +${from + 1},${endB - from + 3} @@`, ...a.slice(from, start).map((l) => ` ${l}`), ...a.slice(start, endA).map((l) => `-${l}`), ...b.slice(start, endB).map((l) => `+${l}`), ...a.slice(endA, endA + 3).map((l) => ` ${l}`)].join('\n') + '\n';
}
function differences(next) {
  return [...new Set([...files.keys(), ...next.keys()])].filter((file) => files.get(file) !== next.get(file)).map((file) => ({ file, before: files.get(file) ?? null, after: next.get(file) ?? null, diff: unified(files.get(file), next.get(file)) }));
}
function finish(changed, next, { reason, preview, author = 'ana' }) {
  for (const name of new Set(changed.map(({ file }) => file.split('/')[0]))) {
    const [before, after] = [errorsOf(name).length, errorsOf(name, next)];
    if (after.length > before) throw new Refused(422, { errorType: 'bad_data', error: after[0].message, errors: after });
  }
  const effects = changed.length ? [`${changed.length} ${changed.length === 1 ? 'file changes' : 'files change'}`, '1 rule is judged anew'] : ['Nothing changes'];
  const hashes = Object.fromEntries(changed.map(({ file, after }) => [file, hashOf(after ?? '')]));
  if (preview) return { files: changed, effects, hashes };
  kept.clear();
  for (const { file, after } of changed) after === null ? files.delete(file) : files.set(file, after);
  commits.unshift({ id: commits.length + 1, at: new Date().toISOString(), author, reason: reason ?? '', files: changed });
  return { commit: commits[0].id, files: changed, effects, hashes };
}
function change({ operations, base = {}, ...rest }) {
  const conflicts = Object.entries(base).filter(([file, hash]) => files.has(file) && hashOf(files.get(file)) !== hash).map(([file, base_hash]) => ({ file, base_hash, hash: hashOf(files.get(file)), text: files.get(file) }));
  if (conflicts.length) throw new Refused(409, { errorType: 'conflict', error: `${conflicts[0].file} has changed meanwhile`, conflicts });
  const next = new Map(files);
  for (const op of operations) applyOne(next, op);
  return finish(differences(next), next, rest);
}
function revert(id, body) {
  const commit = commits.find((one) => String(one.id) === id);
  const next = new Map(files);
  for (const { file, before, after } of commit.files) {
    if ((files.get(file) ?? null) !== after) throw new Refused(409, { errorType: 'conflict', error: `${file} was changed since`, conflicts: [] });
    if (before === null) next.delete(file);
    else next.set(file, before);
  }
  return finish(differences(next), next, { ...body, reason: body.reason || `Reverts ${id}` });
}

const decode = (text) => text.split('/').map(decodeURIComponent);
/** [method, pattern, run(match, query, body)] */
export const packageRoutes = [
  ['GET', /^\/schemas$/, () => ({ sections, types })],
  ['GET', /^\/packages$/, () => ({ packages: [...packageNames().map(entry), ...instances()] })],
  ['GET', /^\/packages\/([^/]+)$/, ([, name]) => detail(decodeURIComponent(name).split('@')[0])],
  ['GET', /^\/packages\/([^/]+)\/tree$/, ([, name]) => tree(decodeURIComponent(name).split('@')[0])],
  ['GET', /^\/packages\/([^/]+)\/items\/(.+)$/, ([, name, rest]) => item(decodeURIComponent(name), decode(rest)[0], decode(rest).slice(1))],
  ['GET', /^\/packages\/([^/]+)\/files\/(.+)$/, ([, name, rest]) => {
    const file = decode(rest).join('/');
    const text = files.get(`${name}/${file}`);
    if (text === undefined) throw missing(file);
    return { file, text, hash: hashOf(text) };
  }],
  ['POST', /^\/package-changes$/, (_, __, body) => change(body)],
  ['POST', /^\/package-draft$/, (_, __, body) => draft(body)],
  ['GET', /^\/packages\/([^/]+)\/history$/, ([, name]) => ({ commits: commits.filter((c) => c.files.some(({ file }) => file.startsWith(`${name}/`))).map((c) => ({ ...c, files: c.files.map(({ file }) => file) })) })],
  ['GET', /^\/package-commits\/(\w+)$/, ([, id]) => commits.find((one) => String(one.id) === id)],
  ['POST', /^\/package-commits\/(\w+)\/revert$/, ([, id], __, body) => revert(id, body)],
  ['GET', /^\/packages\/([^/]+)\/diff$/, () => ({ files: [] })],
  ['GET', /^\/packages\/([^/]+)\/archive$/, ([, name]) => detail(name)],
  ['GET', /^\/items$/, (_, { kind, text = '', limit = 20 }) => ({
    items: packageNames().flatMap((name) => tree(name).sections.filter((s) => !kind || kind === 'any' || s.name === kind).flatMap((s) => s.nodes.flatMap((n) => (n.item ? [n] : n.children)).map((n) => ({ id: n.id, kind: s.name, package: name, title: n.title ?? n.name })))).filter(({ id, title }) => `${id} ${title}`.toLowerCase().includes(text.toLowerCase())).slice(0, Number(limit)),
  })],
];
