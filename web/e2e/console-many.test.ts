import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { root, Server } from './server';

// The alerts are made up: this is about the page, not about the server.
const total = 10_000;
const pageSize = 1000;
const alerts = Array.from({ length: total }, (_, i) => ({
  id: `a${i}`,
  episode: 1,
  name: `Alert${i % 40}`,
  kind: 'posted',
  state: 'firing',
  status: 'open',
  severity: i % 3 === 0 ? 'critical' : 'warning',
  labels: { alertname: `Alert${i % 40}`, instance: `host${i % 500}`, team: `team${i % 7}`, number: String(i) },
  annotations: { summary: `number ${i} of many` },
  value: null,
  started: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString(),
  updated: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString(),
  silenced_by: [],
}));

let browser: Browser;
let server: Server;
let visitor: Visitor;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  visitor = await Visitor.open(browser, server);
  await visitor.page.route(/\/api\/atalaya\/v1\/alerts\?/, (route) => {
    const begin = Number(new URL(route.request().url()).searchParams.get('before') ?? 0);
    const page = alerts.slice(begin, begin + pageSize);
    return route.fulfill({ json: { alerts: page, ...(begin + pageSize < total ? { next: String(begin + pageSize) } : {}) } });
  });
  await visitor.signInByLink();
  await visitor.go('#/alerts');
  await visitor.page.getByRole('button', { name: 'Open 10000' }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const listOf = (page: Page) => page.getByRole('list', { name: 'Open alerts' });

it('scrolls through 10,000 alerts with a few dozen rows in the page', async () => {
  const { page } = visitor;
  // The same without a movement: what this machine does now anyway.
  const measure = (by: number): Promise<number[]> => listOf(page).evaluate(async (list, by) => {
    const times: number[] = [];
    let before = performance.now();
    for (let frame = 0; frame < 150; frame += 1) {
      list.scrollTop += by;
      const now = await new Promise<number>((drawn) => requestAnimationFrame(drawn));
      times.push(now - before);
      before = now;
    }
    return times.sort((a, b) => a - b);
  }, by);
  const said = (frames: number[]): string =>
    [0.5, 0.95, 0.99].map((part) => `p${part * 100} ${frames[Math.floor(frames.length * part)]!.toFixed(1)} ms`).join(', ');
  const [still, moving] = [await measure(0), await measure(340)];
  const report = `frames while ${total} alerts stand still: ${said(still)}; while they scroll, ten new rows a frame: ${said(moving)}`;
  mkdirSync(join(root, 'test-results'), { recursive: true });
  writeFileSync(join(root, 'test-results', 'alerts-scroll.txt'), `${report}\n`);
  console.log(report);
  expect(await listOf(page).getByRole('listitem').count()).toBeLessThan(80);
  await listOf(page).evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await listOf(page).getByText('number 1 of many', { exact: true }).waitFor();
});

it('filters and chooses among them, and says for how many a command is', async () => {
  const { page } = visitor;
  await page.keyboard.press('/');
  await page.keyboard.type('team=team3 number=~9..');
  await page.keyboard.press('Enter');
  // 900 to 999 of which one in seven: 906, 913 … 997.
  await page.getByRole('button', { name: 'Open 14' }).waitFor();
  await page.getByRole('group', { name: 'Matchers' }).getByRole('button').first().click();
  await page.getByRole('group', { name: 'Matchers' }).getByRole('button').first().click();
  await page.getByRole('button', { name: 'Open 10000' }).waitFor();
  await page.keyboard.press('A');
  await page.getByRole('toolbar', { name: 'Chosen alerts' }).getByText('10000 alerts').waitFor();
  await page.keyboard.press('c');
  await page.getByRole('dialog', { name: 'Close: 10000 alerts' }).getByRole('button', { name: 'Cancel' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('toolbar', { name: 'Chosen alerts' }).waitFor({ state: 'detached' });
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
