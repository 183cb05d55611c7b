import { expect, test } from '@playwright/test';
import { logIn, row } from './support';

test('what is wrong in the Migrate window is told at its field', async ({ page }) => {
  await logIn(page);
  await row(page, 'web').getByRole('link', { name: 'Migrate' }).click();
  const dialog = page.getByRole('dialog', { name: 'Migrate web' });
  await dialog.getByRole('radio', { name: 'beta' }).check();
  const name = dialog.getByLabel('New name at the destination');
  await name.fill('a/b');
  // The checks say so, while one may be typing elsewhere: the focus stays where it is.
  const bandwidth = dialog.getByLabel('Bandwidth limit in MiB/s');
  await bandwidth.focus();
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await expect(name).toHaveAccessibleDescription(/can't be a VM's name/);
  await expect(bandwidth).toBeFocused();
  await dialog.getByRole('button', { name: 'Start migration' }).click();
  await expect(name).toBeFocused();
  await expect(name).toHaveValue('a/b');
  await name.fill('web2');
  await expect(name).not.toHaveAttribute('aria-invalid');
  await expect(name).toHaveAccessibleDescription('');
});
