import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { root, Server, until } from './server';

interface Listed {
  id: string;
  title: string;
  state: string;
  owner?: string;
  ack?: { until?: string; note?: string };
  labels: { service?: string };
}

const folder = join(root, 'test-results', 'screens');
let browser: Browser;
let server: Server;
let visitor: Visitor;

const disk = (instance: string, severity = 'critical') => ({
  labels: { alertname: 'DiskFull', instance, service: instance.replace(/\d/, ''), severity },
  annotations: { summary: `the disk of ${instance} is full` },
});

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  [browser, server] = await Promise.all([launch(), Server.start()]);
  await server.postAlerts([disk('web1'), disk('db1', 'warning')]);
  await until(async () => (await all()).length >= 2, 'two incidents');
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const all = async (): Promise<Listed[]> => (await server.api<{ incidents: Listed[] }>('GET', '/incidents?state=all')).incidents;
const of = async (name: string): Promise<Listed> => (await all()).find(({ labels }) => labels.service === name)!;
const column = (name: string) => visitor.page.getByRole('region', { name, exact: true });
const cardOf = (id: string) => visitor.page.getByRole('link', { name: new RegExp(`^Incident ${id}:`) });

it('shows what goes on on a board, and moves what is acknowledged by keyboard', async () => {
  const { page } = visitor;
  const web = await of('web');
  await visitor.go('#/incidents');
  await column('Open').getByRole('link', { name: new RegExp(`^Incident ${web.id}:`) }).waitFor();
  // The critical one comes first.
  await page.keyboard.press('j');
  await page.keyboard.press('a');
  const dialog = page.getByRole('dialog', { name: 'Acknowledge' });
  await dialog.getByText('1 h', { exact: true }).click();
  await dialog.getByLabel(/Note/).fill('emptying it');
  await page.keyboard.press('Enter');
  await column('Acknowledged').getByRole('link', { name: new RegExp(`^Incident ${web.id}:`) }).getByText(/admin until .*emptying it/).waitFor();
  expect(await of('web')).toMatchObject({ state: 'acknowledged', owner: 'admin' });
  expect((await of('web')).ack).toMatchObject({ note: 'emptying it', until: expect.any(String) });
  await page.screenshot({ path: join(folder, 'incidents-board.png') });
});

it('filters by owner, severity, words and number in the address', async () => {
  const { page } = visitor;
  const [web, db] = [await of('web'), await of('db')];
  await visitor.go('#/incidents?owner=admin');
  await cardOf(web.id).waitFor();
  expect(await cardOf(db.id).count()).toBe(0);
  await page.getByLabel('Owner').selectOption('-');
  await cardOf(db.id).waitFor();
  expect(page.url()).toContain('owner=-');
  expect(await cardOf(web.id).count()).toBe(0);
  await visitor.go('#/incidents');
  await cardOf(web.id).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type(`#${db.id}`);
  await cardOf(db.id).waitFor();
  await until(async () => (await cardOf(web.id).count()) === 0, 'the filter');
  await visitor.go('#/incidents?by=owner');
  await column('Nobody').getByRole('link', { name: new RegExp(`^Incident ${db.id}:`) }).waitFor();
  await column('admin').getByRole('link', { name: new RegExp(`^Incident ${web.id}:`) }).waitFor();
});

it('tells of one what happened, as it happens', async () => {
  const { page } = visitor;
  const db = await of('db');
  await visitor.go(`#/incidents/${db.id}`);
  const detail = page.getByRole('article', { name: `Incident ${db.id}` });
  const line = (text: RegExp) => detail.getByRole('list', { name: 'Timeline' }).getByRole('listitem').filter({ hasText: text });
  await line(/Opened/).waitFor();
  await detail.getByRole('button', { name: 'Assign…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Assign' });
  await dialog.getByLabel('Owner').fill('luis');
  await dialog.getByRole('button', { name: 'Assign' }).click();
  await detail.getByText('owner luis').waitFor();
  await line(/Assigned.*admin.*to luis/s).waitFor();
  await detail.getByLabel('Add a note to the timeline').fill('the cache is cold');
  await page.keyboard.press('Enter');
  await line(/Note.*by admin.*the cache is cold/s).waitFor();
  await server.postAlerts([disk('db1', 'critical')]);
  await detail.getByText('Critical').first().waitFor();
  await page.screenshot({ path: join(folder, 'incident.png') });
});

it('is found by its number in the palette', async () => {
  const { page } = visitor;
  const web = await of('web');
  await visitor.go('#/overview');
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('textbox').or(page.getByRole('dialog').getByRole('combobox')).first().fill(`#${web.id}`);
  await page.getByText(`#${web.id} ${web.title}`).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('article', { name: `Incident ${web.id}` }).waitFor();
});

it('leads from the alert to its incident and back', async () => {
  const { page } = visitor;
  const web = await of('web');
  const { alerts } = await server.api<{ alerts: { id: string; labels: { instance?: string } }[] }>('GET', '/alerts');
  const alert = alerts.find(({ labels }) => labels.instance === 'web1')!;
  await visitor.go(`#/alerts/${alert.id}`);
  await page.getByRole('link', { name: `Incident #${web.id}` }).click();
  const detail = page.getByRole('article', { name: `Incident ${web.id}` });
  await detail.getByRole('list', { name: 'Alerts of the incident' }).getByRole('link').first().click();
  await page.getByRole('article').getByText('the disk of web1 is full').first().waitFor();
  expect(page.url()).toContain(`#/alerts/${alert.id}`);
});

it('closes several at once, chosen by keyboard', async () => {
  const { page } = visitor;
  await visitor.go('#/incidents');
  await cardOf((await of('db')).id).waitFor();
  for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
  await page.getByRole('toolbar', { name: 'Chosen incidents' }).getByText('2 incidents').waitFor();
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'Close: 2 incidents' });
  await dialog.getByLabel(/Note/).fill('false alarm');
  await page.keyboard.press('Enter');
  await column('Closed lately').getByRole('link', { name: /^Incident/ }).nth(1).waitFor();
  await visitor.see('Nothing waits for anybody');
  expect((await all()).every(({ state }) => state === 'closed')).toBe(true);
});

it('merges one into another, chosen by its number', async () => {
  const { page } = visitor;
  await server.postAlerts([disk('mail1'), disk('cache1', 'warning')]);
  await until(async () => (await all()).filter(({ labels }) => ['mail', 'cache'].includes(labels.service ?? '')).length === 2, 'two more incidents');
  const [mail, cache] = [await of('mail'), await of('cache')];
  await visitor.go(`#/incidents/${cache.id}`);
  await page.getByRole('button', { name: 'Merge…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Merge' });
  expect(await dialog.getByRole('button', { name: /^Merge/ }).isEnabled()).toBe(false);
  await dialog.getByLabel('Goes on in incident').fill(`#${mail.id}`);
  await dialog.getByLabel(/Note/).fill('one disk array');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: `incident #${mail.id}` }).click();
  await page.getByText(new RegExp(`incident ${cache.id}: .*one disk array`)).waitFor();
  expect(await of('cache')).toMatchObject({ state: 'closed', merged_into: mail.id });
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
