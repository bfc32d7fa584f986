import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { root, Server } from './server';

const folder = join(root, 'test-results', 'screens');
const routing = (more = ''): string => `package: ops
version: 1.0.0
alertmanager:
  route:
    receiver: everyone
    group_by: [cluster]
    routes:
    - {matchers: [severity="critical"], receiver: on-call, group_wait: 0s, continue: true}
    - {matchers: [team="db"], receiver: dba, mute_time_intervals: [always]}
${more}
  receivers:
  - name: everyone
    webhook_configs: [{url: 'http://user:hunter2@127.0.0.1:9/all'}]
  - {name: on-call, webhook_configs: [{url: 'http://127.0.0.1:9/page'}]}
  - {name: dba}
  inhibit_rules:
  - {source_matchers: [alertname="ClusterDown"], target_matchers: [alertname="DiskFull"], equal: [cluster]}
  time_intervals:
  - {name: always, time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}
`;

let browser: Browser;
let server: Server;
let visitor: Visitor;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  [browser, server] = await Promise.all([launch(), Server.start()]);
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const route = (name: string) => visitor.page.getByRole('listitem', { name: `Route ${name}`, exact: true });
const ask = () => visitor.page.getByRole('region', { name: 'Who would get this?' });

it('tells how to configure routing where nothing is', async () => {
  const { page } = visitor;
  await visitor.go('#/alerts');
  await page.getByRole('link', { name: 'Routes' }).click();
  await visitor.see('Nothing is configured.');
  await page.getByRole('region', { name: 'How to configure' }).getByText('group_by: [alertname, instance]').waitFor();
  await page.screenshot({ path: join(folder, 'routes-built-in.png') });
  const shown = await page.getByRole('region', { name: 'How to configure' }).locator('.command code').innerText();
  server.writePackage('pasted', `package: pasted\nversion: 1.0.0\n${shown}`);
  await page.getByRole('link', { name: 'package pasted' }).waitFor();
  await route('severity="critical"').getByText('on-call').waitFor();
});

it('shows a new configuration by itself, with the alerts that each route has', async () => {
  const { page } = visitor;
  server.writePackage('ops', routing());
  await page.getByRole('link', { name: 'package ops' }).waitFor();
  // The first by name acts.
  await page.getByText('Does not act:').waitFor();
  await route('team="db"').getByText('dba').waitFor();
  await route('severity="critical"').getByText('on-call').waitFor();
  const labels = { alertname: 'DiskFull', cluster: 'c1', team: 'db', instance: 'db1', severity: 'critical' };
  await server.postAlerts([{ labels }, { labels: { alertname: 'Slow', cluster: 'c1', severity: 'warning' } }]);
  await route('severity="critical"').getByText('1 alert', { exact: true }).waitFor();
  await route('team="db"').getByText('muted now: always').waitFor();
  await page.getByRole('region', { name: 'Inhibitions' }).getByText('of the same cluster').waitFor();
  await page.getByRole('region', { name: 'Receivers' }).getByText('webhook').first().waitFor();
  expect(await page.content()).not.toContain('hunter2');
  server.writePackage('ops', routing('    - {matchers: [team="net"], receiver: everyone}'));
  await route('team="net"').getByText('no alert').waitFor();
});

it('follows labels through the tree to receivers and groups', async () => {
  const { page } = visitor;
  // Labels that are half written are none.
  visitor.expected.push(/status of 400.*routes\/test/);
  await page.keyboard.press('/');
  await page.keyboard.type('team=db, cluster=c9');
  await ask().getByText('Nobody would be told now').waitFor();
  await ask().getByRole('list', { name: 'Receivers' }).getByText('by always').waitFor();
  await ask().getByText('{}/{team="db"}:{cluster="c9"}').waitFor();
  await route('severity="critical"').getByText('does not match').waitFor();
  await route('team="net"').getByText('not asked').waitFor();
  await page.getByLabel('Labels of an alert').fill('team=db, severity=critical');
  await ask().getByText('on-call would be told').waitFor();
  expect(decodeURIComponent(page.url())).toContain('labels=team=db,+severity=critical');
  await page.getByLabel('Labels of an alert').fill('team=~db');
  await ask().getByRole('alert').getByText(/is no label/).waitFor();
});

it('says what keeps an open alert quiet, as soon as it does', async () => {
  const { page } = visitor;
  const { alerts } = await server.api<{ alerts: { id: string; name: string }[] }>('GET', '/alerts');
  const disk = alerts.find(({ name }) => name === 'DiskFull')!;
  await visitor.go(`#/alerts/${disk.id}`);
  await page.getByRole('link', { name: 'Who is told?' }).click();
  await ask().getByText('on-call would be told').waitFor();
  await server.postAlerts([{ labels: { alertname: 'ClusterDown', cluster: 'c1' } }]);
  await ask().getByRole('list', { name: 'What keeps it quiet' }).getByRole('link', { name: 'ClusterDown' }).waitFor();
  await server.api('POST', '/silences', { matchers: 'instance="db1"', for: '1h', comment: 'new disks' });
  await ask().getByRole('link', { name: 'new disks' }).waitFor();
  await page.screenshot({ path: join(folder, 'routes.png'), fullPage: true });
});

it('hears of a silence from the server, also where nothing is asked now and then', async () => {
  const { page } = visitor;
  await page.addInitScript(() => {
    const real = window.setInterval.bind(window);
    window.setInterval = ((run: TimerHandler, wait?: number) => (wait && wait >= 10_000 ? 0 : real(run, wait))) as typeof window.setInterval;
  });
  await visitor.go('#/silences');
  await page.reload();
  await page.getByRole('listitem').filter({ hasText: 'new disks' }).waitFor();
  await server.api('POST', '/silences', { matchers: 'instance="db2"', for: '1h', comment: 'said elsewhere' });
  await page.getByRole('listitem').filter({ hasText: 'said elsewhere' }).waitFor();
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
