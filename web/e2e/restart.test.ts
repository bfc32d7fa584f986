import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server } from './server';

let browser: Browser;
let server: Server;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('says that the connection is lost when the server dies, and catches up when it is back', async () => {
  const host = await server.hostName();
  const visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
  await visitor.moves(`[aria-label="Load of ${host}, last 5 minutes"] canvas`);
  visitor.expected.push(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection|status of 503/);
  await server.kill();
  await visitor.see('Connection lost');
  await server.start();
  await visitor.page.getByText('Connection lost').waitFor({ state: 'detached' });
  await visitor.moves(`[aria-label="Load of ${host}, last 5 minutes"] canvas`);
  await visitor.close();
});
