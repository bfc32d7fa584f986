import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server, until } from './server';

let browser: Browser;
let server: Server;
let visitor: Visitor;
let page: Page;

const group = (name: string): Locator => page.getByRole('group', { name: `Query ${name}`, exact: true });
const field = (name: string): Locator => group(name).locator('[contenteditable=true]');
const suggestion = (text: string | RegExp): Locator => page.locator('.cm-tooltip-autocomplete').getByRole('option', { name: text });

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  await server.hostName();
  await until(async () => (await server.query('count_over_time(node_load1[1m])')) >= 5, 'some samples');
  visitor = await Visitor.open(browser, server);
  page = visitor.page;
  // What is asked wrongly on purpose.
  visitor.expected.push(/status of 400.*\/api\/v1\/(query|format_query)/);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('says what to do where nothing is asked yet, and completes a query as it is typed', async () => {
  await visitor.go('#/explore');
  await page.getByText('Ask something').waitFor();
  await field('A').click();
  await page.keyboard.type('rat');
  await suggestion(/^.?rate/).first().waitFor();
  await page.getByText('Growth of a counter per second, averaged over the range').waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.type('node_cpu_sec');
  await suggestion(/node_cpu_seconds_total/).first().waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('{mo');
  await suggestion(/mode/).first().waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('idl');
  await suggestion(/idle/).first().waitFor();
  await page.keyboard.press('Tab');
  expect(await field('A').innerText()).toBe('rate(node_cpu_seconds_total{mode="idle"}[5m])');
  await page.keyboard.press('Control+Enter');
  await group('A').getByText(/\d+ series now/).waitFor();
  await page.getByRole('region', { name: 'Values', exact: true }).getByRole('cell', { name: 'idle' }).first().waitFor();
});

it('marks an error at its place, and takes the mark away when it is mended', async () => {
  await field('A').fill('sum(node_load1');
  await page.keyboard.press('Control+Enter');
  await group('A').getByRole('alert').getByText(/unclosed left parenthesis|unexpected end/).waitFor();
  await field('A').fill('rate(node_load1)');
  await page.keyboard.press('Control+Enter');
  await group('A').getByRole('alert').getByText(/expected type range vector/).waitFor();
  await group('A').getByRole('button', { name: 'Go there' }).or(group('A').getByText('1:6')).first().waitFor();
  expect(await page.locator('.cm-lintRange-error').first().innerText()).toBe('node_load1');
  await field('A').fill('node_load1');
  await page.keyboard.press('Control+Enter');
  await group('A').getByText('1 series now').waitFor();
  expect(await group('A').getByRole('alert').count()).toBe(0);
});

it('asks several queries, and the link shows the same again', async () => {
  await page.getByRole('button', { name: 'Query', exact: true }).click();
  await field('B').fill('sum by (mode) (rate(node_cpu_seconds_total[30s]))');
  await page.keyboard.press('Control+Enter');
  await group('B').getByText(/series now/).waitFor();
  await page.getByRole('button', { name: 'Duplicate query A' }).click();
  await field('C').waitFor();
  await page.getByRole('button', { name: 'Hide query C' }).click();
  await page.getByRole('button', { name: 'Move up query C' }).click();
  await page.getByLabel('Step').fill('5s');
  await page.getByLabel('Step').press('Enter');
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await page.getByRole('button', { name: 'Range', exact: true }).click();
  await page.getByText('Values over the range').waitFor();
  const address = page.url();
  await visitor.go('#/overview');
  await page.goto(address);
  await page.reload();
  await page.getByText('Values over the range').waitFor();
  expect(await field('A').innerText()).toBe('node_load1');
  expect(await field('B').innerText()).toContain('sum by (mode)');
  expect(await field('C').innerText()).toBe('node_load1');
  await group('B').getByText('Hidden').waitFor();
  expect(await page.getByLabel('Step').inputValue()).toBe('5s');
  expect(await page.locator('main canvas').count()).toBe(0);
  expect(page.url()).toBe(address);
});

it('keeps what was asked, and asks it again', async () => {
  await page.getByRole('button', { name: 'History' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your queries' });
  await dialog.getByLabel('Search your queries').fill('load1');
  await dialog.getByRole('button', { name: 'node_load1', exact: true }).click();
  await group('A').getByText('1 series now').waitFor();
  expect(await page.getByRole('group', { name: /^Query / }).count()).toBe(1);
});

it('lists the rules, shows one with its alerts, and what it would have done', async () => {
  server.writePackage('tower', `package: tower
version: 1.0.0
rules:
  test:
    loaded:
      title: There is load
      gauge: {expr: 'node_load1', above: {warning: -1}}
`);
  await visitor.go('#/rules?text=There+is+load');
  const row = page.getByRole('list', { name: 'Rules' }).getByRole('link', { name: /There is load/ });
  await row.getByText('Warning').waitFor({ timeout: 60_000 });
  await row.click();
  const detail = page.getByRole('article', { name: 'There is load' });
  await detail.getByRole('region', { name: 'Alerts now' }).getByText('Warning').waitFor();
  await detail.getByText('1 alert would have fired').waitFor();
  await detail.getByRole('list', { name: 'Alerts over time' }).waitFor();
  await detail.getByRole('link', { name: 'Open in Explore' }).click();
  await group('A').getByText('1 series now').waitFor();
});

it('tries a rule of a package over the past before it is saved', async () => {
  await visitor.go('#/packages/tower/rules/test/loaded');
  await page.getByLabel('Warning', { exact: true }).fill('1000000');
  await page.getByRole('button', { name: 'Preview' }).click();
  const dialog = page.getByRole('dialog', { name: 'What would it have done?' });
  await dialog.getByText('Nothing would have fired.').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByLabel('Warning', { exact: true }).fill('-2');
  await page.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByText('1 alert would have fired').waitFor();
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
