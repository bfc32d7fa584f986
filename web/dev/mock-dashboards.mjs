// Dashboards and grid pages for the development server: kept in memory, changed as the server would.
import { createHash } from 'node:crypto';

const items = new Map();
const packages = new Map([
  ['host', { writable: true, file: 'host/package.yaml' }],
  ['site', { writable: true, file: 'site/package.yaml' }],
  ['mysql@db1', { writable: false, file: 'mysql/package.yaml' }],
]);
const put = (section, id, value) => {
  const [name, ...path] = id.split('/');
  items.set(`${section}:${id}`, { section, package: name, path, value });
};

put('dashboards', 'host/machines/overview', {
  title: 'Machines',
  help: 'All machines at a glance; choose some above.',
  range: '15m',
  variables: {
    instance: { label: 'instance', of: 'node_load1', multi: true, all: true },
    mountpoint: { label: 'mountpoint', of: 'node_filesystem_size_bytes{instance=~"$instance"}', all: true },
  },
  widgets: [
    { title: 'Processors', at: { x: 0, y: 0, w: 5, h: 4 }, stat: { expr: '1 - avg(rate(node_cpu_seconds_total{mode="idle",instance=~"$instance"}[1m]))', unit: 'ratio', sparkline: true, thresholds: { warning: 0.8, critical: 0.95 } } },
    { title: 'Memory used', at: { x: 5, y: 0, w: 5, h: 4 }, stat: { expr: '1 - avg(node_memory_MemAvailable_bytes{instance=~"$instance"} / node_memory_MemTotal_bytes)', unit: 'ratio', sparkline: true, thresholds: { warning: 0.5, critical: 0.95 } } },
    { title: 'Fullest file system', at: { x: 10, y: 0, w: 6, h: 7 }, gauge: { expr: 'max(1 - node_filesystem_avail_bytes{instance=~"$instance"} / node_filesystem_size_bytes)', unit: 'ratio', thresholds: { warning: 0.85, critical: 0.95 } } },
    { title: 'Hosts', at: { x: 16, y: 0, w: 8, h: 7 }, states: { expr: 'up{instance=~"$instance"}', legend: '{{instance}}' } },
    { title: 'Load', at: { x: 0, y: 4, w: 10, h: 3 }, stat: { expr: 'avg by (instance) (node_load1{instance=~"$instance"})', legend: '{{instance}}', thresholds: { warning: 3 } } },
    { title: 'CPU of $instance', at: { x: 0, y: 7, w: 12, h: 9 }, chart: { queries: [{ expr: 'avg by (mode) (rate(node_cpu_seconds_total{mode!="idle",instance=~"$instance"}[1m]))', legend: '{{mode}}' }], unit: 'ratio', stack: true, min: 0, max: 1, thresholds: { warning: 0.8, critical: 0.95 } } },
    { title: 'Network', at: { x: 12, y: 7, w: 12, h: 9 }, chart: { queries: [{ expr: 'rate(node_network_receive_bytes_total{device="eth0",instance=~"$instance"}[1m])', legend: '{{instance}} in' }] } },
    { title: 'File systems', at: { x: 0, y: 16, w: 12, h: 9 }, table: { queries: [{ expr: 'node_filesystem_avail_bytes{instance=~"$instance",mountpoint=~"$mountpoint"}', legend: 'free' }, { expr: '1 - node_filesystem_avail_bytes{instance=~"$instance",mountpoint=~"$mountpoint"} / node_filesystem_size_bytes', legend: 'used' }] } },
    { title: 'Open alerts', at: { x: 12, y: 16, w: 12, h: 9 }, alerts: {} },
    { title: 'Dependencies', at: { x: 0, y: 25, w: 14, h: 12 }, topology: {} },
    { at: { x: 14, y: 25, w: 10, h: 12 }, text: { markdown: '## What to do\n\n1. Look at **the worst** first.\n2. Ask `#operations`, or read the [handbook](https://handbook.example.net).\n\n> Nothing is so urgent that it cannot be done calmly.\n\n| who | when |\n|---|--:|\n| Ana | 08:00 |\n| Luis | 20:00 |' } },
    { title: 'Logs', at: { x: 0, y: 37, w: 24, h: 8 }, logs: { match: '' } },
  ],
});
put('dashboards', 'host/machines/network', { title: 'Network', widgets: [] });
put('dashboards', 'mysql@db1/server/overview', { title: 'MySQL on db1', widgets: [{ title: 'Up', stat: { expr: 'up{instance="db1"}' } }] });
put('pages', 'site/hall/wall', { title: 'The wall', widgets: [{ title: 'Hosts', at: { x: 0, y: 0, w: 12, h: 8 }, states: { expr: 'up', legend: '{{instance}}' } }] });

const registry = [
  { id: 'host/agent/node', kind: 'collectors', package: 'host', title: 'Node metrics', links: ['web1', 'web2', 'db1', 'db2'] },
  { id: 'app/http/site', kind: 'sensors', package: 'app', title: 'The site answers', links: ['web1', 'web2'] },
  { id: 'app/rules/slow', kind: 'rules', package: 'app', title: 'The site is slow', links: ['app/http/site', 'app/rules/db'] },
  { id: 'app/rules/db', kind: 'rules', package: 'app', title: 'Database is slow', links: ['db1'] },
  { id: 'host/disk/filling', kind: 'rules', package: 'host', title: 'File system is filling', links: ['host/agent/node'] },
  { id: 'host/load/high', kind: 'rules', package: 'host', title: 'Load is high', links: ['host/agent/node'] },
];

const scalar = (value) => (typeof value === 'string' && /^[A-Za-z][\w ]*$/.test(value) ? value : JSON.stringify(value));
/** Plain YAML of a value; nothing of it is read back. */
function yaml(value, indent = '') {
  if (value === null || typeof value !== 'object') return ` ${scalar(value)}\n`;
  if (Object.keys(value).length === 0) return Array.isArray(value) ? ' []\n' : ' {}\n';
  if (Array.isArray(value)) return `\n${value.map((one) => `${indent}-${yaml(one, `${indent}  `).replace(/^\n\s*/, ' ')}`).join('')}`;
  return `\n${Object.entries(value).map(([name, one]) => `${indent}${name}:${yaml(one, `${indent}  `)}`).join('')}`;
}
const textOf = (name) => {
  const tree = {};
  for (const item of items.values()) {
    if (item.package !== name) continue;
    let at = (tree[item.section] ??= {});
    item.path.forEach((part, i) => (at = at[part] ??= i === item.path.length - 1 ? item.value : {}));
  }
  return `package: ${name}\nversion: 1.0.0\n${yaml(tree).slice(1)}`;
};
const hashOf = (name) => createHash('sha256').update(textOf(name)).digest('hex').slice(0, 16);

function diff(before, after) {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let [head, tail] = [0, 0];
  while (head < a.length && a[head] === b[head]) head += 1;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const [from, last] = [Math.max(0, head - 3), Math.min(3, tail)];
  const lines = [
    ...a.slice(from, head).map((line) => ` ${line}`),
    ...a.slice(head, a.length - tail).map((line) => `-${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+${line}`),
    ...a.slice(a.length - tail, a.length - tail + last).map((line) => ` ${line}`),
  ];
  return `@@ -${from + 1} +${from + 1} @@\n${lines.join('\n')}\n`;
}

function setField(value, field, to) {
  const copy = structuredClone(value);
  let at = copy;
  for (const part of field.slice(0, -1)) at = at[part] ??= {};
  if (to === undefined && Array.isArray(at)) at.splice(Number(field.at(-1)), 1);
  else if (to === undefined) delete at[field.at(-1)];
  else at[field.at(-1)] = to;
  return copy;
}

function applyAll(operations, Refusal) {
  for (const op of operations) {
    if (op.op === 'create_package') packages.set(op.package, { writable: true, file: `${op.package}/package.yaml` });
    const key = `${op.section}:${[op.package, ...(op.path ?? [])].join('/')}`;
    const item = items.get(key);
    if (op.op === 'create') {
      if (item) throw new Refusal(409, { errorType: 'already_exists', error: `${key} is there already` });
      if (!packages.has(op.package)) throw new Refusal(404, { errorType: 'not_found', error: `there is no package ${op.package}` });
      put(op.section, [op.package, ...op.path].join('/'), structuredClone(op.value ?? {}));
    }
    if (op.op === 'set' || op.op === 'unset') item.value = setField(item.value, op.field, op.op === 'set' ? op.value : undefined);
    if (op.op === 'remove') items.delete(key);
    const now = items.get(key);
    (now?.value.widgets ?? []).forEach((widget, i) => {
      for (const query of widget.chart?.queries ?? []) if (!query.expr) refuse(op, `widgets.${i}.chart.queries`, 'expr is required', Refusal);
    });
  }
}

function refuse(op, field, message, Refusal) {
  const error = { message, field, file: packages.get(op.package).file, line: 12, package: op.package, section: op.section, path: op.path };
  throw new Refusal(422, { errorType: 'unprocessable', error: message, errors: [error] });
}

function change({ operations, preview, base }, Refusal) {
  const names = [...new Set(operations.map((op) => op.package))];
  const conflicts = Object.entries(base ?? {}).flatMap(([file, hash]) => {
    const name = file.split('/')[0];
    return hashOf(name) === hash ? [] : [{ file, base_hash: hash, hash: hashOf(name), text: textOf(name) }];
  });
  if (conflicts.length > 0) throw new Refusal(409, { errorType: 'conflict', error: `${conflicts[0].file} has changed meanwhile`, conflicts });
  const before = new Map(names.map((name) => [name, packages.has(name) ? textOf(name) : '']));
  const [keptItems, keptPackages] = [structuredClone([...items]), structuredClone([...packages])];
  const undo = () => {
    items.clear();
    packages.clear();
    for (const [key, value] of keptItems) items.set(key, value);
    for (const [key, value] of keptPackages) packages.set(key, value);
  };
  try {
    applyAll(operations, Refusal);
  } catch (reason) {
    undo();
    throw reason;
  }
  const files = names.map((name) => ({ file: packages.get(name).file, before: before.get(name), after: textOf(name), diff: diff(before.get(name), textOf(name)) }));
  const hashes = Object.fromEntries(names.map((name) => [packages.get(name).file, hashOf(name)]));
  if (preview) undo();
  return { ...(preview ? {} : { commit: Date.now() }), files, effects: [`1 ${operations.at(-1).section === 'pages' ? 'page' : 'dashboard'} changes`], hashes };
}

const entry = ({ section, package: name, path, value }) => ({
  id: [name, ...path].join('/'), package: name, path, title: value.title ?? path.at(-1), help: value.help ?? '', writable: packages.get(name).writable, section,
});

/** What this file answers, as {answer}; undefined for what is not its own. */
export function answer(method, path, q, body, { Refusal, world }) {
  if (method === 'GET' && path.startsWith('/api/v1/label/') && q['match[]']) {
    const [, metric = '', inside = ''] = /^(\w*)(?:\{(.*)\})?$/s.exec(q['match[]']) ?? [];
    const matchers = [...inside.matchAll(/(\w+)(=~|=)"((?:[^"\\]|\\.)*)"/g)].map(([, n, op, v]) => [n, op, JSON.parse(`"${v}"`)]);
    const label = decodeURIComponent(path.split('/')[4]);
    const fits = ({ labels }) => (!metric || labels.__name__ === metric) && matchers.every(([n, op, v]) => (op === '=' ? labels[n] === v : new RegExp(`^(?:${v})$`).test(labels[n] ?? '')));
    return { answer: { status: 'success', data: [...new Set(world.series.filter(fits).map(({ labels }) => labels[label]).filter(Boolean))].sort() } };
  }
  const own = path.startsWith('/api/atalaya/v1') ? path.slice('/api/atalaya/v1'.length) : '';
  if (method === 'GET' && own === '/dashboards') return { answer: { dashboards: [...items.values()].filter((one) => one.section === 'dashboards').map(entry) } };
  if (method === 'GET' && own === '/pages') {
    const grids = [...items.values()].filter((one) => one.section === 'pages').map((one) => ({ ...entry(one), href: `/p/${one.package}/${one.path.at(-1)}`, widgets: true }));
    return { answer: { pages: [...grids, { id: 'host/weekly/report', package: 'host', path: ['weekly', 'report'], title: 'Weekly report', href: '/p/host/report' }] } };
  }
  if (method === 'GET' && own.startsWith('/dashboards/')) {
    const id = own.slice('/dashboards/'.length).split('/').map(decodeURIComponent).join('/');
    const item = items.get(`dashboards:${id}`);
    if (!item) throw new Refusal(404, { errorType: 'not_found', error: `there is no dashboard ${id}` });
    return { answer: { ...entry(item), ...item.value, file: packages.get(item.package).file, hash: hashOf(item.package) } };
  }
  const found = /^\/packages\/([^/]+)\/items\/(dashboards|pages)\/(.+)$/.exec(own);
  if (method === 'GET' && found) {
    const [, name, section, rest] = found.map(decodeURIComponent);
    const item = items.get(`${section}:${name}/${rest}`);
    if (!item) throw new Refusal(404, { errorType: 'not_found', error: `there is no ${section} ${rest}` });
    return { answer: { ...entry(item), file: packages.get(name).file, line: 4, hash: hashOf(name), yaml: yaml(item.value).slice(1), written: item.value, effective: item.value, errors: [] } };
  }
  if (method === 'GET' && own === '/items') return { answer: { items: registry } };
  if (method === 'POST' && own === '/auth/page-cookie') return { answer: undefined };
  if (method === 'POST' && own === '/package-changes' && body.operations.every((op) => ['dashboards', 'pages'].includes(op.section) || (op.op === 'create_package' && body.operations.length > 1))) {
    return { answer: change(body, Refusal) };
  }
  return undefined;
}

/** A colleague who changes the same dashboard, for looking at conflicts. */
export function meddle() {
  const item = items.get('dashboards:host/machines/overview');
  item.value = { ...item.value, title: `Machines, by Luis ${new Date().getSeconds()}` };
}
