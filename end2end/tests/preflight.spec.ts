import { expect, test, type Page } from '@playwright/test';
import { demo } from '../demo';
import { define, expectAccessible, expectToFit, logIn, row, virsh, type HostName } from './support';

/** The definition of a VM that is never started: only its name matters. */
const named = (name: string) =>
  `<domain type='qemu'><name>${name}</name><memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os></domain>`;

/** Opens the Migrate window for the VM on alpha. */
async function openDialog(page: Page, vm: string) {
  await row(page, vm).filter({ hasText: 'alpha' }).getByRole('link', { name: 'Migrate' }).click();
  const dialog = page.getByRole('dialog', { name: `Migrate ${vm}` });
  const card = (host: HostName) => dialog.locator(`.destination[data-host="${host}"]`);
  return { dialog, card };
}

test('every host says whether it takes the VM, and the best is recommended', async ({ page }) => {
  await logIn(page);
  const { dialog, card } = await openDialog(page, 'web');
  for (const host of ['beta', 'gamma'] as const) {
    await expect(card(host)).toContainText('Nothing stands in the way');
    await expect(card(host)).toContainText('no disk is copied');
  }
  await expect(card('alpha').getByRole('radio')).toBeDisabled();
  await expect(card('alpha').locator('.reason')).toHaveText('Already runs here');
  // It depends on the free memory which of the two is recommended.
  const recommended = dialog.locator('.destination').filter({ has: page.locator('.tag:visible') });
  await expect(recommended).toHaveCount(1);
  await expect(recommended.getByRole('radio')).toBeChecked();
  await card('beta').getByRole('radio').check();
  await expect(dialog.locator('.plan')).toContainText('web moves from alpha to beta while it keeps running');
  await dialog.getByText(/checks passed/).click();
  await expect(dialog.getByText('beta answers.')).toBeVisible();
  await expect(dialog.locator('[data-disk=vda]')).toContainText('Shared, not copied');
  await expectAccessible(page, 'the findings');
  await expectToFit(page, 'the findings');

  await dialog.getByText('Options: new name').click();
  await dialog.getByLabel('Keep the definition at the source').check();
  await expect(dialog.locator('.plan')).toContainText('alpha keeps its definition.');
  await dialog.getByRole('button', { name: 'Measure' }).click();
  await expect(dialog.getByText(/The guest writes .*B\/s/)).toBeVisible();
});

test.describe('where the name is taken', () => {
  test.beforeAll(() => define('gamma', named('web')));
  test.afterAll(() => void virsh('gamma', 'undefine', 'web'));

  test('a new name allows the migration', async ({ page }) => {
    await logIn(page);
    const { dialog, card } = await openDialog(page, 'web');
    await expect(card('gamma').locator('.blocked')).toBeVisible();
    await expect(card('beta').getByRole('radio')).toBeChecked();
    const newName = dialog.getByLabel('New name at the destination');
    await card('gamma').getByRole('radio').check();
    const start = dialog.getByRole('button', { name: 'Start migration' });
    await expect(start).toBeDisabled();
    await newName.fill('web-two');
    await expect(dialog.locator('.plan')).toContainText('There it is called web-two.');
    await expect(newName).toBeFocused();
    await expect(start).toBeEnabled();
  });
});

test.describe('without WASM', () => {
  test.use({ javaScriptEnabled: false });

  test('the page shows the findings, and checks again when asked', async ({ page }) => {
    await page.goto('/');
    await page.getByLabel('User name').fill(demo.user);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await row(page, 'web').getByRole('link', { name: 'Migrate' }).click();
    await expect(page.getByRole('heading', { name: /^Checks on (beta|gamma)$/ })).toBeVisible();
    await page.getByRole('radio', { name: 'gamma' }).check();
    await page.getByText('Options: new name').click();
    await page.getByLabel('Bandwidth limit in MiB/s').fill('16');
    await page.getByRole('button', { name: 'Check again' }).click();
    await expect(page.getByRole('heading', { name: 'Checks on gamma' })).toBeVisible();
    await expect(page.locator('.plan')).toContainText('web moves from alpha to gamma');
    await expect(page.locator('.plan')).toContainText('at no more than 16 MiB/s');
    await page.getByRole('button', { name: 'Measure' }).click();
    await expect(page.getByText(/The guest writes .*B\/s/)).toBeVisible();
    await expect(page.getByLabel('Bandwidth limit in MiB/s')).toHaveValue('16');
  });
});
