import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server } from './server';

const password = 'a watchtower at night';

let browser: Browser;
let server: Server;
let visitor: Visitor;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('sets a first password, signs out, and signs in by the password', async () => {
  const { page } = visitor;
  await visitor.go('#/settings/account');
  await visitor.see('You have none yet');
  await page.getByLabel('New password', { exact: true }).fill(password);
  await page.getByLabel('New password again').fill(password);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByRole('heading', { name: 'Change password' }).waitFor();
  await page.getByRole('region', { name: 'Who you are' }).getByRole('button', { name: 'Sign out' }).click();

  visitor.expected.push(/status of 401/);
  await page.getByLabel('User').fill('admin');
  await page.getByLabel('Password').fill('not the one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await visitor.see('Name or password is wrong');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Areas' }).waitFor();
});

it('makes a user, shows the password once, and changes the role', async () => {
  const { page } = visitor;
  await visitor.go('#/settings/users');
  await page.getByRole('button', { name: 'New user' }).click();
  const dialog = page.getByRole('dialog', { name: 'New user' });
  await dialog.getByLabel('Name').fill('vera');
  await dialog.getByLabel('Password').fill(password);
  await dialog.getByRole('button', { name: 'Make user' }).click();
  await dialog.getByText('It is shown this once').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByLabel('Role of vera').selectOption('operator');
  await visitor.see('vera is operator now');
  await page.getByLabel('Role of vera').selectOption('viewer');
  await visitor.see('vera is viewer now');
});

it('shows a viewer everything and lets them change nothing', async () => {
  const viewer = await Visitor.open(browser, server);
  await viewer.signIn('vera', password);
  const { page } = viewer;
  await viewer.go('#/hosts');
  await page.getByRole('list', { name: 'Hosts' }).waitFor();
  expect(await page.getByRole('button', { name: 'Add host' }).count()).toBe(0);
  expect(await page.getByRole('button', { name: /^Remove/ }).count()).toBe(0);
  await viewer.go('#/settings/notifications');
  await viewer.see('every open browser');
  expect(await page.getByRole('button', { name: /^Send test/ }).count()).toBe(0);
  expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
  await viewer.go('#/settings/tokens');
  await viewer.see('Only administrators see this');
  await viewer.close();
});

it('makes a token whose text is shown once and works, and revokes it', async () => {
  const { page } = visitor;
  await visitor.go('#/settings/tokens');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('What is it for?').fill('grafana');
  await page.getByRole('button', { name: 'Make token' }).click();
  const dialog = page.getByRole('dialog', { name: 'Token grafana' });
  const token = (await dialog.locator('code').first().textContent())!.trim();
  const ask = (): Promise<Response> => fetch(`${server.url}/api/v1/query?query=up`, { headers: { Authorization: `Bearer ${token}` } });
  expect((await ask()).status).toBe(200);
  await dialog.getByRole('button', { name: 'I have copied it' }).click();
  await page.getByRole('button', { name: 'Revoke grafana' }).click();
  const question = page.getByRole('dialog', { name: 'Revoke grafana' });
  await question.getByRole('textbox').fill('grafana');
  await question.getByRole('button', { name: 'Revoke token' }).click();
  await page.getByRole('row', { name: /grafana/ }).getByText('Revoked').waitFor();
  expect((await ask()).status).toBe(401);
});

it('sends a test through a channel and shows what became of it', async () => {
  const { page } = visitor;
  await visitor.go('#/settings/notifications');
  await page.getByRole('button', { name: 'Send test to browser' }).click();
  await page.getByRole('region', { name: 'Channels' }).getByText('Sent').waitFor();
  await page.getByRole('region', { name: 'Recent notifications' }).getByText('Test notification').waitFor();
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
