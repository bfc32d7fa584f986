import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server } from './server';

let browser: Browser;
let server: Server;
let visitor: Visitor;
let host: string;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  host = await server.hostName();
  visitor = await Visitor.open(browser, server);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('lets a person in by the printed link, once', async () => {
  await visitor.signInByLink();
  expect(visitor.page.url()).not.toContain('link=');
  const late = await Visitor.open(browser, server);
  late.expected.push(/401/);
  await late.page.goto(server.link);
  await late.see('This sign-in link is used or too old');
  await late.close();
});

it('shows this machine on the overview, and its sparklines move', async () => {
  await visitor.page.getByRole('link', { name: host }).first().waitFor();
  await visitor.page.getByRole('img', { name: `CPU of ${host}, last 5 minutes` }).waitFor();
  await visitor.moves(`[aria-label="Load of ${host}, last 5 minutes"] canvas`);
  await visitor.moves(`[aria-label="CPU of ${host}, last 5 minutes"] canvas`);
});

it('opens the host from the overview, and its charts move', async () => {
  await visitor.page.getByRole('link', { name: host }).first().click();
  await visitor.page.getByRole('heading', { name: 'CPU by mode' }).waitFor();
  await visitor.moves('section[aria-label="CPU by mode"] canvas');
});

it('zooms by dragging: the address has the stretch, so that it can be sent to a colleague', async () => {
  const plot = visitor.page.locator('section[aria-label="CPU by mode"] .u-over').first();
  await plot.scrollIntoViewIfNeeded();
  const box = (await plot.boundingBox())!;
  const before = visitor.page.url();
  await visitor.page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
  await visitor.page.mouse.down();
  await visitor.page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 8 });
  await visitor.page.mouse.up();
  await visitor.page.waitForURL(/from=\d+.*to=\d+/);
  await visitor.page.getByRole('button', { name: 'Go live' }).waitFor();
  await visitor.page.goBack();
  await visitor.page.waitForURL(before);
});

it('jumps anywhere by the keyboard', async () => {
  await visitor.page.keyboard.press('Control+k');
  await visitor.page.getByRole('combobox', { name: 'Search' }).fill('packages');
  await visitor.page.keyboard.press('Enter');
  await visitor.page.waitForURL(/#\/packages/);
  await visitor.see('Machines and what runs on them');
});

it('draws a stretch of time for the expression in the address of Explore', async () => {
  await visitor.go(`#/explore?q=${encodeURIComponent('node_load1')}`);
  await visitor.see('1 series now');
  await visitor.moves('main canvas');
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
