// Starts `atalaya up` on an empty data folder while Chromium waits, opens the sign-in link and notes
// when the page says that it has drawn the first point of its own host. Prints seconds as JSON.
//   node bench/first_point.mjs build/release/atalaya 5

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const [binary, runs] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

async function once() {
  const page = await (await browser.newContext()).newPage();
  await page.goto('about:blank');
  const data = mkdtempSync(join(tmpdir(), 'atalaya-bench-'));
  const begun = performance.now();
  const server = spawn(binary, ['up', '--data', data, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const lines = createInterface({ input: server.stdout });
    const line = await new Promise((resolve) => lines.once('line', resolve));
    await page.goto(/http:\S+sign-in\?link=\S+/.exec(line)[0]);
    await page.waitForFunction(() => document.documentElement.dataset.firstPoint, null, { timeout: 30000, polling: 'raf' });
    return (performance.now() - begun) / 1000;
  } finally {
    server.kill('SIGTERM');
    await new Promise((resolve) => server.once('exit', resolve));
    rmSync(data, { recursive: true, force: true });
    await page.context().close();
  }
}

const seconds = [];
for (let i = 0; i < Number(runs); ++i) seconds.push(await once());
await browser.close();
console.log(JSON.stringify(seconds));
