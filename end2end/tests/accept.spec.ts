import { expect, test } from '@playwright/test';
import { define, definedOn, expectAccessible, expectToFit, logIn, row, runsOn, virsh } from './support';

/** A VM of its own, of which no migration of this console has left a definition anywhere. */
const vm = 'ledger';
const uuid = '766d6665-7272-4901-8000-0000000000ac';

/** Its definition with these devices. */
const definition = (devices = '') =>
  `<domain type='qemu'><name>${vm}</name><uuid>${uuid}</uuid><memory unit='MiB'>32</memory>` +
  `<os><type arch='x86_64'>hvm</type></os><devices>${devices}</devices></domain>`;

/** A disk that no other has. */
const disk = "<disk type='file' device='disk'><source file='/nowhere/other.img'/><target dev='vda' bus='virtio'/></disk>";

test.skip(({ isMobile }) => isMobile, 'the page is no other on a phone');

test.beforeAll(() => {
  define('alpha', definition());
  virsh('alpha', 'start', vm);
  // Nothing tells whether these are the same VM.
  for (const host of ['beta', 'gamma'] as const) define(host, definition(disk));
});

test.afterAll(() => {
  for (const host of runsOn(vm)) virsh(host, 'destroy', vm);
  for (const host of definedOn(vm)) virsh(host, 'undefine', vm);
});

test('a VM that stays for a risk moves once the risk is accepted', async ({ page }) => {
  await logIn(page);
  await page.getByRole('combobox', { name: 'Search VMs' }).fill(`name:${vm}`);
  await expect(page.locator('tr[data-vm]')).toHaveCount(1);
  await expect(row(page, vm)).toContainText('alpha');
  await page.getByRole('checkbox', { name: `Select ${vm}`, exact: true }).check();
  await page.locator('form.selection').getByRole('button', { name: 'Migrate' }).click();
  await page.getByRole('button', { name: 'Make the plan' }).click();
  const stays = page.locator(`.stay[data-vm="${vm}"]`);
  await expect(stays).toContainText(`No host can take ${vm}`);
  await expect(stays).toContainText('with other disks');
  await expect(page.locator('.moves')).toHaveCount(0);
  await expectAccessible(page, 'a plan with a risk');
  await expectToFit(page, 'a plan with a risk');

  await page.getByRole('checkbox', { name: /^I accept this risk/ }).check();
  await page.getByRole('button', { name: 'Make the plan with these choices' }).click();
  await expect(page.locator(`.moves [data-vm="${vm}"]`)).toBeVisible();
  await expect(stays).toHaveCount(0);
  // It leads back to the list as it was.
  await expect(page.locator('.back a')).toHaveAttribute('href', `/?q=name%3A${vm}`);
  await page.getByRole('button', { name: 'Carry it out' }).click();
  await expect(page.locator('.evacuation')).toHaveAttribute('data-state', 'done');
  expect(runsOn(vm)).not.toEqual(['alpha']);
  expect(runsOn(vm)).toHaveLength(1);
});
