import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server, until } from './server';

let browser: Browser;
let server: Server;
let visitor: Visitor;
let host: string;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  host = await server.hostName();
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('adds an HTTP check by its URL and shows its first result in the dialog', async () => {
  const { page } = visitor;
  await visitor.go('#/hosts?tab=checks');
  await visitor.see('No checks yet');
  await page.getByRole('button', { name: 'Add the first check' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add check' });
  await dialog.getByLabel('What should be up?').fill(`${server.url}/-/healthy`);
  expect(await dialog.getByRole('radio', { name: 'HTTP' }).getAttribute('aria-checked')).toBe('true');
  await dialog.getByRole('textbox', { name: 'Every' }).fill('1s');
  await dialog.getByRole('button', { name: 'Add check' }).click();
  await dialog.getByText(`Up, seen from ${host}`).waitFor();
  await dialog.getByText('status 200').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('listitem').filter({ hasText: `${server.url}/-/healthy` });
  await row.getByText('Up', { exact: true }).waitFor();
});

it('adds a TCP check by host and port, and says why it is down', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: 'Add check' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add check' });
  await dialog.getByLabel('What should be up?').fill('127.0.0.1:1');
  expect(await dialog.getByRole('radio', { name: 'TCP' }).getAttribute('aria-checked')).toBe('true');
  await dialog.getByRole('button', { name: 'Add check' }).click();
  await dialog.getByText(/Connection refused/).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
});

it('refuses a name that is taken, in the words of the server', async () => {
  const { page } = visitor;
  visitor.expected.push(/status of 409/);
  await page.getByRole('button', { name: 'Add check' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add check' });
  await dialog.getByLabel('What should be up?').fill('127.0.0.1:2');
  await dialog.getByText('More').click();
  await dialog.getByLabel('Name').fill('127-0-0-1-1');
  await dialog.getByRole('button', { name: 'Add check' }).click();
  await dialog.getByText('there is a check called').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

it('removes a check by its name', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: /^Remove check 127-0-0-1-1/ }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Remove check' });
  const remove = dialog.getByRole('button', { name: 'Remove check' });
  expect(await remove.isDisabled()).toBe(true);
  await dialog.getByRole('textbox').fill('127-0-0-1-1');
  await remove.click();
  await dialog.waitFor({ state: 'detached' });
  const { checks } = await server.api<{ checks: { id: string }[] }>('GET', '/checks');
  expect(checks.map((check) => check.id)).not.toContain('ondemand/checks/127-0-0-1-1');
  await page.getByText('Connection refused').waitFor({ state: 'detached' });
});

it('shows the command for a new host and notices the host that runs it', async () => {
  const { page } = visitor;
  await visitor.go('#/hosts');
  await page.getByRole('button', { name: 'Add host' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add host' });
  await dialog.getByText('Waiting for the host').waitFor();
  const command = await until(() => dialog.locator('code', { hasText: 'agent enroll' }).first().textContent(), 'the command');
  await server.enrol(command, 'newcomer');
  await dialog.getByText('newcomer has introduced itself').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('listitem').filter({ hasText: 'newcomer' }).getByText('Never seen').waitFor();
});

it('removes a host after its name is written, and the list follows', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: 'Remove newcomer' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove newcomer' });
  await dialog.getByText('It has no open alerts').waitFor();
  await dialog.getByRole('textbox').fill('newcomer');
  await dialog.getByRole('button', { name: 'Remove host' }).click();
  await page.getByRole('link', { name: 'newcomer' }).waitFor({ state: 'detached' });
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
