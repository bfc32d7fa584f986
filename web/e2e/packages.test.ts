import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, Visitor } from './browser';
import { Server, until } from './server';

const tower = `# The watchtower's own rules.
package: tower
version: 0.1.0   # ours

rules:
  # Looked at by day and by night.
  sea:
    calm:   # nearly always
      title: The sea is calm
      gauge: {expr: 'node_boot_time_seconds', above: {critical: 99999999999}}   # far away
`;
const harbour = 'package: harbour\nversion: 1.0.0\n# Nothing here yet.\nrules: {}\n';

const tide = `package: tide
version: 1.0.0
title: How high the water stands
parameters:
  level: {type: number, default: 5, help: Above this it is high.}
  word: {type: secret, default: none}
rules:
  water:
    tide_high:
      title: High water
      gauge: {expr: node_load1, above: {warning: '\${level}'}}
`;
const sonar = `package: sonar
version: 1.0.0
collectors:
  near:
    echo: {title: Echo, http: {url: 'http://127.0.0.1:9/'}, period: 1h}
  deep:
    far: {title: Far, http: {url: 'http://127.0.0.1:9/'}, period: 1h}
`;
const quay = (version: string): string => `package: quay
version: ${version}
rules:
  berth:
    quay_full: {title: The quay is full, gauge: {expr: node_load1, above: {warning: 1e9}}}
`;

const pier = `package: pier
version: 1.0.0
rules:
  sea:
    calm: {gauge: {expr: node_load1, above: {critical: 1e9}}}
    rough:   # it needs the other
      gauge: {expr: node_load1, above: {critical: 1e9}}
      depends_on: [sea/calm]  # when it is known
`;
const jetty = `package: jetty
version: 1.0.0
override:
  pier:
    rules: {sea: {calm: {for: 1m}}}  # not at once
`;

const crane = `package: crane
version: 1.0.0
schemas:
  loads:
    indexes: {name: {type: name}}
    fields: {weight: {type: number}}
    script: scripts/crane.sh
loads:
  first: {weight: 5}
`;
const deck = `package: deck
version: 1.0.0
dashboards:
  a:
    b:
      variables: {host: {label: instance}}
      widgets:
      - {at: {x: 0, y: 0, w: 4, h: 4}, stat: {expr: 'up{instance="$host"}'}}
`;

let browser: Browser;
let server: Server;
let visitor: Visitor;

const fileOf = (name: string): string => readFileSync(join(server.data, 'packages', 'default', name, 'package.yaml'), 'utf8');
const editor = (page: Page): Locator => page.getByRole('textbox', { name: /^YAML of/ });
const field = (page: Page, path: string): Locator => page.locator(`[data-field="${path}"]`);

/** Saves what is edited, with a look at what it does. */
async function save(page: Page, reason: string): Promise<void> {
  await page.getByRole('button', { name: 'Save…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason, for the history').fill(reason);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  server.writePackage('tower', tower);
  server.writePackage('harbour', harbour);
  await until(async () => {
    const { packages } = await server.api<{ packages: { name: string; state: string }[] }>('GET', '/packages');
    return packages.filter(({ name, state }) => ['tower', 'harbour'].includes(name) && state === 'ok').length === 2;
  }, 'the packages');
  visitor = await Visitor.open(browser, server);
  await visitor.signInByLink();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

it('makes a rule by the form, and leaves every other byte of the file as it was', async () => {
  const { page } = visitor;
  await visitor.go('#/packages');
  await page.getByRole('list', { name: 'Packages' }).getByRole('link', { name: 'tower', exact: true }).click();
  await page.getByRole('link', { name: 'New item' }).click();
  await page.getByRole('button', { name: /^Rule / }).click();
  await page.getByRole('textbox', { name: 'Group' }).or(page.getByRole('combobox', { name: 'Group' })).fill('sea');
  await page.getByRole('textbox', { name: /^Name/ }).fill('rough');
  await page.getByRole('textbox', { name: 'Title' }).fill('The sea is rough');
  await page.getByRole('radio', { name: 'Gauge' }).click();
  await field(page, 'gauge.expr').getByRole('textbox').fill('node_load1 > bool 0');
  await page.getByRole('radio', { name: 'Above' }).click();
  await field(page, 'gauge.above.critical').getByRole('textbox').fill('1e9');
  await until(async () => /critical: (1e9|1e\+09|1000000000)/.test((await editor(page).innerText()) ?? ''), 'the value in the text');
  await save(page, 'watch the sea');
  await page.waitForURL(/#\/packages\/tower\/rules\/sea\/rough/);
  await page.getByRole('treeitem', { name: 'rough' }).waitFor();
  expect(fileOf('tower').startsWith(tower)).toBe(true);
  expect(fileOf('tower')).toContain('The sea is rough');
});

it('keeps a comment that was written in the text while the form changes the field below it', async () => {
  const { page } = visitor;
  await editor(page).click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('# for the night shift\n');
  await page.getByRole('textbox', { name: 'Title' }).fill('The sea is very rough');
  await until(async () => {
    const text = await editor(page).innerText();
    return text.includes('# for the night shift') && text.includes('The sea is very rough');
  }, 'both in the text');
});

it('tells a mistake of the text at its field, and a text that cannot be read while the form stands', async () => {
  const { page } = visitor;
  await editor(page).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('for: soon');
  await page.getByRole('tab', { name: 'When' }).click();
  await field(page, 'for').getByRole('alert').waitFor();
  const saving = page.getByRole('button', { name: 'Save…' });
  await page.getByText('Mend the error first').waitFor();
  expect(await saving.isDisabled()).toBe(true);
  expect(await saving.getAttribute('title')).toContain('must be a duration');
  await field(page, 'for').getByRole('textbox').fill('10s');
  await field(page, 'for').getByRole('alert').waitFor({ state: 'detached' });

  await editor(page).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\nadrift');
  await visitor.see('The text cannot be read');
  expect(await field(page, 'for').getByRole('textbox').inputValue()).toBe('10s');
  for (let i = 0; i <= 'adrift'.length; i += 1) await page.keyboard.press('Backspace');
  await page.getByText('The text cannot be read').waitFor({ state: 'detached' });
  await page.getByText('Mend the error first').waitFor({ state: 'detached' });
});

it('previews, saves with a reason, and history takes it back', async () => {
  const { page } = visitor;
  const before = fileOf('tower');
  await page.keyboard.press('Control+s');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('# for the night shift').waitFor();
  await dialog.getByLabel('Reason, for the history').fill('rougher');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(fileOf('tower')).toContain('# for the night shift');
  expect(fileOf('tower')).toContain('The sea is very rough');

  await page.getByRole('link', { name: 'History' }).click();
  const commit = page.getByRole('list', { name: 'Commits' }).getByRole('listitem').filter({ hasText: 'rougher' });
  await commit.getByText('admin').waitFor();
  await commit.getByRole('button', { name: /Revert/ }).click();
  await dialog.getByText('The sea is very rough').waitFor();
  await dialog.getByRole('button', { name: 'Revert' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(fileOf('tower')).toBe(before);
});

it('asks before unsaved changes are left behind', async () => {
  const { page } = visitor;
  await visitor.go('#/packages/tower/rules/sea/rough');
  await page.getByRole('textbox', { name: 'Title' }).fill('Not to be kept');
  await page.getByRole('navigation', { name: 'Areas' }).getByRole('link', { name: 'Hosts' }).click();
  await page.getByRole('button', { name: 'Keep editing' }).click();
  expect(await page.getByRole('textbox', { name: 'Title' }).inputValue()).toBe('Not to be kept');
  await page.getByRole('navigation', { name: 'Areas' }).getByRole('link', { name: 'Hosts' }).click();
  await page.getByRole('button', { name: 'Discard and leave' }).click();
  await page.waitForURL(/#\/hosts/);
});

it('shows both versions when two people change the same rule, and keeps both changes', async () => {
  const other = await Visitor.open(browser, server);
  const { page } = visitor;
  await server.api('POST', '/users', { name: 'berta', role: 'operator', password: 'a watchtower at night' });
  await other.signIn('berta', 'a watchtower at night');
  for (const one of [visitor, other]) {
    await one.go('#/packages/tower/rules/sea/rough');
    await one.page.getByRole('textbox', { name: 'Title' }).waitFor();
  }
  await page.getByRole('textbox', { name: 'Title' }).fill('The sea is wild');
  await field(other.page, 'gauge.above.critical').getByRole('textbox').fill('77');
  await save(other.page, 'a lower level');

  visitor.expected.push(/status of 409/);
  await page.getByRole('button', { name: 'Save…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Somebody else has changed this meanwhile' });
  await dialog.getByText('The sea is wild').first().waitFor();
  await dialog.getByText(/critical: 77/).first().waitFor();
  await dialog.getByRole('button', { name: 'Keep mine on top of theirs' }).click();
  const preview = page.getByRole('dialog', { name: /^Save/ });
  await preview.getByLabel('Reason, for the history').fill('wild');
  await preview.getByRole('button', { name: 'Save', exact: true }).click();
  await preview.waitFor({ state: 'detached' });
  expect(fileOf('tower')).toContain('The sea is wild');
  expect(fileOf('tower')).toMatch(/critical: 77/);
  await other.close();
});

it('copies a group into another package, and removes it there after a look', async () => {
  const { page } = visitor;
  await visitor.go('#/packages/tower');
  await page.getByRole('treeitem', { name: 'sea' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Copy/ }).click();
  await visitor.go('#/packages/harbour');
  await page.getByRole('button', { name: 'Paste sea' }).click();
  await page.getByRole('treeitem', { name: 'sea' }).waitFor();
  await until(() => fileOf('harbour').includes('# nearly always'), 'the group with its comments');
  expect(fileOf('harbour')).toContain('# Nothing here yet.');

  await page.getByRole('treeitem', { name: 'sea' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Remove/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove sea with 2 rules' });
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(fileOf('harbour')).not.toContain('sea');
});

it('renames a group, which stays open, and tells a name that is taken before anything is asked', async () => {
  const { page } = visitor;
  await visitor.go('#/packages/tower');
  await page.getByRole('treeitem', { name: 'calm' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Rename/ }).click();
  const input = page.getByRole('textbox', { name: 'New name of calm' });
  await input.fill('rough');
  await input.press('Enter');
  expect(await input.evaluate((element) => (element as unknown as { validationMessage: string }).validationMessage)).toBe('There is sea/rough already');
  expect(await page.getByRole('dialog').count()).toBe(0);
  await input.press('Escape');

  await page.getByRole('treeitem', { name: 'sea' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Rename/ }).click();
  await page.getByRole('textbox', { name: 'New name of sea' }).fill('ocean');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Rename sea to ocean' });
  await dialog.getByRole('button', { name: 'Do it' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('treeitem', { name: 'ocean' }).waitFor();
  await page.getByRole('treeitem', { name: 'calm' }).waitFor();
  await page.getByLabel('Parts of tower').getByRole('link', { name: 'History' }).click();
  await page.getByRole('list', { name: 'Commits' }).getByText('Rename sea to ocean').waitFor();
});

it('renames an item with all that refers to it, in whatever package, and names who refers before anything is removed', async () => {
  const { page } = visitor;
  server.writePackage('pier', pier);
  server.writePackage('jetty', jetty);
  await until(async () => {
    const { packages } = await server.api<{ packages: { name: string; state: string }[] }>('GET', '/packages');
    return packages.filter(({ name, state }) => ['pier', 'jetty'].includes(name) && state === 'ok').length === 2;
  }, 'pier and jetty');
  await visitor.go('#/packages/pier');
  await page.getByRole('treeitem', { name: 'calm' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Rename/ }).click();
  await page.getByRole('textbox', { name: 'New name of calm' }).fill('quiet');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Rename calm to quiet' });
  await dialog.getByText('2 references follow').waitFor();
  // Both files are shown before anything is written.
  await dialog.getByText('jetty/package.yaml').first().waitFor();
  await dialog.getByText('pier/package.yaml').first().waitFor();
  expect(fileOf('jetty')).toBe(jetty);
  await dialog.getByRole('button', { name: 'Do it' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('treeitem', { name: 'quiet' }).waitFor();
  expect(fileOf('pier')).toBe(pier.replace('calm:', 'quiet:').replace('[sea/calm]', '[sea/quiet]'));
  expect(fileOf('jetty')).toBe(jetty.replace('calm:', 'quiet:'));

  visitor.expected.push(/status of 422/);
  await page.getByRole('treeitem', { name: 'quiet' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Remove/ }).click();
  const removal = page.getByRole('dialog', { name: /^Remove/ });
  await removal.getByText('pier/sea/quiet cannot be removed: rules pier/sea/rough refers to it').waitFor();
  await removal.getByText('take it out of depends_on first').waitFor();
  await removal.getByText('pier/sea/quiet cannot be removed: package jetty overrides it').waitFor();
  await removal.getByRole('button', { name: 'Back' }).click();
});

it('shows what somebody changes on disk while the page is open', async () => {
  const { page } = visitor;
  await visitor.go('#/packages/harbour/rules');
  server.writePackage('harbour', harbour.replace('rules: {}', "rules:\n  port:\n    full:\n      title: The port is full\n      gauge: {expr: 'node_load1', above: {critical: 1e9}}"));
  await page.getByRole('treeitem', { name: 'port' }).waitFor();
  await visitor.see('port /');
});

it('makes an instance of a specification whose parameters all have defaults, with what it knows of them', async () => {
  const { page } = visitor;
  server.writePackage('tide', tide);
  await until(() => server.api<{ state: string }>('GET', '/packages/tide').then(({ state }) => state === 'ok'), 'the specification');
  await visitor.go('#/packages/harbour/instances?new=item');
  const specification = page.getByRole('combobox', { name: /^Specification/ });
  await specification.fill('tidal');
  await page.getByText('There is no specification “tidal”: there are').waitFor();
  await specification.fill('ping');
  await field(page, 'with.host').waitFor();
  await visitor.see('Holds');
  await page.getByRole('textbox', { name: /^Name/ }).first().fill('south');
  await field(page, 'with.host').getByText('the parameter "host" of ping is not given').waitFor();
  await specification.fill('tide');
  await page.locator('small').getByText('How high the water stands').waitFor();
  await page.getByRole('textbox', { name: /^Name/ }).first().fill('north');
  await field(page, 'with.level').getByText('Above this it is high').waitFor();
  const level = field(page, 'with.level').getByRole('textbox');
  expect(await level.getAttribute('placeholder')).toBe('5');
  await level.fill('deep');
  await field(page, 'with.level').getByRole('alert').waitFor();
  expect(await page.getByRole('button', { name: 'Save…' }).isDisabled()).toBe(true);
  await level.fill('');
  await field(page, 'with.level').getByRole('alert').waitFor({ state: 'detached' });
  // By keys, as people do it: each is an event of its own.
  await field(page, 'with.word').locator('input').pressSequentially('s3cretlong');
  await level.fill('7');
  await save(page, 'watch the north');
  expect(fileOf('harbour')).toContain('word: s3cretlong');
  await page.waitForURL(/#\/packages\/harbour\/instances\/tide\/north/);
  const { packages } = await server.api<{ packages: { name: string; state: string }[] }>('GET', '/packages');
  expect(packages.find(({ name }) => name === 'tide@north')?.state).toBe('ok');
  await visitor.go('#/packages/tide@north');
  const values = page.getByRole('region', { name: 'Values' });
  await values.getByText('level 7').waitFor();
  await values.getByText('word ••••••').waitFor();
});

it('goes to what was pasted by the name that it got', async () => {
  const { page } = visitor;
  server.writePackage('sonar', sonar);
  await until(() => server.api<{ state: string }>('GET', '/packages/sonar').then(({ state }) => state === 'ok'), 'the checks');
  await visitor.go('#/packages/sonar');
  await page.getByRole('treeitem', { name: 'echo' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Copy/ }).click();
  await page.getByRole('treeitem', { name: 'deep' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Paste/ }).click();
  await page.waitForURL(/#\/packages\/sonar\/collectors\/deep\/echo-2/);
  await page.getByRole('treeitem', { name: 'echo-2', selected: true }).waitFor();
});

it('installs an archive after a look at it, upgrades it, and refuses what is not newer', async () => {
  const { page } = visitor;
  const archives: { name: string; mimeType: string; buffer: Buffer }[] = [];
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    server.writePackage('quay', quay(version));
    await until(async () => (await server.api<{ version: string }>('GET', '/packages/quay')).version === version, 'the package to pack');
    await visitor.go('#/packages/quay');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()]);
    archives.push({ name: download.suggestedFilename(), mimeType: 'application/octet-stream', buffer: readFileSync((await download.path())!) });
  }
  await visitor.go('#/packages');
  await page.getByRole('list', { name: 'Packages' }).getByRole('link', { name: 'quay', exact: true }).waitFor();
  await server.api('POST', '/package-changes', { operations: [{ op: 'remove_package', package: 'quay' }], reason: 'packed' });
  const [first, second, third] = archives as [(typeof archives)[0], (typeof archives)[0], (typeof archives)[0]];
  const choose = async (archive: typeof first): Promise<void> => {
    await visitor.go('#/packages');
    await page.getByRole('button', { name: 'Install', exact: true }).click();
    await page.getByLabel('Archive').setInputFiles(archive);
    await page.getByRole('button', { name: 'Go on' }).click();
  };
  await choose(first);
  const install = page.getByRole('dialog', { name: 'Install quay 1.0.0' });
  await install.getByText('1 rule is added').waitFor();
  await install.getByRole('button', { name: 'Install', exact: true }).click();
  await page.waitForURL(/#\/packages\/quay$/);
  expect(fileOf('quay')).toBe(quay('1.0.0'));

  visitor.expected.push(/status of 409.*package-install/);
  await choose(second);
  const upgrade = page.getByRole('dialog', { name: 'Upgrade quay from 1.0.0 to 1.1.0' });
  await upgrade.getByText('version: 1.1.0').waitFor();
  expect(fileOf('quay')).toBe(quay('1.0.0'));
  await upgrade.getByRole('button', { name: 'Upgrade' }).click();
  await upgrade.waitFor({ state: 'detached' });
  expect(fileOf('quay')).toBe(quay('1.1.0'));

  await choose(second);
  await page.getByRole('dialog').getByText('package quay is of version 1.1.0; the archive holds 1.1.0').waitFor();
  await page.keyboard.press('Escape');

  // Somebody else is there first: what was looked at is not what would change.
  await choose(third);
  const late = page.getByRole('dialog', { name: 'Upgrade quay from 1.1.0 to 1.2.0' });
  await late.getByText('version: 1.2.0').waitFor();
  server.writePackage('quay', quay('1.1.5'));
  await until(async () => (await server.api<{ version: string }>('GET', '/packages/quay')).version === '1.1.5', "the other's version");
  await late.getByRole('button', { name: 'Upgrade' }).click();
  const again = page.getByRole('dialog', { name: 'Upgrade quay from 1.1.5 to 1.2.0' });
  await again.getByText('Somebody else changed quay meanwhile. Nothing was done').waitFor();
  expect(fileOf('quay')).toBe(quay('1.1.5'));
  await again.getByRole('button', { name: 'Upgrade' }).click();
  await again.waitFor({ state: 'detached' });
  expect(fileOf('quay')).toBe(quay('1.2.0'));
});

it('says that a package whose program fails is failing, in the list and in its head', async () => {
  const { page } = visitor;
  server.writePackage('crane', crane);
  const scripts = join(server.data, 'packages', 'default', 'crane', 'scripts');
  mkdirSync(scripts, { recursive: true });
  writeFileSync(join(scripts, 'crane.sh'), '#!/bin/sh\necho no crane >&2; exit 3\n');
  await until(
    () => server.api<{ processed?: { state: string }[] }>('GET', '/packages/crane').then(({ processed }) => processed?.[0]?.state === 'failed'),
    "the program's failure",
  );
  await visitor.go('#/packages');
  await page.getByRole('list', { name: 'Packages' }).getByRole('listitem').filter({ hasText: 'crane' }).getByText('Failing').waitFor();
  await visitor.go('#/packages/crane');
  await page.getByText('Failing').first().waitFor();
  await page.getByText('ended with 3: no crane').waitFor();
});

it('is led to items by the palette, and to the parts of a package by what people guess', async () => {
  const { page } = visitor;
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search' }).fill('quay_full');
  await page.getByRole('option', { name: /The quay is full/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/packages\/quay\/rules\/berth\/quay_full/);
  await visitor.go('#/packages/quay/files');
  await page.waitForURL(/#\/packages\/quay\?view=files/);
  await page.getByRole('link', { name: 'package.yaml' }).waitFor();
  await visitor.go('#/packages/quay/channels');
  await visitor.see('quay has no channels');
});

it('tells a mistake in the query of a widget while it is typed as text', async () => {
  const { page } = visitor;
  server.writePackage('deck', deck);
  await until(() => server.api<{ state: string }>('GET', '/packages/deck').then(({ state }) => state === 'ok'), 'the dashboard');
  await visitor.go('#/packages/deck/dashboards/a/b');
  await editor(page).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\n- {at: {x: 0, y: 4, w: 4, h: 4}, stat: {expr: \'rate(x{instance="$hots"}[5m])');
  await visitor.see('there is no variable "hots"');
  expect(await page.getByRole('button', { name: 'Save…' }).isDisabled()).toBe(true);
});

it('has had no fault on the way', async () => {
  await visitor.close();
});
