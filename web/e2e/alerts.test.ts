import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server } from './server';

const rule = `package: tower
version: 1.0.0
rules:
  test:
    booted:
      title: The machine has been started
      gauge: {expr: 'node_boot_time_seconds', above: {critical: 1}}
      annotations: {summary: '{{ $labels.instance }} runs'}
`;
const healthy = rule.replace('critical: 1}', 'critical: 9e12}');
const broken = rule.replace('gauge:', 'guage:');

let browser: Browser;
let server: Server;
let visitor: Visitor;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  await server.hostName();
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('tells an open browser of an alert as soon as a package that fires is put in place', async () => {
  const { page } = visitor;
  await visitor.go('#/alerts');
  await page.getByRole('button', { name: /^Open/ }).waitFor();
  server.writePackage('tower', rule);
  await page.getByRole('status').getByRole('link', { name: 'Open' }).first().waitFor();
  await page.getByRole('listitem').filter({ hasText: 'The machine has been started' }).waitFor();
});

it('acknowledges it with a note, and the history tells who and why', async () => {
  const { page } = visitor;
  await page.getByRole('listitem').filter({ hasText: 'The machine has been started' }).getByRole('link').click();
  const detail = page.getByRole('article');
  await detail.getByRole('button', { name: 'Acknowledge' }).click();
  const dialog = page.getByRole('dialog', { name: 'Acknowledge' });
  await dialog.getByLabel(/Note/).fill('looking at it');
  await dialog.getByRole('button', { name: 'Acknowledge' }).click();
  await detail.getByText('admin is on it').waitFor();
  await detail.getByRole('listitem').filter({ hasText: 'by admin' }).getByText('looking at it').waitFor();
});

it('shows a rule that fires, and a broken package with the place and the remedy', async () => {
  const { page } = visitor;
  await visitor.go('#/packages/tower');
  const own = page.getByRole('region', { name: 'Package tower' });
  await own.getByRole('row', { name: /The machine has been started/ }).getByText('Critical').waitFor();
  server.writePackage('tower', broken);
  await own.getByText('Broken').waitFor();
  await own.getByText(/tower\/package\.yaml:7/).first().waitFor();
  await own.getByText(/did you mean "gauge"/).waitFor();
});

it('resolves it when the rule is healthy, and keeps it in the history', async () => {
  const { page } = visitor;
  server.writePackage('tower', healthy);
  await page.getByRole('region', { name: 'Package tower' }).getByText('OK').first().waitFor();
  await visitor.go('#/alerts?state=resolved');
  await page.getByRole('listitem').filter({ hasText: 'The machine has been started' }).first().waitFor();
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
