import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, Visitor, type Look } from './browser';
import { colours } from './picture';
import { root, Server, until } from './server';

const folder = join(root, 'test-results', 'screens');
const password = 'a watchtower at night';
const looks: (Look & { name: string })[] = [
  { name: 'dark-1280', theme: 'dark', width: 1280, height: 800 },
  { name: 'light-1280', theme: 'light', width: 1280, height: 800 },
  { name: 'dark-390', theme: 'dark', width: 390, height: 844 },
  { name: 'light-390', theme: 'light', width: 390, height: 844 },
];

let browser: Browser;
let server: Server;
let areas: { name: string; address: string; ready: string | RegExp }[] = [];

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  [browser, server] = await Promise.all([launch(), Server.start()]);
  const host = await server.hostName();
  await prepare();
  const { id: silence } = await server.api<{ id: string }>('POST', '/silences', {
    matchers: 'instance=~"web1|web9", severity="critical"',
    for: '4h',
    comment: 'new disks',
  });
  const { alerts } = await server.api<{ alerts: { id: string; name: string }[] }>('GET', '/alerts');
  const alert = alerts.find((candidate) => candidate.name === 'booted')!;
  const { incidents } = await server.api<{ incidents: { id: string; title: string }[] }>('GET', '/incidents');
  const [incident] = incidents;
  areas = [
    { name: 'overview', address: '#/overview', ready: host },
    { name: 'host', address: `#/hosts/${encodeURIComponent(host)}`, ready: 'Memory' },
    { name: 'hosts', address: '#/hosts', ready: host },
    { name: 'checks', address: '#/hosts?tab=checks', ready: 'status 200' },
    { name: 'alerts', address: '#/alerts', ready: 'The machine has been started' },
    { name: 'alert', address: `#/alerts/${alert.id}`, ready: 'History' },
    { name: 'incidents', address: '#/incidents', ready: incident!.title },
    { name: 'incident', address: `#/incidents/${incident!.id}`, ready: 'Timeline' },
    { name: 'silences', address: `#/silences/${silence}`, ready: 'new disks' },
    { name: 'silence', address: '#/silences?new=1&match=team%3D%22web%22', ready: 'Hides 2 alerts' },
    { name: 'routes', address: `#/routes?alert=${alert.id}`, ready: 'would be told' },
    { name: 'logs', address: '#/logs', ready: /ship sighted/ },
    { name: 'explore', address: `#/explore?q=${encodeURIComponent('node_load1\n\nrate(node_cpu_seconds_total[10s])')}`, ready: '1 series now' },
    { name: 'rules', address: '#/rules', ready: 'The machine has been started' },
    { name: 'rule', address: '#/rules/threshold/tower/test/booted', ready: 'would have fired' },
    { name: 'dashboards', address: '#/dashboards', ready: 'One machine' },
    { name: 'dashboard', address: '#/dashboards/host/machines/machine', ready: 'Processors in use' },
    { name: 'sensors', address: '#/sensors', ready: /^\d.* %$/ },
    { name: 'sensor', address: `#/sensors/sensor/${await sensorId()}`, ready: 'Aggregators' },
    { name: 'packages', address: '#/packages', ready: 'shipped' },
    { name: 'package', address: '#/packages/tower', ready: 'The machine has been started' },
    { name: 'item', address: '#/packages/tower/rules/test/booted', ready: 'What is judged' },
    { name: 'account', address: '#/settings/account', ready: 'Who you are' },
    { name: 'notifications', address: '#/settings/notifications', ready: 'every open browser' },
    { name: 'users', address: '#/settings/users', ready: 'People of the tenant' },
    { name: 'tokens', address: '#/settings/tokens', ready: 'New token' },
  ];
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

/** A little world: an alert, a check, log lines, a user to sign in as. */
async function prepare(): Promise<void> {
  const file = join(server.folder, 'app.log');
  writeFileSync(file, '');
  server.writePackage(
    'tower',
    `package: tower
version: 1.0.0
rules:
  test:
    booted:
      title: The machine has been started
      gauge: {expr: 'node_boot_time_seconds', above: {warning: 1}}
      annotations: {summary: '{{ $labels.instance }} runs'}
computes:
  test:
    here: {hostname: '${await server.hostName()}'}
sensors:
  test:
    load:
      title: Load of the tower
      mixins: ['http://example.com/occi/monitoring/aggregator#EWMA', 'http://example.com/occi/monitoring/publisher#Store']
      attributes:
        com.example.occi.monitoring.EWMA.instream: a
        com.example.occi.monitoring.EWMA.outstream: b
        com.example.occi.monitoring.Store.input: a,b
        com.example.occi.monitoring.Store.metric: tower_load
collectors:
  files:
    app: {log: {path: '${file}'}, on: '*'}
  test:
    feed:
      source: test/load
      target: test/here
      period: 1s
      mixins: ['http://example.com/occi/monitoring/metric#CPUPercent']
      attributes: {com.example.occi.monitoring.CPUPercent.out: a}
`,
  );
  await server.postAlerts(
    ['web1', 'web2'].map((instance) => ({
      labels: { alertname: 'DiskFull', instance, team: 'web', severity: 'critical' },
      annotations: { summary: `the disk of ${instance} is full` },
    })),
  );
  await server.api('POST', '/users', { name: 'ana', role: 'admin', password });
  await server.api('POST', '/checks', { type: 'http', target: `${server.url}/-/healthy`, period: '1s' });
  await until(async () => {
    appendFileSync(file, `INFO ship sighted off the cape\n`);
    return (await server.api<{ logs: unknown[] }>('GET', '/logs?text=ship')).logs.length > 3;
  }, 'lines of the file');
  await until(async () => {
    const { alerts } = await server.api<{ alerts: { name: string }[] }>('GET', '/alerts');
    return alerts.some((alert) => alert.name === 'booted');
  }, 'the alert');
}

async function sensorId(): Promise<string> {
  const answer = await until(async () => (await server.call('GET', '/occi/sensor/')) as { resources?: { id: string }[] }, 'sensors');
  return answer.resources![0]!.id.replace('urn:uuid:', '');
}

describe.each(looks)('in $name', (look) => {
  it('draws every area: not blank, not wider than the window, without a fault', async () => {
    const visitor = await Visitor.open(browser, server, look);
    await visitor.signIn('ana', password);
    for (const area of areas) {
      await visitor.go(area.address);
      await visitor.page.locator('main').getByText(area.ready).first().waitFor();
      if (area.name === 'overview' || area.name === 'host') await visitor.moves('main canvas');
      const png = await visitor.page.screenshot({ path: join(folder, `${area.name}-${look.name}.png`) });
      expect(colours(png), `colours of ${area.name}`).toBeGreaterThan(20);
      const wider = await visitor.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wider, `${area.name} is wider than the window`).toBeLessThanOrEqual(0);
    }
    await visitor.close();
  });
});

if (process.env.ATALAYA_SCREENSHOT === '1') {
  it('takes the picture of the README', async () => {
    const fresh = await Server.start();
    try {
      const host = await fresh.hostName();
      await until(async () => (await fresh.query('count_over_time(up{job="node"}[1m])')) >= 58, 'a minute of samples');
      const visitor = await Visitor.open(browser, fresh, { theme: 'dark', width: 1280, height: 800 });
      await visitor.signInByLink();
      await visitor.go(`#/hosts/${encodeURIComponent(host)}?range=1m`);
      await visitor.moves('main canvas');
      await visitor.page.screenshot({ path: join(root, 'docs', 'screenshot.png') });
      await visitor.close();
    } finally {
      await fresh.dispose();
    }
  });
}
