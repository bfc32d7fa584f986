import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server, until } from './server';

interface Listed {
  id: string;
  labels: Record<string, string>;
  status: string;
  ack?: { note: string; until?: string };
  silenced_by: string[];
}

let browser: Browser;
let server: Server;
let visitor: Visitor;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  const disks = ['web1', 'web2', 'db1'].map((instance) => ({
    labels: { alertname: 'DiskFull', instance, team: instance.startsWith('db') ? 'db' : 'web', severity: 'critical' },
    annotations: { summary: `the disk of ${instance} is full` },
  }));
  await server.postAlerts([...disks, { labels: { alertname: 'Slow', instance: 'web1', team: 'web', severity: 'warning' } }]);
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const rowOf = (text: RegExp) => visitor.page.getByRole('listitem').filter({ hasText: text });
const open = async (): Promise<Listed[]> => (await server.api<{ alerts: Listed[] }>('GET', '/alerts')).alerts;
const pick = async (name: RegExp): Promise<void> => visitor.page.getByRole('checkbox', { name }).click();

it('takes label=value and label=~expression out of the filter line into the address', async () => {
  const { page } = visitor;
  await visitor.go('#/alerts');
  await rowOf(/Slow/).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('disk team=web');
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: 'Matchers' }).getByText('web', { exact: true }).waitFor();
  await rowOf(/DiskFull.*web2/s).waitFor();
  expect(await page.getByRole('list', { name: 'Open alerts' }).getByRole('listitem').count()).toBe(2);
  expect(decodeURIComponent(page.url())).toMatch(/\?text=disk&match=team="web"$/);
  await visitor.go(`#/alerts?match=${encodeURIComponent('instance=~"web.",severity!="critical"')}`);
  await rowOf(/Slow/).waitFor();
  expect(await page.getByRole('list', { name: 'Open alerts' }).getByRole('listitem').count()).toBe(1);
});

it('acknowledges several at once for an hour, chosen by keyboard', async () => {
  const { page } = visitor;
  await visitor.go('#/alerts?text=disk+web');
  await rowOf(/web2/).waitFor();
  for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
  await page.getByRole('toolbar', { name: 'Chosen alerts' }).getByText('2 alerts').waitFor();
  await page.keyboard.press('a');
  const dialog = page.getByRole('dialog', { name: 'Acknowledge: 2 alerts' });
  await dialog.getByText('1 h', { exact: true }).click();
  await dialog.getByLabel(/Note/).fill('both are being emptied');
  await page.keyboard.press('Enter');
  await rowOf(/web1/).getByText(/admin until .*both are being emptied/).waitFor();
  const acked = (await open()).filter(({ ack }) => ack);
  expect(acked.map(({ labels }) => labels.instance).sort()).toEqual(['web1', 'web2']);
  expect(acked.every(({ ack }) => ack!.until && ack!.note === 'both are being emptied')).toBe(true);
});

it('shelves one, and takes it from the shelf again', async () => {
  const { page } = visitor;
  await visitor.go('#/alerts');
  await pick(/^Choose Slow/);
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog', { name: 'Shelve' });
  await dialog.getByText('4 h', { exact: true }).click();
  await dialog.getByRole('button', { name: 'Shelve' }).click();
  await page.getByRole('group', { name: 'State' }).getByRole('button', { name: /Shelved 1/ }).click();
  await pick(/^Choose Slow/);
  await page.getByRole('toolbar', { name: 'Chosen alerts' }).getByRole('button', { name: 'Unshelve' }).click();
  await until(async () => (await open()).every(({ status }) => status !== 'shelved'), 'the end of the shelving');
});

it('silences what is chosen: the form shows what it would hide, the alerts say that they are hidden', async () => {
  const { page } = visitor;
  await visitor.go('#/alerts?text=disk+web');
  await pick(/^Choose all 2/);
  await page.getByRole('toolbar', { name: 'Chosen alerts' }).getByRole('button', { name: 'Silence…' }).click();
  const dialog = page.getByRole('dialog', { name: 'New silence' });
  await dialog.getByText('Hides 2 alerts').waitFor();
  expect(await dialog.getByLabel('Value 2').inputValue()).toBe('web1|web2');
  await dialog.getByLabel('Why').fill('new disks');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  const silence = rowOf(/new disks/);
  await silence.getByRole('link', { name: '2 alerts', exact: true }).click();
  await page.getByRole('group', { name: 'State' }).getByRole('button', { name: /Silenced 2/ }).waitFor();
  await rowOf(/DiskFull.*web1/s).waitFor();
  expect((await open()).filter(({ silenced_by }) => silenced_by.length > 0)).toHaveLength(2);
});

it('changes a silence in place, shows what it hides, and ends it', async () => {
  const { page } = visitor;
  await visitor.go('#/silences');
  const silence = rowOf(/new disks/);
  await silence.getByRole('button', { name: 'Change…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change silence' });
  await dialog.getByText('1 d', { exact: true }).click();
  await dialog.getByLabel('Why').fill('new disks, longer');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await rowOf(/new disks, longer/).getByText(/(23 h 59 m|1 d) left/).waitFor();
  await rowOf(/new disks, longer/).getByRole('list', { name: 'Hidden alerts' }).getByText('web2').waitFor();
  await rowOf(/new disks, longer/).getByRole('button', { name: 'End' }).click();
  await page.getByRole('dialog', { name: 'End this silence' }).getByRole('button', { name: 'End it now' }).click();
  await page.getByRole('button', { name: /Expired 1/ }).click();
  await rowOf(/new disks, longer/).getByRole('button', { name: 'Again…' }).waitFor();
  await until(async () => (await open()).every(({ silenced_by }) => silenced_by.length === 0), 'alerts that nothing hides');
});

it('says what is wrong with a silence before it is made', async () => {
  const { page } = visitor;
  await visitor.go('#/silences?new=1&match=team!=%22ops%22');
  const dialog = page.getByRole('dialog', { name: 'New silence' });
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await dialog.getByRole('alert').getByText(/match every alert/).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

it('marks the silence of a package and leads to its item', async () => {
  const { page } = visitor;
  server.writePackage(
    'works',
    `package: works
version: 1.0.0
silences:
  cellar: {matchers: instance="db1", ends_at: 2100-01-01T00:00:00Z, comment: the cellar is rebuilt}
`,
  );
  await visitor.go('#/silences');
  const silence = rowOf(/the cellar is rebuilt/);
  await silence.getByRole('link', { name: '1 alert', exact: true }).waitFor();
  expect(await silence.getByRole('button', { name: 'End' }).count()).toBe(0);
  await silence.getByRole('link', { name: 'works/cellar' }).click();
  await page.getByText('cellar').first().waitFor();
  expect(page.url()).toContain('#/packages/works/silences/cellar');
});

it('keeps notes, the shelf and the end by hand in the history of an alert', async () => {
  const { page } = visitor;
  const slow = (await open()).find(({ labels }) => labels.alertname === 'Slow')!;
  await visitor.go(`#/alerts/${slow.id}`);
  const detail = page.getByRole('article');
  await detail.getByLabel('Add a note to the history').fill('the cache is cold');
  await page.keyboard.press('Enter');
  const line = (text: RegExp) => detail.getByRole('listitem').filter({ hasText: text });
  await line(/Note.*by admin.*the cache is cold/s).waitFor();
  await line(/Taken from the shelf.*by admin/s).waitFor();
  await detail.getByRole('button', { name: 'Close…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Close' });
  await dialog.getByLabel(/Note/).fill('it is warm now');
  await dialog.getByRole('button', { name: 'Close Enter' }).click();
  await detail.getByText('admin has closed it').waitFor();
  await line(/Closed.*by admin.*it is warm now/s).waitFor();
  await visitor.go('#/alerts?state=resolved');
  await rowOf(/Slow/).getByText('Closed').waitFor();
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
