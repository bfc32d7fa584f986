import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { root, Server, until } from './server';

const run = promisify(execFile);
const folder = join(root, 'test-results', 'screens');
const password = 'a watchtower at night';
let browser: Browser;
let server: Server;
let visitor: Visitor;
let host = '';

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  [browser, server] = await Promise.all([launch(), Server.start()]);
  host = await server.hostName();
  visitor = await Visitor.open(browser, server, { width: 1440, height: 900 });
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const picture = () => visitor.page.getByRole('group', { name: 'Picture of the sensors' });
const dialog = () => visitor.page.getByRole('dialog');
const detail = () => visitor.page.getByRole('article');
const button = (name: string) => visitor.page.getByRole('button', { name, exact: true });

interface Listed {
  resources?: { id: string }[];
  links?: { id: string }[];
}
const list = (kind: string): Promise<Listed> => server.call<Listed>('GET', `/occi/${kind}/`);

async function middle(what: Locator): Promise<[number, number]> {
  const box = (await what.boundingBox())!;
  return [box.x + box.width / 2, box.y + box.height / 2];
}

it('says what to do where nothing is', async () => {
  await visitor.go('#/sensors');
  await visitor.see('Monitoring on demand');
  await visitor.see('atalaya demo occi');
  await visitor.page.screenshot({ path: join(folder, 'sensors-empty.png') });
});

it('makes a resource and a sensor by forms that discovery describes', async () => {
  const { page } = visitor;
  await button('Resource').click();
  expect(await dialog().getByLabel('hostname').inputValue()).toBe(host);
  await dialog().getByRole('button', { name: 'Create' }).click();
  await detail().getByRole('heading', { name: host }).waitFor();
  await button('Sensor').first().click();
  await dialog().getByLabel('Title').fill('Load <b>of</b> all');
  await dialog().getByLabel('Add an aggregator').selectOption({ label: 'EWMA – Exponentially weighted moving average' });
  await dialog().getByLabel('Add a publisher').selectOption({ index: 2 });
  await dialog().getByRole('button', { name: 'Create' }).click();
  await dialog().getByRole('alert').getByText('Log.filename').waitFor();
  await dialog().getByRole('region', { name: 'Log' }).getByLabel('filename').fill('load.log');
  await dialog().getByLabel('outstream').fill('a');
  await dialog().getByRole('button', { name: 'Create' }).click();
  // What discovery does not say the server does.
  visitor.expected.push(/status of 400.*occi\/sensor/);
  await dialog().getByRole('alert').getByText(/circle/).waitFor();
  await dialog().getByLabel('outstream').fill('b');
  await dialog().getByText('"com.example.occi.monitoring.EWMA.instream": "a"').waitFor();
  await dialog().getByRole('button', { name: 'Create' }).click();
  await detail().getByRole('heading', { name: 'Load <b>of</b> all' }).waitFor();
  await picture().getByText('nothing feeds a').waitFor();
  await page.screenshot({ path: join(folder, 'sensors-new.png') });
});

it('draws a wire from the resource to the sensor, which makes a collector, and shows its values', async () => {
  const { page } = visitor;
  await page.mouse.move(...(await middle(picture().getByRole('link', { name: `compute ${host}` }))));
  await page.mouse.down();
  const to = await middle(picture().getByRole('link', { name: /^Sensor Load/ }));
  await page.mouse.move(to[0] - 80, to[1], { steps: 6 });
  await page.mouse.move(...to, { steps: 6 });
  await page.mouse.up();
  await dialog().getByLabel('Measured').waitFor();
  await dialog().getByLabel('Add a metric').selectOption({ label: 'CPUPercent – Processor time in use' });
  expect(await dialog().getByRole('region', { name: 'CPUPercent' }).getByLabel('out').inputValue()).toBe('a');
  await dialog().getByLabel('period').fill('1');
  await dialog().getByRole('button', { name: 'Create' }).click();
  await dialog().waitFor({ state: 'detached' });
  // The value that is measured, and the average that is published.
  await picture().getByRole('link', { name: /^CPUPercent of .*: \d.* %$/ }).waitFor();
  await picture().getByRole('link', { name: /^stream b to Log: \d.* %$/ }).waitFor();
  await until(() => /^\S+ b\{.*\} \d/m.test(readFileSync(join(server.data, 'publish/default/load.log'), 'utf8')), 'the published lines');
  await page.screenshot({ path: join(folder, 'sensors.png') });
});

it('says by curl what a click does, and the command does it', async () => {
  const { page } = visitor;
  await picture().getByRole('link', { name: /^Sensor Load/ }).click();
  await detail().getByText('The same by curl').click();
  const stop = detail().getByRole('figure').filter({ hasText: 'Run it no more' }).locator('code');
  await run('/bin/sh', ['-c', `${await stop.innerText()} --fail --silent`], { env: { ...process.env, TOKEN: await server.makeToken('operator') } });
  await detail().getByText('inactive').first().waitFor();
  await button('Start').click();
  await button('Stop').waitFor();
  await page.getByText('The same by curl').last().click();
  await page.getByText('?action=start').first().waitFor();
});

it('shows what fails where it fails', async () => {
  const { page } = visitor;
  const [sensor, compute] = [(await list('sensor')).resources![0]!, (await list('compute')).resources![0]!];
  await server.call('POST', '/occi/collector/', {
    kind: 'http://schemas.ogf.org/occi/monitoring#collector',
    mixins: ['http://example.com/occi/monitoring/metric#DiskPercent'],
    attributes: { 'com.example.occi.monitoring.DiskPercent.out': 'a', 'com.example.occi.monitoring.DiskPercent.mountpoint': '/no/such/place', 'occi.collector.period': 1 },
    source: sensor.id,
    target: compute.id,
  });
  const wire = picture().getByRole('link', { name: /^DiskPercent .*no\/such\/place/ });
  await wire.waitFor();
  await visitor.go('#/sensors?state=error');
  await wire.waitFor();
  await wire.dispatchEvent('click');
  await detail().getByText(/no\/such\/place/).first().waitFor();
  await button('Delete…').click();
  await dialog().getByRole('button', { name: 'Delete' }).click();
  await visitor.see('No sensor fits');
  await page.getByRole('link', { name: 'Show all 1' }).click();
});

it('changes by form, wires and stops by keyboard, and deletes', async () => {
  const { page } = visitor;
  await picture().getByRole('link', { name: `compute ${host}` }).focus();
  await page.keyboard.press('w');
  await visitor.see(/choose a sensor with the arrows/);
  await page.keyboard.press('Enter');
  await dialog().getByLabel('Measured').waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  await picture().getByRole('link', { name: `compute ${host}` }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await detail().getByRole('heading', { name: 'Load <b>of</b> all' }).waitFor();
  await page.keyboard.press('e');
  await dialog().getByLabel('gain').fill('4');
  await dialog().getByLabel('Title').fill('Load');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await detail().getByText('gain 4').waitFor();
  await button('Stop').click();
  await button('Start').waitFor();
  await detail().getByText('inactive').first().waitFor();
  await button('Delete…').click();
  await dialog().getByText('1 collector goes with it').waitFor();
  await dialog().getByRole('button', { name: 'Delete' }).click();
  await visitor.see('No sensor yet');
  expect(await list('sensor')).toEqual({});
  expect(await list('collector')).toEqual({});
});

it('only shows to those who may only look, also on a phone', async () => {
  const own = 'com.example.occi.monitoring.Log.';
  for (let i = 0; i < 25; i += 1) {
    await server.call('PUT', `/occi/sensor/s${i}`, {
      kind: 'http://schemas.ogf.org/occi/monitoring#sensor',
      title: `Sensor ${i}`,
      mixins: ['http://example.com/occi/monitoring/publisher#Log'],
      attributes: { [`${own}in_msg`]: 'a', [`${own}filename`]: `${i}.log` },
    });
  }
  await server.api('POST', '/users', { name: 'eve', role: 'viewer', password });
  const viewer = await Visitor.open(browser, server, { width: 390, height: 844, theme: 'light' });
  await viewer.signIn('eve', password);
  await viewer.go('#/sensors');
  await viewer.see('Sensor 0');
  await viewer.see(/1 of 2/);
  expect(await viewer.page.getByRole('button', { name: 'Sensor', exact: true }).count()).toBe(0);
  const beyond = await viewer.page.evaluate(() => [document.documentElement.scrollWidth - window.innerWidth, document.documentElement.scrollHeight - window.innerHeight]);
  expect(Math.max(...beyond), 'pixels beyond the window').toBeLessThanOrEqual(0);
  await viewer.page.screenshot({ path: join(folder, 'sensors-phone.png') });
  await viewer.page.getByLabel('Filter sensors').fill('sensor 24');
  await viewer.page.getByRole('link', { name: /Sensor 24/ }).click();
  await viewer.see('changing it takes the role operator');
  expect(await viewer.page.getByRole('button', { name: 'Stop', exact: true }).isDisabled()).toBe(true);
  await viewer.close();
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
