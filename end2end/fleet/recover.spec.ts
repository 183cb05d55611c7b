import { expect, test } from '@playwright/test';
import { startFleet, type Fleet } from './console';

let fleet: Fleet;
test.beforeAll(async () => {
  fleet = await startFleet('--hosts', '4', '--unreachable', '0', '--vms', '12', '--migrating', '1', '--listen', '127.0.0.1:0');
});
test.afterAll(() => fleet.stop());

test('a post-copy that broke off is recovered', async ({ page }) => {
  await fleet.logIn(page);
  await expect(page.locator('.simulated')).toBeVisible();
  // It needs attention a few seconds after the start.
  const told = page.locator('a[href^="/migrations/"]').filter({ hasText: 'broken-post-copy' }).or(
    page.locator('[data-vm="broken-post-copy"]').locator('a[href^="/migrations/"]'),
  );
  await told.first().click();
  await expect(page).toHaveURL(/\/migrations\/[0-9a-f-]{36}$/);
  const recover = page.getByRole('link', { name: /Recover/ });
  await recover.click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(/Recover/);
  await dialog.getByRole('button', { name: /Recover/ }).click();
  await expect(page.locator('.result')).toHaveText(/^broken-post-copy runs on rack01-0[12] after /);
});
