// Opens the editor on one package, again and again, each time from the list of packages in a fresh page:
// from the change of the address to the first paint after its tree stands. Prints milliseconds as JSON.
//   node bench/editor.mjs SIGN_IN_LINK PACKAGE RUNS

import { createRequire } from 'node:module';

const require = createRequire(new URL('../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const [link, name, runs] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(link);
await page.waitForSelector('.frame');
const milliseconds = [];
for (let i = 0; i < Number(runs); ++i) {
  await page.goto('about:blank');
  await page.goto(link.replace(/#.*/, '#/packages'));
  await page.getByText(name, { exact: true }).first().waitFor();
  await page.waitForTimeout(500); // fetching ahead is not what is measured
  milliseconds.push(await page.evaluate(
    (package_) =>
      new Promise((resolve) => {
        const begun = performance.now();
        const look = () => {
          if (document.querySelector('[role=tree] [role=treeitem]')) requestAnimationFrame(() => resolve(performance.now() - begun));
          else requestAnimationFrame(look);
        };
        location.hash = `#/packages/${package_}`;
        look();
      }),
    name,
  ));
}
await browser.close();
console.log(JSON.stringify(milliseconds));
