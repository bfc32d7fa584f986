import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor, type Look } from './browser';
import { colours } from './picture';
import { root, Server, until } from './server';

// Pages of packages under /p/: a template with values and widgets, opened by its cookie alone.
const folder = join(root, 'test-results', 'screens');
const hostile = '"><script>document.title="taken"</script><img src=x onerror="document.title=\'taken\'">';
const looks: (Look & { name: string })[] = [
  { name: 'dark-1280', theme: 'dark', width: 1280, height: 1600 },
  { name: 'light-1280', theme: 'light', width: 1280, height: 1600 },
  { name: 'dark-390', theme: 'dark', width: 390, height: 2800 },
  { name: 'light-390', theme: 'light', width: 390, height: 2800 },
];

let browser: Browser;
let server: Server;
let visitor: Visitor;
let host: string;
let file: string;

const widgets = (): string => `package: wall
version: 1.0.0
pages:
  room:
    duty:
      title: On duty
      template: pages/duty.html
    grid:
      title: Grid
      widgets:
        - {title: Memory, at: {x: 0, y: 0, w: 12, h: 6}, gauge: {expr: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes', max: 1}}
        - {title: Lines of the grid, at: {x: 12, y: 0, w: 12, h: 6}, logs: {match: '{file="${file}"}'}}
        - {title: Itself, at: {x: 0, y: 6, w: 24, h: 12}, page: {page: wall/room/grid}}
rules:
  test:
    booted:
      title: The machine has been started
      gauge: {expr: 'node_boot_time_seconds', above: {warning: 1}}
collectors:
  files:
    app: {log: {path: '${file}'}, on: '*'}
`;

const template = (): string => `<h2>Asked for {{ arg "host" }}</h2>
<p title="{{ arg "host" }}">Line: <a href="?host={{ arg "host" }}">again</a></p>
<table><tr><th>Machine</th><th>Load</th></tr>
{{ range query "node_load1" }}<tr><td>{{ .labels.instance }}</td><td>{{ printf "%.2f" .value }}</td></tr>{{ end }}</table>
{{ widget "chart" "node_load1" "Load" }}
{{ widget "logs" "{file=\\"${file}\\"}" "Lines" }}
{{ widget "alerts" "" "Open alerts" }}
{{ widget "topology" "" "What hangs together" }}
{{ widget "page" "wall/room/grid" "A page in a page" }}
`;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  [browser, server] = await Promise.all([launch(), Server.start()]);
  host = await server.hostName();
  file = join(server.folder, 'app.log');
  writeFileSync(file, '');
  const pages = join(server.data, 'packages', 'default', 'wall', 'pages');
  mkdirSync(pages, { recursive: true });
  writeFileSync(join(pages, 'duty.html'), template());
  server.writePackage('wall', widgets());
  await until(async () => {
    appendFileSync(file, 'INFO ship <b>sighted</b> off the cape\n');
    return (await server.api<{ logs: unknown[] }>('GET', '/logs?text=ship')).logs.length > 3;
  }, 'lines of the file');
  await until(async () => {
    const { alerts } = await server.api<{ alerts: { name: string }[] }>('GET', '/alerts');
    return alerts.some((alert) => alert.name === 'booted');
  }, 'the alert');
  visitor = await Visitor.open(browser, server);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('leads who opens a page by its address to the sign-in, and tells others where to get the cookie', async () => {
  visitor.expected.push(/status of 401/);
  await visitor.go('p/wall/duty');
  await visitor.page.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(visitor.page.url()).toContain('#/page?to=wall%2Fduty');
  // A browser that is led there by the UI itself, and keeps no cookie, is not sent round again.
  await visitor.page.evaluate((to) => location.assign(to), `${server.url}/p/wall/duty`);
  await visitor.page.getByRole('link', { name: 'Sign in' }).waitFor();
  expect(await visitor.page.locator('at-widget').count()).toBe(0);
});

it('opens from the list of pages for who has signed in', async () => {
  const { page } = visitor;
  await visitor.signInByLink();
  visitor.expected.length = 0;
  await visitor.go('#/dashboards?tab=pages');
  const opened = page.waitForEvent('popup');
  await page.getByRole('link', { name: 'Open On duty' }).click();
  const popup = await opened;
  await popup.getByRole('heading', { name: 'On duty' }).waitFor();
  await popup.close();
});

it('lets in who comes by the address alone and is signed in, and leads back to it', async () => {
  const { page } = visitor;
  await page.context().clearCookies();
  visitor.expected.push(/status of 401/);
  // Not by goto: the way through the UI interrupts it.
  await page.evaluate((to) => location.assign(to), `${server.url}/p/wall/duty?host=pier`);
  await page.getByRole('heading', { name: 'Asked for pier' }).waitFor();
  expect(page.url()).toBe(`${server.url}/p/wall/duty?host=pier`);
  visitor.expected.length = 0;
});

it('opens a bookmark of who is signed in without a fault on the way', async () => {
  const { page } = visitor;
  await page.context().clearCookies();
  await page.goto('about:blank');
  await visitor.go('p/wall/duty?host=pier').catch((reason: Error) => {
    // The way through the UI interrupts it.
    if (!/interrupted|ERR_ABORTED/.test(reason.message)) throw reason;
  });
  await page.getByRole('heading', { name: 'Asked for pier' }).waitFor();
  expect(page.url()).toBe(`${server.url}/p/wall/duty?host=pier`);
});

it('lists pages of a package and of all, with or without the slash, and leads back from what is not there', async () => {
  const { page } = visitor;
  await visitor.go('p/wall');
  await page.getByRole('link', { name: 'On duty' }).waitFor();
  expect(page.url()).toBe(`${server.url}/p/wall/`);
  await page.getByRole('link', { name: 'All pages' }).click();
  await page.getByRole('heading', { name: 'wall' }).waitFor();
  expect(page.url()).toBe(`${server.url}/p/`);
  await page.getByRole('link', { name: 'On duty' }).click();
  await page.getByRole('heading', { name: 'On duty' }).waitFor();

  visitor.expected.push(/status of 404/);
  await visitor.go('p/wall/dutty');
  await page.getByText('did you mean "duty"?').waitFor();
  await page.getByRole('link', { name: 'The pages of wall' }).click();
  await page.getByRole('link', { name: 'On duty' }).waitFor();
  await page.getByRole('banner').getByRole('link', { name: 'wall' }).click();
  await page.getByRole('navigation', { name: 'Package' }).or(page.getByRole('tree')).first().waitFor();
  expect(page.url()).toBe(`${server.url}/#/packages/wall`);
  visitor.expected.length = 0;
});

it('leads from a package and from a page item to the page and to its grid', async () => {
  const { page } = visitor;
  await visitor.go('#/packages/wall');
  const pages = page.getByRole('region', { name: 'Pages' });
  expect(await pages.getByRole('link', { name: 'Open On duty' }).getAttribute('href')).toBe('/p/wall/duty');
  await pages.getByRole('link', { name: 'Grid', exact: true }).click();
  expect(await page.getByRole('link', { name: 'Open Grid' }).getAttribute('href')).toBe('/p/wall/grid');
  const widgets = page.locator('[data-field="widgets"]');
  expect(await widgets.getByRole('listitem').allInnerTexts()).toHaveLength(3);
  expect(await widgets.getByRole('textbox').count()).toBe(0);
  await widgets.getByRole('link', { name: 'Memory' }).click();
  await page.getByRole('complementary', { name: 'Settings of the widget' }).waitFor();
  expect(await page.locator('.grid-stack-item').count()).toBe(3);
});

it('says which widgets keep a page from being saved, and leads to them', async () => {
  const { page } = visitor;
  visitor.expected.push(/status of 422/);
  await page.getByRole('button', { name: 'Add widget' }).click();
  await page.getByRole('dialog').getByRole('button', { name: /^States/ }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const mistakes = page.getByRole('dialog').getByRole('list', { name: 'Mistakes' });
  await mistakes.getByText('Query is missing').waitFor();
  expect(await mistakes.getByRole('listitem').count()).toBe(1);
  await mistakes.getByRole('button', { name: 'States, widget 4' }).click();
  await page.getByRole('complementary', { name: 'Settings of the widget' }).getByRole('heading', { name: 'States' }).waitFor();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave without saving' }).click();
  visitor.expected.length = 0;
});

it('shows values as text, whatever they hold', async () => {
  const { page } = visitor;
  await visitor.go(`p/wall/duty?host=${encodeURIComponent(hostile)}`);
  await page.getByRole('heading', { name: `Asked for ${hostile}` }).waitFor();
  expect(await page.locator('main p').first().getAttribute('title')).toBe(hostile);
  const again = new URL((await page.getByRole('link', { name: 'again' }).getAttribute('href'))!, page.url());
  expect(again.searchParams.get('host')).toBe(hostile);
  expect(await page.title()).toContain('On duty');
  expect(await page.locator('main script, main img').count()).toBe(0);
  await page.getByRole('cell', { name: host, exact: true }).waitFor();
});

it('draws the widgets of dashboards: curves, log lines, alerts, what hangs together, pages', async () => {
  const { page } = visitor;
  await page.getByRole('region', { name: 'Load' }).locator('canvas').first().waitFor();
  await page.getByRole('region', { name: 'Lines', exact: true }).getByText('ship <b>sighted</b> off the cape').first().waitFor();
  await page.getByRole('region', { name: 'Open alerts' }).getByText('The machine has been started').waitFor();
  await page.getByRole('region', { name: 'What hangs together' }).locator('text', { hasText: host }).first().waitFor();
  const frame = page.frameLocator('iframe[title="A page in a page"]');
  await frame.getByRole('img', { name: /^Memory: \d/ }).waitFor();
  await frame.getByText('ship <b>sighted</b> off the cape').first().waitFor();
});

it('shows a page that shows itself to an end', async () => {
  const { page } = visitor;
  await visitor.go('p/wall/grid');
  // The browser itself leaves a frame empty whose address is that of two around it.
  await until(() => page.frames().length > 2, 'a page within the page within');
  await page.frames().at(-1)!.waitForLoadState('networkidle');
  expect(page.frames().length).toBeLessThan(5);
});

it('asks again by itself: new lines and alerts come without a click', async () => {
  const { page } = visitor;
  await visitor.go('p/wall/duty');
  const lines = page.getByRole('region', { name: 'Lines', exact: true });
  await lines.getByText('ship').first().waitFor();
  appendFileSync(file, 'WARN the lamp went out\n');
  await lines.getByText('the lamp went out').first().waitFor({ timeout: 60_000 });
});

it.each(looks)('looks right in $name', async (look) => {
  const person = await Visitor.open(browser, server, look);
  person.expected.push(/status of 401.*auth\/me/);
  const password = 'a watchtower at night';
  const { users } = await server.api<{ users: { name: string }[] }>('GET', '/users');
  if (!users.some(({ name }) => name === 'ana')) await server.api('POST', '/users', { name: 'ana', role: 'viewer', password });
  await person.signIn('ana', password);
  const signed = person.page.waitForResponse((answer) => answer.url().endsWith('/auth/page-cookie'));
  await person.go('#/dashboards/wall/room/grid?section=pages');
  await signed;
  await person.go('p/wall/duty?host=the+north+pier');
  await person.page.getByRole('region', { name: 'Lines', exact: true }).getByText('ship').first().waitFor();
  await person.page.frameLocator('iframe').getByText('ship').first().waitFor();
  const png = await person.page.screenshot({ path: join(folder, `page-${look.name}.png`) });
  expect(colours(png)).toBeGreaterThan(20);
  const wider = await person.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
  await person.close();
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
