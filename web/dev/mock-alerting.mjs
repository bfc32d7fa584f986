// Routing and incidents for the development server: a tree, questions to it, incidents made of the world's alerts.

const route = (id, matchers, receiver, more = {}, routes = []) => ({
  id, matchers, receiver, continue: false, group_by: ['alertname', 'instance'], group_wait: '30s', group_interval: '5m', repeat_interval: '4h',
  active_time_intervals: [], mute_time_intervals: [], muted_by: [], alerts: 0, told: 0, routes, ...more,
});
const tree = route('{}', [], 'team-mail', {}, [
  route('{}/{severity="critical"}/0', ['severity="critical"'], 'on-call', { continue: true, group_wait: '0s', repeat_interval: '1h' }),
  route('{}/{team="storage"}/1', ['team="storage"'], 'storage', { group_by: ['...'], mute_time_intervals: ['nights'], muted_by: ['nights'] }, [
    route('{}/{team="storage"}/1/{mountpoint=~".*backup.*"}/0', ['mountpoint=~".*backup.*"', 'team!="test"'], 'backup-team-with-a-long-name', { active_time_intervals: ['office'], mute_time_intervals: [] }),
  ]),
  route('{}/{instance=~"db.*"}/2', ['instance=~"db.*"'], 'dba', { group_wait: '10s' }),
]);
const integration = (type, target, more = {}) => ({ type, target, send_resolved: true, carried_out: true, ...more });
const routes = {
  built_in: false, file: '/data/packages/default/ops/package.yaml', package: 'ops', idle_packages: ['old-ops'], resolve_timeout: '5m', open: 5, route: tree,
  warnings: [{ message: 'receiver "dba": pushover is not carried out here' }],
  receivers: [
    { name: 'backup-team-with-a-long-name', integrations: [integration('email', 'backup@example.net')] },
    { name: 'dba', integrations: [integration('slack', 'hooks.slack.com'), integration('pushover', '', { carried_out: false })] },
    { name: 'on-call', integrations: [integration('pagerduty', 'events.pagerduty.com'), integration('webhook', 'pager.example.net', { send_resolved: false })] },
    { name: 'storage', integrations: [] },
    { name: 'team-mail', integrations: [integration('email', 'team@example.net, night@example.net')] },
  ],
  inhibit_rules: [
    { source: ['alertname="host_silent"'], target: ['severity!=""'], equal: ['instance'] },
    { name: 'cluster', source: ['severity="critical"'], target: ['severity="warning"'], equal: ['alertname', 'cluster'] },
  ],
  time_intervals: [
    { name: 'nights', within: true, times: ['22:00–24:00 Europe/Madrid', '00:00–06:00 Europe/Madrid'] },
    { name: 'office', within: false, times: ['Monday to Friday, 09:00–17:00 Europe/Madrid'] },
  ],
};

function meets(labels, text) {
  const [, name, op, value] = /^(\w+)(=~|!=|!~|=)"(.*)"$/.exec(text);
  const has = op.includes('~') ? new RegExp(`^(?:${value})$`).test(labels[name] ?? '') : (labels[name] ?? '') === value;
  return op.startsWith('!') ? !has : has;
}
function trace(node, labels, visit) {
  const refuses = node.matchers.find((text) => !meets(labels, text));
  const seen = { route: node.id, takes: !refuses, ends: !refuses, ...(refuses ? { refuses } : {}) };
  visit(seen, node);
  if (refuses) return false;
  for (const below of node.routes) {
    const taken = trace(below, labels, visit);
    if (taken) seen.ends = false;
    if (taken && !below.continue) break;
  }
  return true;
}
const seenLabels = (alert) => ({ ...alert.labels, severity: alert.severity });

function counted(open) {
  const visits = open.flatMap((alert) => {
    const found = [];
    trace(tree, seenLabels(alert), (visit) => found.push(visit));
    return found;
  });
  const count = (node) => {
    const own = visits.filter((visit) => visit.route === node.id);
    return { ...node, alerts: own.filter(({ takes }) => takes).length, told: own.filter(({ ends }) => ends).length, routes: node.routes.map(count) };
  };
  return { ...routes, open: open.length, route: count(tree) };
}

function test(body, open, Refusal) {
  const alert = open.find(({ id }) => id === body.alert);
  const labels = alert ? seenLabels(alert) : Object.fromEntries([...(body.text ?? '').matchAll(/(\w+)=(?:"([^"]*)"|([^\s,"]+))/g)].map(([, name, a, b]) => [name, a ?? b]));
  if (/=~|!/.test(body.text ?? '')) throw new Refusal(400, { errorType: 'bad_data', error: `text: {${body.text}} is no label`, remedy: 'write labels as name=value' });
  const path = [];
  const told = [];
  trace(tree, labels, (visit, node) => path.push(visit) && told.push({ visit, node }));
  const ends = told.filter(({ visit }) => visit.ends).map(({ node }) => ({
    route: node.id, receiver: node.receiver, group_labels: {}, group_key: `{}/{${node.matchers.join(',')}}:{alertname="${labels.alertname ?? ''}"}`,
    group_wait: node.group_wait, group_interval: node.group_interval, repeat_interval: node.repeat_interval, muted_by: node.muted_by,
  }));
  const inhibited = labels.instance === 'edge-mad-01' && labels.alertname !== 'host_silent' ? [{ labels: { alertname: 'host_silent', instance: 'edge-mad-01' }, alert: 'a4b2c3d4e5f60718', rule: 0 }] : [];
  return { labels, ...(alert ? { alert } : {}), path, routes: ends, receivers: ends.map(({ receiver }) => receiver), muted: inhibited.length > 0, silences: [], inhibited_by: inhibited };
}

const iso = (ago) => new Date(Date.now() - ago * 1000).toISOString();
let incidents;

function make(world) {
  const at = (id, title, members, more = {}) => {
    const alerts = members.map((one, i) => ({ ...one, incident: id, joined: one.started, joined_by: i === 0 ? 'first' : i === 1 ? 'group' : 'topology', in_incident: one.state !== 'resolved' }));
    const severity = alerts.some((one) => one.severity === 'critical') ? 'critical' : 'warning';
    const open = alerts.filter(({ state }) => state !== 'resolved');
    const opened = alerts[0].started;
    return {
      id, title, state: 'open', severity, worst: severity, trend: 'no_change', opened, updated: iso(3), reopened: 0, labels: { instance: alerts[0].labels.instance },
      cause: { alert: alerts[0].id, name: alerts[0].name, text: alerts[0].text },
      counts: { open: open.length, critical: open.filter((one) => one.severity === 'critical').length, warning: open.filter((one) => one.severity === 'warning').length, no_data: 0, unknown: 0, total: alerts.length },
      ...more,
      alerts,
      series: alerts.filter(({ expr }) => expr).map(({ id: alert, name, expr, labels }) => ({ alert, name, expr, labels })),
      timeline: [
        { at: opened, kind: 'opened', text: title, severity },
        ...alerts.flatMap((one) => world.history(one).map((line) => ({ ...line, kind: 'alert', alert: { id: one.id, name: one.name, labels: one.labels } }))),
        { at: iso(250), kind: 'notification', text: 'answered 200', notification: { id: 'n1', channel: 'on-call/webhook', type: 'webhook', state: 'sent' } },
        { at: iso(240), kind: 'notification', text: 'connect to mail:587: connection refused', notification: { id: 'n2', channel: 'team-mail/email', type: 'email', state: 'retrying' } },
        ...(more.ack ? [{ at: more.ack.at, kind: 'acknowledged', by: more.ack.by, text: more.ack.note }] : []),
        ...(more.closed ? [{ at: more.closed, kind: 'closed', text: 'all of its alerts are over' }] : []),
      ],
    };
  };
  const [filling, memory, check, silent, load, lines] = world.alerts;
  const list = [
    at('42', 'File system is filling: storage1', [filling]),
    at('43', 'db1: memory and a check', [memory, check], { state: 'acknowledged', owner: 'ana', ack: { by: 'ana', at: iso(100), until: iso(-7200), note: 'restarting it, the new kernel leaks' } }),
    at('44', 'edge-mad-01 sends nothing', [silent, load], { trend: 'more_severe', severity_before: 'warning', owner: 'luis', reopened: 1, counts: { open: 2, critical: 1, warning: 0, no_data: 1, unknown: 1, total: 4 } }),
    at('41', 'Errors in the log of web1, many words to see where a title that is much too long for its column ends', [lines], { state: 'closed', severity: 'warning', closed: lines.resolved ?? iso(400) }),
  ];
  for (let i = 0; i < Number(process.env.INCIDENTS ?? 0); i += 1) list.push(at(String(100 + i), `Load is high: node-${i}`, [load], { state: i % 3 ? 'open' : 'acknowledged', owner: i % 2 ? 'ana' : 'luis' }));
  return list;
}

const brief = ({ alerts, series, timeline, ...incident }) => incident;

/** What this part of the API answers; undefined for the rest. */
export function answer(method, path, q, body, { Refusal, world, user, broadcast }) {
  const own = path.slice('/api/atalaya/v1'.length);
  incidents ??= make(world);
  const open = world.alerts.filter(({ state }) => state !== 'resolved');
  if (method === 'GET' && own === '/silences') return { answer: { silences: [] } };
  if (method === 'GET' && own === '/routes') return { answer: counted(open) };
  if (method === 'POST' && own === '/routes/test') return { answer: test(body, open, Refusal) };
  if (method === 'GET' && own === '/incidents') {
    const fits = ({ state }) => q.state === 'all' || ((q.state ?? 'active') === 'active' ? state !== 'closed' : state === q.state);
    return { answer: { incidents: incidents.filter(fits).map(brief), counts: { open: 2, acknowledged: 1 } } };
  }
  const [, id, verb] = /^\/incidents\/(\d+)(?:\/(\w+))?$/.exec(own) ?? [];
  if (!id) return undefined;
  const one = incidents.find((incident) => incident.id === id);
  if (!one) throw new Refusal(404, { errorType: 'not_found', error: `there is no incident ${id}` });
  if (method === 'GET') return { answer: one };
  const now = new Date().toISOString();
  const say = (kind, text) => one.timeline.push({ at: now, kind, by: user.name, text: text ?? '' });
  if (verb === 'ack' && method === 'POST') Object.assign(one, { state: 'acknowledged', owner: body.owner ?? user.name, ack: { by: user.name, at: now, ...body } }), say('acknowledged', body.note);
  if (verb === 'ack' && method === 'DELETE') delete one.ack, (one.state = 'open'), say('unacknowledged');
  if (verb === 'assign') (one.owner = body.owner || undefined), say('assigned', body.owner || 'nobody');
  if (verb === 'close') Object.assign(one, { state: 'closed', closed: now, closed_by: { by: user.name, at: now, note: body.note } }), say('closed', body.note);
  if (verb === 'notes') say('note', body.text);
  one.updated = now;
  broadcast('incidents', { incident: brief(one) });
  return { answer: one };
}
