import { expect, test, type Page } from '@playwright/test';
import { demo } from '../demo';
import { definedOn, expectAccessible, expectToFit, live, logIn, migrate, row, runsOn } from './support';

/** Nothing listens at this port, on an address that is this machine's like all of the network. */
const silent = { address: demo.network.replace(/0$/, '250'), port: '9' };

const card = (page: Page, host: string) => page.locator(`.host[data-host="${host}"]`);

/** A field by what the form calls it: its label has a hint, too. */
const field = (page: Page, name: string) => page.locator(`[name="${name}"]`);

/** A page that the server renders is one for everybody. */
async function expectGood(page: Page, where: string) {
  await expectAccessible(page, where);
  await expectToFit(page, where);
}

async function fillIn(page: Page, name: string, address: string, port: string) {
  await field(page, 'name').fill(name);
  await page.getByRole('radio', { name: 'TCP' }).check();
  await field(page, 'address').fill(address);
  await field(page, 'port').fill(port);
}

test('a host says what it is, and is tested', async ({ page }) => {
  await logIn(page, '/hosts');
  await expect(card(page, 'beta')).toContainText('connected');
  await expect(card(page, 'beta')).toContainText(/Latency\s*\d+ ms/);
  // It is registered by the demo, and is not changed here.
  await expect(card(page, 'beta').getByRole('link')).toHaveText(['Test']);
  await card(page, 'beta').getByRole('link', { name: 'Test' }).click();
  await expect(page.getByRole('heading', { name: 'Test beta' })).toBeVisible();
  await page.getByRole('button', { name: 'Test' }).click();
  await expect(page.getByRole('heading', { name: 'The host answers' })).toBeVisible();
  await expectGood(page, 'a tested host');
  await page.getByRole('link', { name: 'Hosts' }).first().click();
  await live(page);
});

test('the form has what the transport needs', async ({ page }) => {
  await logIn(page, '/hosts');
  await page.getByRole('link', { name: 'Add a host' }).click();
  await expect(field(page, 'password')).toBeVisible();
  await expectGood(page, 'a new host by ssh');
  await page.getByRole('radio', { name: "With the console's own key" }).check();
  await expect(field(page, 'password')).toBeHidden();
  await page.getByRole('radio', { name: 'This machine' }).check();
  await expect(field(page, 'address')).toBeHidden();
  await page.getByRole('radio', { name: 'TCP' }).check();
  await expect(field(page, 'address')).toBeVisible();
  await expect(field(page, 'user')).toBeHidden();
  await page.getByText('More: access for other hosts').click();
  await expectGood(page, 'all about a new host');
});

test('a host that is none, does not answer or is there already is not added', async ({ page }) => {
  await logIn(page, '/hosts');
  await page.goto('/hosts/add');
  const alert = page.getByRole('alert');
  await fillIn(page, 'Not A Name', silent.address, silent.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText("This is not a host's name.");
  await fillIn(page, 'delta', '-oProxyCommand=id', silent.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText('address');
  await fillIn(page, 'delta', silent.address, silent.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText(silent.address);
  await expectGood(page, 'a host that does not answer');
  // What was typed is still there.
  await expect(field(page, 'name')).toHaveValue('delta');
  await expect(page.getByRole('radio', { name: 'TCP' })).toBeChecked();
  await fillIn(page, 'beta', silent.address, silent.port);
  await page.getByRole('button', { name: 'Add host' }).click();
  await expect(alert).toContainText('registered already');
  await page.goto('/hosts');
  await live(page);
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
  await expect(card(page, 'delta')).toContainText('not limited');

  for (const [from, to] of [['alpha', 'delta'], ['delta', 'alpha']] as const) {
    await page.goto('/');
    await live(page);
    await expect(row(page, 'web')).toContainText(from);
    await migrate(page, 'web', to);
    await expect(page.locator('.result')).toHaveText(new RegExp(`^web runs on ${to} after `));
    expect(runsOn('web')).toEqual([to]);
    expect(definedOn('web')).toEqual([to]);
  }

  await page.goto('/hosts');
  await card(page, 'delta').getByRole('link', { name: 'Edit' }).click();
  await expectGood(page, 'a host that is changed');
  await expect(page.getByRole('radio', { name: 'User session' })).toBeChecked();
  await expect(field(page, 'shared_directories')).toHaveValue(shared);
  await field(page, 'name').fill('lower-rack');
  await field(page, 'bandwidth_mib_s').fill('64');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(card(page, 'lower-rack')).toContainText('64 MiB/s');
  await expect(card(page, 'delta')).toHaveCount(0);

  await card(page, 'lower-rack').getByRole('link', { name: 'Remove' }).click();
  await expectGood(page, 'a host to be removed');
  await page.getByRole('button', { name: 'Remove host' }).click();
  await live(page);
  await expect(page.locator('.host')).toHaveCount(3);
});

test('another host is a way out of the migrate window, and never this machine itself', async ({ page }) => {
  await logIn(page);
  await row(page, 'web').getByRole('link', { name: 'Migrate' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Another host…' }).click();
  await expect(page.getByRole('heading', { name: 'Migrate web to another host' })).toBeVisible();
  await expectGood(page, 'another host');
  for (const address of ['localhost', '127.0.0.1', '127.1']) {
    await field(page, 'destination').fill(address);
    await field(page, 'password').fill('a secret of theirs');
    await page.getByRole('button', { name: 'Start migration' }).click();
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(field(page, 'destination')).toHaveValue(address);
    await expect(field(page, 'password')).toHaveValue('');
  }
  expect(await page.content()).not.toContain('a secret of theirs');
  await expectGood(page, 'another host that is none');
});

test.describe('without WASM', () => {
  test.use({ javaScriptEnabled: false });

  test('the forms are what they are with it', async ({ page }) => {
    await page.goto('/hosts');
    await page.getByLabel('User name').fill(demo.user);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'Add a host' }).click();
    await fillIn(page, 'delta', silent.address, silent.port);
    await page.getByRole('button', { name: 'Add host' }).click();
    await expect(page.getByRole('alert')).toContainText(silent.address);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await expect(page.getByRole('heading', { name: 'Hosts' })).toBeVisible();
  });
});
