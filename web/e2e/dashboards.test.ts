import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server, until } from './server';

interface Widget {
  title?: string;
  at: { x: number; y: number; w: number; h: number };
  chart?: { queries: { expr: string }[] };
  text?: { markdown: string };
}
interface Dashboard {
  title: string;
  range?: string;
  variables: Record<string, unknown>;
  widgets: Widget[];
}

let browser: Browser;
let server: Server;
let visitor: Visitor;
let host: string;
const id = 'site/own/night_watch';
const stored = () => server.api<Dashboard>('GET', `/dashboards/${id}`);

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

/** By the pointer, from a spot within the element, as far as told. */
async function drag(element: Locator, from: { right?: boolean; bottom?: boolean }, by: { x: number; y: number }): Promise<void> {
  const { page } = visitor;
  const box = (await element.boundingBox())!;
  const x = from.right ? box.x + box.width - 9 : box.x + 90;
  const y = from.bottom ? box.y + box.height - 9 : box.y + 18;
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + by.x / 2, y + by.y / 2, { steps: 6 });
  await page.mouse.move(x + by.x, y + by.y, { steps: 6 });
  await page.mouse.up();
}

const place = async (element: Locator) => {
  const at = async (name: string): Promise<number> => Number(await element.getAttribute(`gs-${name}`));
  return { x: await at('x'), y: await at('y'), w: await at('w'), h: await at('h') };
};

it('makes a dashboard in a package of its own, with nothing but a title', async () => {
  const { page } = visitor;
  await visitor.go('#/dashboards');
  await page.getByRole('button', { name: /^(New dashboard|Make the first dashboard)$/ }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New dashboard' });
  await dialog.getByLabel('Title').fill('Night watch');
  await dialog.getByText('is made with it').waitFor();
  await dialog.getByRole('button', { name: 'Create dashboard' }).click();
  await visitor.see('Nothing on it yet');
  expect((await stored()).title).toBe('Night watch');
});

it('adds a chart from the gallery, helps with the query, and shows it at once', async () => {
  const { page } = visitor;
  // Half an expression is refused, and the page says so.
  visitor.expected.push(/status of (400|422)/);
  await page.getByRole('button', { name: 'Add the first widget' }).click();
  await page.getByRole('dialog', { name: 'Add a widget' }).getByRole('button', { name: /^Chart/ }).click();
  const settings = page.getByRole('complementary', { name: 'Settings of the widget' });
  await settings.getByRole('textbox', { name: 'Title' }).fill('Load of $instance');
  const query = settings.getByRole('textbox', { name: 'Query 1' });
  await query.click();
  await page.keyboard.type('node_loa');
  await page.locator('.cm-tooltip-autocomplete').getByRole('option', { name: /node_load1(?!\d)/ }).first().waitFor();
  await page.keyboard.press('Tab');
  expect(await query.innerText()).toBe('node_load1');
  await query.fill('sum(rat(node_load1))');
  await settings.getByRole('alert').getByText('1:5').waitFor();
  expect(await settings.locator('.cm-lintRange-error').innerText()).toBe('rat');
  await query.fill('node_load1{instance=~"$instance"}');
  await settings.getByText('There is no variable $instance on this dashboard').waitFor();
});

it('gets a variable with the hosts as its values', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: 'Variables' }).click();
  const dialog = page.getByRole('dialog', { name: 'Variables' });
  await dialog.getByRole('button', { name: 'Add a variable' }).click();
  await dialog.getByText(new RegExp(`value.*${host}`)).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('region', { name: 'Load of all' }).waitFor();
  await visitor.moves('.grid-stack canvas');
});

it('drags and resizes by pointer and by keyboard, and takes it back', async () => {
  const { page } = visitor;
  const chart = page.locator('.grid-stack-item').first();
  await drag(chart, {}, { x: 320, y: 0 });
  await until(async () => (await place(chart)).x > 0, 'the place after the drag');
  const dragged = await place(chart);
  await drag(chart, { right: true, bottom: true }, { x: -90, y: 64 });
  await until(async () => (await place(chart)).h > dragged.h, 'the size after the drag');
  const resized = await place(chart);
  expect(resized.w).toBeLessThan(dragged.w);
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  await until(async () => (await place(chart)).x === resized.x - 1, 'the step to the left');
  await page.keyboard.press('Shift+ArrowDown');
  await until(async () => (await place(chart)).h === resized.h + 1, 'one row more');
  await page.keyboard.press('Control+z');
  await until(async () => (await place(chart)).h === resized.h, 'the undone step');
  await page.keyboard.press('Control+y');
  await until(async () => (await place(chart)).h === resized.h + 1, 'the step done again');
});

it('shows what saving changes, saves it, and has it after a reload', async () => {
  const { page } = visitor;
  const before = await place(page.locator('.grid-stack-item').first());
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Save' });
  await dialog.getByText('node_load1').first().waitFor();
  await dialog.getByLabel('Reason, for the history').fill('A first look');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
  await page.reload();
  await page.getByRole('region', { name: 'Load of all' }).waitFor();
  await visitor.moves('main canvas');
  const { widgets, variables } = await stored();
  expect(widgets).toHaveLength(1);
  expect(widgets[0]!.at).toEqual(before);
  expect(widgets[0]!.chart!.queries[0]!.expr).toBe('node_load1{instance=~"$instance"}');
  expect(Object.keys(variables)).toEqual(['instance']);
});

it('gives a link under which a colleague sees the same values and the same time', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: /^instance: all/ }).click();
  await page.getByRole('checkbox', { name: host }).check();
  await page.keyboard.press('Escape');
  await page.getByRole('region', { name: `Load of ${host}` }).waitFor();
  await page.getByRole('button', { name: 'Share' }).click();
  const dialog = page.getByRole('dialog', { name: 'Share' });
  await dialog.getByRole('checkbox', { name: /very stretch of time/ }).check();
  const address = (await dialog.locator('code').textContent())!;
  await page.keyboard.press('Escape');
  expect(address).toContain('from=');
  await visitor.go('#/overview');
  await page.goto(address);
  await page.getByRole('region', { name: `Load of ${host}` }).waitFor();
  await page.getByRole('button', { name: 'Go live' }).waitFor();
});

it('asks before unsaved work is left behind', async () => {
  const { page } = visitor;
  await visitor.go(`#/dashboards/${id}?edit=1`);
  await page.locator('.grid-stack-item').first().focus();
  await page.keyboard.press('d');
  await until(() => page.locator('.grid-stack-item').count().then((count) => count === 2), 'the copy');
  await page.getByRole('navigation', { name: 'Areas' }).getByRole('link', { name: 'Hosts' }).click();
  const dialog = page.getByRole('dialog', { name: 'Leave without saving?' });
  await dialog.getByRole('button', { name: 'Go on editing' }).click();
  expect(await page.locator('.grid-stack-item').count()).toBe(2);
});

it('shows both versions when someone else was quicker, and loses neither', async () => {
  const { page } = visitor;
  visitor.expected.push(/status of 409/);
  await server.api('POST', '/package-changes', {
    operations: [{ op: 'set', package: 'site', section: 'dashboards', path: ['own', 'night_watch'], field: ['title'], value: 'Day watch' }],
    reason: 'The night is over',
  });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: /Someone else/ });
  await dialog.getByText('Day watch').first().waitFor();
  await dialog.getByText('Night watch').first().waitFor();
  await dialog.getByRole('button', { name: /Yours replaces theirs/ }).click();
  const save = page.getByRole('dialog', { name: 'Save' });
  await save.getByText('Day watch').first().waitFor();
  await save.getByRole('button', { name: 'Save', exact: true }).click();
  await save.waitFor({ state: 'detached' });
  const { title, widgets } = await stored();
  expect([title, widgets.length]).toEqual(['Night watch', 2]);
});

it('takes a chart from Explore at the bottom', async () => {
  const { page } = visitor;
  await visitor.go(`#/explore?q=${encodeURIComponent('node_memory_MemAvailable_bytes')}`);
  await page.getByRole('button', { name: 'Add to dashboard' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add to dashboard' });
  await dialog.getByLabel('Title of the chart').fill('Memory');
  await dialog.getByRole('button', { name: /Night watch/ }).click();
  await visitor.see('Added to the dashboard');
  await visitor.go(`#/dashboards/${id}`);
  await page.getByRole('region', { name: 'Memory', exact: true }).waitFor();
  const { widgets } = await stored();
  expect(widgets[2]).toMatchObject({ title: 'Memory', chart: { queries: [{ expr: 'node_memory_MemAvailable_bytes' }] } });
  expect(widgets[2]!.at.y).toBeGreaterThan(0);
});

it('shows one widget alone and comes back', async () => {
  const { page } = visitor;
  await page.getByRole('region', { name: 'Memory', exact: true }).hover();
  await page.getByRole('button', { name: 'Show alone: Memory' }).click();
  await until(() => page.locator('section.widget').count().then((count) => count === 1), 'the widget alone');
  await page.getByRole('button', { name: 'All widgets' }).click();
  await until(() => page.locator('section.widget').count().then((count) => count === 3), 'all widgets');
});

it('makes a page of widgets with the same grid, and shows it in a frame on a dashboard', async () => {
  const { page } = visitor;
  await visitor.go('#/dashboards?tab=pages');
  await page.getByRole('button', { name: /^(New page|Make the first page)$/ }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New page' });
  await dialog.getByLabel('Title').fill('Wall');
  await dialog.getByRole('button', { name: 'Create page' }).click();
  await page.getByRole('button', { name: 'Add the first widget' }).click();
  await page.getByRole('dialog', { name: 'Add a widget' }).getByRole('button', { name: /^Text/ }).click();
  const settings = page.getByRole('complementary', { name: 'Settings of the widget' });
  await settings.getByLabel(/^Text/).fill('## All is **well**');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog', { name: 'Save' }).getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
  expect(await page.getByRole('link', { name: 'Open Wall' }).getAttribute('href')).toBe('/p/site/wall');
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('dialog', { name: 'Share' }).getByText(`${server.url}/p/site/wall?range=`).waitFor();
  await page.keyboard.press('Escape');

  await visitor.go(`#/dashboards/${id}?edit=1`);
  await page.getByRole('button', { name: 'Add widget' }).click();
  await page.getByRole('dialog', { name: 'Add a widget' }).getByRole('button', { name: /^Page/ }).click();
  await settings.getByLabel('Page').selectOption('site/own/wall');
  await page.frameLocator('iframe').getByRole('heading', { name: 'Wall' }).waitFor();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('button', { name: 'Leave without saving' }).click();
  await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
});

it('says on a phone how many series there are more, and shows them; crumbs and the range of time can be read', async () => {
  const phone = await Visitor.open(browser, server, { width: 390, height: 844 });
  await server.api('POST', '/users', { name: 'ana', role: 'viewer', password: 'a watchtower at night' });
  await phone.signIn('ana', 'a watchtower at night');
  await phone.go('#/dashboards/host/machines/machine');
  const { page } = phone;
  const chart = page.getByRole('region', { name: 'Processors', exact: true });
  await chart.scrollIntoViewIfNeeded();
  const more = chart.getByRole('button', { name: /^Show \d+ more series$/ });
  const hidden = Number(/\d+/.exec((await more.getAttribute('aria-label')) ?? '')?.[0]);
  expect(hidden).toBeGreaterThan(0);
  await more.click();
  const names = chart.getByRole('listitem');
  await names.last().scrollIntoViewIfNeeded();
  expect(await names.last().isVisible()).toBe(true);
  await chart.getByRole('button', { name: 'Show one line of series' }).click();
  await more.waitFor();

  const isCut = (element: unknown): boolean => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element as { scrollWidth: number; clientWidth: number; scrollHeight: number; clientHeight: number };
    return scrollWidth > clientWidth || scrollHeight > clientHeight + 1;
  };
  expect(await page.getByRole('navigation', { name: 'Breadcrumbs' }).getByText('One machine').evaluate(isCut)).toBe(false);
  expect(await page.getByRole('button', { name: 'Time range' }).getByText('1 h').evaluate(isCut)).toBe(false);
  await phone.close();
});

it('is removed by its name, and the list says what to do', async () => {
  const { page } = visitor;
  await visitor.go(`#/dashboards/${id}?edit=1`);
  await page.getByRole('button', { name: 'Dashboard settings' }).click();
  await page.getByRole('button', { name: /^Remove dashboard/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove night_watch' });
  await dialog.getByRole('textbox').fill('night_watch');
  await dialog.getByRole('button', { name: 'Remove dashboard' }).click();
  await page.getByRole('navigation', { name: 'Dashboards' }).waitFor();
  await until(async () => {
    const { dashboards } = await server.api<{ dashboards: { id: string }[] }>('GET', '/dashboards');
    return dashboards.every((one) => one.id !== id);
  }, 'the list without it');
});

it('puts what is new where the grid shows it, brings it into view, and knows the variables', async () => {
  const { page } = visitor;
  const dashboard = `package: rack
version: 1.0.0
dashboards:
  own:
    long:
      title: Long
      variables: {instance: {label: instance, of: node_load1}}
      widgets:
        - {text: {markdown: high}, at: {x: 0, y: 0, w: 12, h: 9}}
`;
  server.writePackage('rack', dashboard);
  const stands = () => server.api<Dashboard>('GET', '/dashboards/rack/own/long');
  await until(() => stands(), 'the dashboard');
  await visitor.go('#/dashboards/rack/own/long?edit=1');
  const add = async (kind: RegExp): Promise<void> => {
    await page.getByRole('button', { name: 'Add widget' }).click();
    await page.getByRole('dialog', { name: 'Add a widget' }).getByRole('button', { name: kind }).click();
  };
  await add(/^States/);
  const states = page.getByRole('group', { name: /^States:/ });
  await until(async () => (await place(states)).x === 12, 'the place beside the text');
  const query = page.getByRole('textbox', { name: 'Query', exact: true });
  await query.click();
  await page.keyboard.type('node_load1{instance=~"$in');
  await page.locator('.cm-tooltip-autocomplete').getByRole('option', { name: /\$instance/ }).waitFor();
  await page.keyboard.press('Tab');
  expect(await query.innerText()).toBe('node_load1{instance=~"$instance"}');
  await page.getByText('1 series now').waitFor();

  for (let i = 0; i < 4; i += 1) await add(/^Alerts/);
  await add(/^Log/);
  const logs = page.getByRole('group', { name: /^Log[^:]*:/ });
  const view = page.viewportSize()!.height;
  await until(async () => {
    const box = await logs.boundingBox();
    return box !== null && box.y >= 0 && box.y + box.height <= view;
  }, 'the new widget in view');
  await logs.press('Delete');

  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog', { name: 'Save' }).getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
  expect((await stands()).widgets[1]!.at).toMatchObject({ x: 12, y: 0 });
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
