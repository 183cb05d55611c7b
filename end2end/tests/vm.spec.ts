import { execFileSync } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { demo } from '../demo';
import { expectAccessible, expectLive, expectToFit, logIn, row, runsOn } from './support';

/** Runs virsh on the host of a VM. */
function virsh(vm: string, ...what: string[]) {
  const [host] = runsOn(vm);
  if (!host) throw new Error(`${vm} runs nowhere`);
  return execFileSync('virsh', ['-c', demo.hosts[host], ...what], { encoding: 'utf8' });
}

test('a VM has a page with what its host says of it', async ({ page }, { project }) => {
  await logIn(page);
  await row(page, 'web').getByRole('link', { name: 'web', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'web', level: 1 })).toBeVisible();
  const facts = page.locator('.vm-facts');
  await expect(facts).toContainText(virsh('web', 'domuuid', 'web').trim());
  await expect(page.getByText(/^vda/)).toBeVisible();
  await expect(page.locator('.where-to')).toContainText('can take it');
  await expect(page.locator('.usage svg')).toHaveCount(4);
  // Two figures make a line.
  await expect(page.locator('.usage path').first()).toHaveAttribute('d', /L/);
  await expectAccessible(page, `a VM on a ${project.name}`);
  await expectToFit(page, `a VM on a ${project.name}`);

  await page.getByRole('link', { name: 'XML' }).click();
  await expect(page.locator('.xml')).toContainText('<name>web</name>');
  await expectAccessible(page, 'XML');
  await expectToFit(page, 'XML');
  await page.getByRole('link', { name: 'VM', exact: true }).click();
  await expectLive(page);
});

test('the page follows the VM, and keeps what has the focus', async ({ page }) => {
  await logIn(page);
  await row(page, 'web').getByRole('link', { name: 'web', exact: true }).click();
  const title = virsh('web', 'desc', 'web', '--title').trim();
  const shown = page.locator('.vm-facts');
  await expect(shown).toContainText(title);
  await page.getByRole('link', { name: 'XML' }).focus();
  try {
    virsh('web', 'desc', 'web', '--title', '--live', '--new-desc', 'Moved into the page');
    await expect(shown).toContainText('Moved into the page');
    await expect(page.getByRole('link', { name: 'XML' })).toBeFocused();
  } finally {
    virsh('web', 'desc', 'web', '--title', '--live', '--new-desc', title);
  }
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('a VM is shown all the same', async ({ page }) => {
    await page.goto('/');
    await page.getByLabel('User name').fill(demo.user);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await row(page, 'web').getByRole('link', { name: 'web', exact: true }).click();
    await expect(page.getByText(/^vda/)).toBeVisible();
    await expect(page.getByRole('link', { name: 'Check the destinations' })).toBeVisible();
  });
});
