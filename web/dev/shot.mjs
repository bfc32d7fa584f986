// Screenshots for looking at: node dev/shot.mjs OUTDIR 'name=#/address[|action]' …
// Actions: click:SELECTOR, key:KEY, hover:SELECTOR, drag:SELECTOR, wait:MS; WIDTHS and THEMES choose variants.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const base = process.env.BASE ?? 'http://127.0.0.1:2091/';
const widths = (process.env.WIDTHS ?? '1280').split(',').map(Number);
const themes = (process.env.THEMES ?? 'dark').split(',');
const [out, ...pages] = process.argv.slice(2);
mkdirSync(out, { recursive: true });

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
for (const theme of themes) {
  for (const width of widths) {
    const context = await browser.newContext({ viewport: { width, height: width < 500 ? 844 : 800 }, colorScheme: theme });
    const page = await context.newPage();
    page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(`[${m.type()}] ${m.text()}`));
    let faults = 0;
    page.on('pageerror', (e) => (faults += 1) < 4 && console.log(`[pageerror] ${e.stack.slice(0, 400)}`));
    if (!process.env.ANONYMOUS) {
      await page.goto(`${base}#/sign-in?link=once`);
      await page.waitForSelector('.frame');
    }
    for (const spec of pages) {
      const [nameAndAddress, ...actions] = spec.split('|');
      const cut = nameAndAddress.indexOf('=');
      const [name, address] = [nameAndAddress.slice(0, cut), nameAndAddress.slice(cut + 1)];
      await page.goto(base + address);
      await page.waitForTimeout(Number(process.env.SETTLE ?? 2500));
      for (const action of actions) {
        const at = action.indexOf(':');
        const [verb, what] = [action.slice(0, at), action.slice(at + 1)];
        if (verb === 'click') await page.click(what);
        if (verb === 'key') await page.keyboard.press(what);
        if (verb === 'type') await page.keyboard.type(what);
        if (verb === 'hover') await page.hover(what);
        if (verb === 'wait') await page.waitForTimeout(Number(what));
        if (verb === 'drag') {
          const box = await page.locator(what).first().boundingBox();
          await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
          await page.mouse.down();
          await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2, { steps: 8 });
          await page.mouse.up();
        }
        await page.waitForTimeout(300);
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) console.log(`${name} ${width}: ${wide} px wider than the window`);
      await page.screenshot({ path: `${out}/${name}-${theme}-${width}.png` });
      console.log(name, theme, width, await page.evaluate(() => document.documentElement.dataset.firstPoint ?? ''), page.url().split('#')[1]);
    }
    await context.close();
  }
}
await browser.close();
