import { expect, test, type Page } from '@playwright/test';
import { demo } from '../demo';
import { definedOn, expectAccessible, expectToFit, expectLive, logIn, migrate, row, runsOn } from './support';

/** A closed port of this machine. */
const closed = { address: demo.network.replace(/0$/, '250'), port: '9' };

/** A host's row in the table, or its card on its own page. */
const card = (page: Page, host: string) => page.locator(`.host[data-host="${host}"]`);

/** Leads from the table to a host's page. */
async function open(page: Page, host: string) {
  await card(page, host).getByRole('link', { name: host }).click();
  await expect(page.getByRole('heading', { name: host, exact: true })).toBeVisible();
}

/** A field by its name: its label contains the hint, too. */
const field = (page: Page, name: string) => page.locator(`[name="${name}"]`);

/** Pages that are rendered on the server only are accessible and fit, too. */
async function expectAccessibleAndFitting(page: Page, where: string) {
  await expectAccessible(page, where);
  await expectToFit(page, where);
}

async function fillIn(page: Page, name: string, address: string, port: string) {
  await field(page, 'name').fill(name);
  await page.getByRole('radio', { name: 'TCP' }).check();
  await field(page, 'address').fill(address);
  await field(page, 'port').fill(port);
}

test('a host shows its facts, and is tested', async ({ page }) => {
  await logIn(page, '/hosts');
  await expect(card(page, 'beta')).toContainText('connected');
  await open(page, 'beta');
  await expect(card(page, 'beta')).toContainText(/Latency\s*\d+ ms/);
  // The demo's configuration names it, so that it can't be changed here.
  await expect(card(page, 'beta').getByRole('link', { name: /Edit|Remove/ })).toHaveCount(0);
  await card(page, 'beta').getByRole('link', { name: 'Test' }).click();
  await expect(page.getByRole('heading', { name: 'Test beta' })).toBeVisible();
  await page.getByRole('button', { name: 'Test' }).click();
  await expect(page.getByRole('heading', { name: 'The host answers' })).toBeVisible();
  await expectAccessibleAndFitting(page, 'a tested host');
  await page.getByRole('link', { name: 'Hosts' }).first().click();
  await expectLive(page);
});

test('the form shows the fields of the transport', async ({ page }) => {
  await logIn(page, '/hosts');
  await page.getByRole('link', { name: 'Add a host' }).click();
  await expect(field(page, 'password')).toBeVisible();
  await expectAccessibleAndFitting(page, 'a new host by ssh');
  await page.getByRole('radio', { name: "With the console's own key" }).check();
  await expect(field(page, 'password')).toBeHidden();
  await page.getByRole('radio', { name: 'This machine' }).check();
  await expect(field(page, 'address')).toBeHidden();
  await page.getByRole('radio', { name: 'TCP' }).check();
  await expect(field(page, 'address')).toBeVisible();
  await expect(field(page, 'user')).toBeHidden();
  await page.getByText('More: access for other hosts').click();
  await expectAccessibleAndFitting(page, 'all fields of a new host');
});

test('a host that is invalid, does not answer or is registered already is not added', async ({ page }) => {
  await logIn(page, '/hosts');
  await page.goto('/hosts/add');
  const alert = page.getByRole('alert');
  await fillIn(page, 'Not A Name', closed.address, closed.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText("This is not a host's name.");
  await fillIn(page, 'delta', '-oProxyCommand=id', closed.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText('address');
  await fillIn(page, 'delta', closed.address, closed.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText(closed.address);
  await expectAccessibleAndFitting(page, 'a host that does not answer');
  // The fields keep what was typed.
  await expect(field(page, 'name')).toHaveValue('delta');
  await expect(page.getByRole('radio', { name: 'TCP' })).toBeChecked();
  await fillIn(page, 'beta', closed.address, closed.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText('registered already');
  await page.goto('/hosts');
  await expectLive(page);
  await expect(page.locator('.host')).toHaveCount(3);
});

test('a host is added, sends and receives, is changed and removed', async ({ page }) => {
  await logIn(page, '/hosts');
  const shared = await page.evaluate(async () => (await (await fetch('/api/hosts/alpha')).json()).settings.shared_directories[0]);
  await page.getByRole('link', { name: 'Add a host' }).click();
  const { hostname } = new URL(demo.hosts.delta.replace('qemu+tcp', 'http'));
  await fillIn(page, 'delta', hostname, '16509');
  await page.getByRole('radio', { name: 'User session' }).check();
  await page.getByText('More: access for other hosts').click();
  await field(page, 'shared_directories').fill(shared);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(card(page, 'delta')).toContainText('connected');
  await open(page, 'delta');
  await expect(card(page, 'delta')).toContainText('not limited');

  for (const [from, to] of [['alpha', 'delta'], ['delta', 'alpha']] as const) {
    await page.goto('/');
    await expectLive(page);
    await expect(row(page, 'web')).toContainText(from);
    await migrate(page, 'web', to);
    await expect(page.locator('.result')).toHaveText(new RegExp(`^web runs on ${to} after `));
    expect(runsOn('web')).toEqual([to]);
    expect(definedOn('web')).toEqual([to]);
  }

  await page.goto('/hosts/delta');
  await card(page, 'delta').getByRole('link', { name: 'Edit' }).click();
  await expectAccessibleAndFitting(page, 'a host that is changed');
  await expect(page.getByRole('radio', { name: 'User session' })).toBeChecked();
  await expect(field(page, 'shared_directories')).toHaveValue(shared);
  await field(page, 'name').fill('lower-rack');
  await field(page, 'bandwidth_mib_s').fill('64');
  await page.getByRole('button', { name: 'Save' }).click();
  await open(page, 'lower-rack');
  await expect(card(page, 'lower-rack')).toContainText('64 MiB/s');
  await card(page, 'lower-rack').getByRole('link', { name: 'Remove' }).click();
  await expectAccessibleAndFitting(page, 'a host to be removed');
  await page.getByRole('button', { name: 'Remove host' }).click();
  await expectLive(page);
  await expect(page.locator('.host')).toHaveCount(3);
});

test('the migrate window leads to another host, which must not be this machine', async ({ page }) => {
  await logIn(page);
  await row(page, 'web').getByRole('link', { name: 'Migrate' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Another host…' }).click();
  await expect(page.getByRole('heading', { name: 'Migrate web to another host' })).toBeVisible();
  await expectAccessibleAndFitting(page, 'another host');
  for (const address of ['localhost', '127.0.0.1', '127.1']) {
    await field(page, 'destination').fill(address);
    await field(page, 'password').fill('a typed secret');
    await page.getByRole('button', { name: 'Start migration' }).click();
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(field(page, 'destination')).toHaveValue(address);
    await expect(field(page, 'password')).toHaveValue('');
  }
  expect(await page.content()).not.toContain('a typed secret');
  await expectAccessibleAndFitting(page, 'another host that is invalid');
});

test.describe('without WASM', () => {
  test.use({ javaScriptEnabled: false });

  test('a form is sent, refused and cancelled', async ({ page }) => {
    await page.goto('/hosts');
    await page.getByLabel('User name').fill(demo.user);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'Add a host' }).click();
    await fillIn(page, 'delta', closed.address, closed.port);
    await page.getByRole('button', { name: 'Add host' }).click();
    await expect(page.getByRole('alert')).toContainText(closed.address);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await expect(page.getByRole('heading', { name: 'Hosts' })).toBeVisible();
  });
});
