import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server, until } from './server';

let browser: Browser;
let server: Server;
let visitor: Visitor;
let file: string;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  await server.hostName();
  file = join(server.folder, 'app.log');
  writeFileSync(file, '');
  server.writePackage('app', `package: app\nversion: 1.0.0\ncollectors:\n  files:\n    app: {log: {path: '${file}'}, on: '*'}\n`);
  // Followed once a first line has come through.
  await until(async () => {
    appendFileSync(file, 'the first words\n');
    const query = new URLSearchParams({ match: `{file="${file}"}` });
    return (await server.api<{ logs: unknown[] }>('GET', `/logs?${query}`)).logs.length > 0;
  }, 'the file is followed');
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('shows a line in the live tail as it is written', async () => {
  await visitor.go('#/logs');
  await visitor.see('the first words');
  appendFileSync(file, 'ship sighted off the cape\n');
  await visitor.see('ship sighted off the cape');
});

it('finds the line again by its text', async () => {
  const { page } = visitor;
  appendFileSync(file, 'nothing to see here\n');
  await visitor.see('nothing to see here');
  await page.getByRole('searchbox').first().fill('ship sighted');
  await page.keyboard.press('Enter');
  await page.getByText('nothing to see here').first().waitFor({ state: 'detached' });
  await visitor.see('off the cape');
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
