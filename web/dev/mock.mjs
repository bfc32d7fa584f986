// A server for working on the pages: the API and the live socket over a generated world.
// `npm run mock` (PORT, HOSTS=1000 and ALERTS=1000 in the environment), then `npm run dev`.
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { WebSocketServer } from 'ws';
import { packageRoutes } from './packages.mjs';
import * as alerting from './mock-alerting.mjs';
import * as dashboards from './mock-dashboards.mjs';
import { parse } from './promql.mjs';
import * as world from './world.mjs';

const port = Number(process.env.PORT ?? 2091);
const dist = new URL('../dist/', import.meta.url).pathname;
const prefix = '/api/atalaya/v1';
const user = { id: 'u1', name: 'ana', role: process.env.ROLE ?? 'admin', tenant: 'default' };
const users = [user, { id: 'u2', name: 'luis', role: 'operator', created: new Date().toISOString(), last_seen: null }];
const tokens = [{ id: 't1', name: 'grafana', role: 'viewer', created: new Date().toISOString(), expires: new Date(Date.now() + 9e8).toISOString(), revoked: false }];
const sockets = new Set();

class Refusal extends Error {
  constructor(status, body) {
    super(body.error);
    this.status = status;
    this.body = { status: 'error', ...body };
  }
}
const find = (match) => world.series.filter((s) => match(s.labels));
const compile = (query) => {
  try {
    return parse(query);
  } catch (reason) {
    throw new Refusal(400, { errorType: 'bad_data', error: reason.message, place: { line: 1, column: 1 } });
  }
};

function queryRange({ query, start, end, step }) {
  const evaluate = compile(query);
  const found = new Map();
  for (let t = Number(start); t <= Number(end); t += Number(step)) {
    const vector = evaluate(t, find);
    for (const { metric, value } of typeof vector === 'number' ? [{ metric: {}, value: vector }] : vector) {
      const key = JSON.stringify(metric);
      if (!found.has(key)) found.set(key, { metric, values: [] });
      found.get(key).values.push([t, String(value)]);
    }
  }
  return { status: 'success', data: { resultType: 'matrix', result: [...found.values()] } };
}

const session = () => ({ access_token: `a${Date.now()}`, refresh_token: `r${Date.now()}`, expires_in: 900, user });
const alertOf = (id) => {
  const alert = world.alerts.find((a) => a.id === id);
  if (!alert) throw new Refusal(404, { errorType: 'not_found', error: `alert ${id} is not known` });
  return alert;
};
const logsFor = (q) => {
  const regex = q.regex ? new RegExp(q.regex) : undefined;
  const matchers = [...(q.match ?? '').matchAll(/(\w+)(=~|=)"([^"]*)"/g)];
  const fits = (r) =>
    (!q.text || r.line.toLowerCase().includes(q.text.toLowerCase())) &&
    (!regex || regex.test(r.line)) &&
    matchers.every(([, n, op, v]) => (op === '=' ? r.labels[n] === v : new RegExp(`^(?:${v})$`).test(r.labels[n] ?? '')));
  return world.logs.filter(fits);
};

const routes = [
  ['POST', '/auth/sign-in', ({ body }) => {
    if (body.password !== 'atalaya') throw new Refusal(401, { errorType: 'unauthenticated', error: 'name or password is wrong' });
    return session();
  }],
  ['POST', '/auth/link', ({ body }) => {
    if (body.link !== 'once') throw new Refusal(401, { errorType: 'unauthenticated', error: 'this link is used' });
    return session();
  }],
  ['POST', '/auth/refresh', session],
  ['POST', '/auth/sign-out', () => undefined],
  ['POST', '/auth/password', () => undefined],
  ['GET', '/auth/me', () => user],
  ['POST', '/auth/ws-ticket', () => ({ ticket: 'x', expires_in: 30 })],
  ['GET', '/users', () => ({ users })],
  ['POST', '/users', ({ body }) => (users.push({ id: `u${Date.now()}`, name: body.name, role: body.role }), users.at(-1))],
  ['DELETE', '/users/:id', ({ id }) => void users.splice(users.findIndex((u) => u.id === id), 1)],
  ['GET', '/tokens', () => ({ tokens })],
  ['POST', '/tokens', ({ body }) => (tokens.push({ id: `t${Date.now()}`, ...body, revoked: false }), { token: 'eyJhbGciOiJFUzI1NiJ9.mock.token', id: 't2' })],
  ['DELETE', '/tokens/:id', ({ id }) => void (tokens.find((t) => t.id === id).revoked = true)],
  ['GET', '/hosts', () => ({ hosts: process.env.EMPTY ? [] : world.hosts })],
  ['GET', '/hosts/:id', ({ id }) => world.hosts.find((h) => h.id === id)],
  ['DELETE', '/hosts/:id', ({ id }) => void world.hosts.splice(world.hosts.findIndex((h) => h.id === id), 1)],
  ['POST', '/enrolments', () => ({ token: 'h7Kq9.Zk3', command: 'atalaya-agent enroll --server https://atalaya.example.net:2001 --token h7Kq92LmPz.Zk3vT9f0aY4d8sQpLmNcXwE1r6uBhJ2gK5iOtyVeR7A && systemctl enable --now atalaya-agent', expires: new Date(Date.now() + 36e5).toISOString() })],
  ['GET', '/checks', () => ({ checks: world.checks })],
  ['POST', '/checks', ({ body }) => {
    const check = { id: `c${Date.now()}`, name: body.name || body.target, period: '10s', state: 'unknown', text: '', since: null, ...body };
    world.checks.push(check);
    setTimeout(() => Object.assign(check, { state: 'up', text: '200 OK, 12 ms', since: new Date().toISOString() }), 600);
    return check;
  }],
  ['DELETE', '/checks/:id', ({ id }) => void world.checks.splice(world.checks.findIndex((c) => c.id === id), 1)],
  ['GET', '/alerts', ({ q }) => {
    const isOpen = (a) => a.state !== 'resolved';
    const byState = (a) => (q.state === 'all' ? true : !q.state || q.state === 'open' ? isOpen(a) : a.state === q.state);
    return { alerts: world.alerts.filter((a) => byState(a) && (!q.severity || a.severity === q.severity) && (!q.host || a.labels.instance === q.host) && (!q.text || JSON.stringify(a).includes(q.text))) };
  }],
  ['GET', '/alerts/:id', ({ id }) => ({ ...alertOf(id), history: world.history(alertOf(id)), notifications: world.deliveries(alertOf(id)) })],
  ['POST', '/alerts/:id/ack', ({ id, body }) => changed(Object.assign(alertOf(id), { ack: { by: user.name, at: new Date().toISOString(), note: body.note } }))],
  ['DELETE', '/alerts/:id/ack', ({ id }) => changed(Object.assign(alertOf(id), { ack: null }))],
  ['GET', '/notifications', () => ({ notifications: [] })],
  ['GET', '/logs', ({ q }) => {
    let found = logsFor(q);
    if (q.to) found = found.filter((r) => r.time < new Date(q.to).toISOString());
    if (q.from) found = found.filter((r) => r.time >= new Date(q.from).toISOString());
    return { logs: found.slice(-Number(q.limit ?? 500)).reverse() };
  }],
  ['GET', '/logs/labels/:id/values', ({ id }) => ({ values: [...new Set(world.logs.map((r) => r.labels[id]).filter(Boolean))] })],
  ['GET', '/rules', () => ({
    rules: [
      { id: 'host/disk/filling', package: 'host', group: 'disk', name: 'filling', title: 'File system is filling', kind: 'gauge', expr: 'node_filesystem_avail_bytes / node_filesystem_size_bytes', state: 'critical', series: 27, file: 'host/disk.yaml', line: 4 },
      { id: 'host/load/high', package: 'host', group: 'load', name: 'high', title: 'Load is high', kind: 'gauge', expr: 'node_load1', state: 'ok', series: 9, file: 'host/load.yaml', line: 3 },
      { id: 'app/logs/errors', package: 'app', group: 'logs', name: 'errors', title: 'Errors in the log', kind: 'tailable', state: 'error', series: 0, error: 'pattern "(": missing )', file: 'app/logs.yaml', line: 9 },
    ],
  })],
  ['GET', '/channels', () => ({ channels: [{ id: 'ops/hook', type: 'webhook', target: 'https://hooks.example.net/atalaya' }, { id: 'ops/mail', type: 'email', target: 'oncall@example.net' }] })],
  ['POST', '/channels/:id/test', () => {
    setTimeout(() => broadcast('notifications', { notification: { id: `n${Date.now()}`, title: 'filling on storage1', text: '/srv/backups has 3.8 % left', severity: 'critical', state: 'firing', alert_id: world.alerts[0].id, at: new Date().toISOString() } }), 300);
    return {};
  }],
];

function changed(alert) {
  broadcast('alerts', { alert });
  return alert;
}

function answer(method, path, q, body) {
  if (path === '/api/v1/query_range') return queryRange(q);
  if (path === '/api/v1/query') {
    const t = Number(q.time ?? Date.now() / 1000);
    const vector = compile(q.query)(t, find);
    return { status: 'success', data: { resultType: 'vector', result: vector.map((e) => ({ metric: e.metric, value: [t, String(e.value)] })) } };
  }
  if (path === '/api/v1/label/__name__/values') return { status: 'success', data: [...new Set(world.series.map((s) => s.labels.__name__))].sort() };
  const own =
    alerting.answer(method, path, q, body, { Refusal, world, user, broadcast }) ?? dashboards.answer(method, path, q, body, { Refusal, world });
  if (own) return own.answer;
  for (const [verb, pattern, run] of packageRoutes) {
    const match = verb === method && path.startsWith(prefix) ? pattern.exec(path.slice(prefix.length)) : null;
    if (match) return run(match, q, body);
  }
  for (const [verb, pattern, run] of routes) {
    const match = new RegExp(`^${prefix}${pattern.replace(':id', '(.+?)')}$`).exec(path);
    if (match && verb === method) return run({ id: match[1] && decodeURIComponent(match[1]), q, body });
  }
  throw new Refusal(404, { errorType: 'not_found', error: `${method} ${path} is not known` });
}

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
function serveFile(path, response) {
  const file = join(dist, path === '/' ? 'index.html' : path);
  if (!existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  if (!url.pathname.startsWith('/api/')) return serveFile(url.pathname, response);
  let text = '';
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    setTimeout(() => {
      try {
        if (!request.headers.authorization && !/sign-in|link|refresh/.test(url.pathname) && !process.env.OPEN) {
          throw new Refusal(401, { errorType: 'unauthenticated', error: 'no token' });
        }
        const result = answer(request.method, url.pathname, Object.fromEntries(url.searchParams), text ? JSON.parse(text) : {});
        response.writeHead(result === undefined ? 204 : 200, { 'Content-Type': 'application/json' });
        response.end(result === undefined ? undefined : JSON.stringify(result));
      } catch (reason) {
        const body = reason.body ?? { status: 'error', errorType: 'internal', error: String(reason.stack) };
        response.writeHead(reason.status ?? 500, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
      }
    }, Number(process.env.DELAY ?? 0));
  });
});

function broadcast(topic, payload) {
  for (const socket of sockets) {
    for (const [id, sub] of socket.subs) if (sub.topic === topic) socket.send(JSON.stringify({ type: 'data', id, ...payload }));
  }
}

const wss = new WebSocketServer({ server });
wss.on('connection', (socket) => {
  socket.subs = new Map();
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    if (message.type === 'unsubscribe') return socket.subs.delete(message.id);
    try {
      if (message.topic === 'query') message.evaluate = parse(message.query);
      socket.subs.set(message.id, message);
      socket.send(JSON.stringify({ type: 'ready', id: message.id }));
    } catch (reason) {
      socket.send(JSON.stringify({ type: 'error', id: message.id, error: reason.message }));
    }
  });
});

setInterval(() => {
  const t = Math.floor(Date.now() / 1000);
  for (const socket of sockets) {
    for (const [id, sub] of socket.subs) {
      if (sub.topic !== 'query') continue;
      const vector = sub.evaluate(t, find);
      const result = typeof vector === 'number' ? [] : vector.map((e) => ({ metric: e.metric, value: String(e.value) }));
      if (result.length) socket.send(JSON.stringify({ type: 'data', id, time: t, result }));
    }
  }
}, 1000);

setInterval(() => {
  const record = world.logLine(Date.now() / 1000);
  world.logs.push(record);
  for (const socket of sockets) {
    for (const [id, sub] of socket.subs) {
      if (sub.topic === 'logs' && (!sub.text || record.line.includes(sub.text))) socket.send(JSON.stringify({ type: 'data', id, logs: [record] }));
    }
  }
}, 300);

server.listen(port, '127.0.0.1', () => console.log(`mock on http://127.0.0.1:${port}`));
