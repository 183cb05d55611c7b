import { expect, test, type Locator, type Page } from '@playwright/test';
import { demo } from '../demo';
import { start } from '../pages';
import { expectLive, row, runsOn } from './support';

/** What has the focus can be seen: it is in the window, nothing covers it, and it is marked. */
async function expectFocusSeen(page: Page) {
  const seen = await page.evaluate(() => {
    const element = document.activeElement;
    const box = element?.getClientRects()[0];
    if (!element || !box || element === document.body) return 'nothing has the focus';
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return `${element.outerHTML} is outside of the window`;
    const top = document.elementFromPoint(x, y);
    if (!top || !(element.contains(top) || top.contains(element))) return `${top?.outerHTML} covers ${element.outerHTML}`;
    return element.matches(':focus-visible') ? '' : `${element.outerHTML} is not marked`;
  });
  expect(seen).toBe('');
}

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, wanted: Locator) {
  for (let presses = 0; presses < 60; presses++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
    // After the last element it is the browser's own turn.
    if (await page.evaluate(() => document.activeElement !== document.body)) await expectFocusSeen(page);
  }
  await expect(wanted).toBeFocused();
}

test('the keyboard is enough from the login to a finished migration', async ({ page, isMobile }) => {
  test.skip(isMobile, 'a phone has no keyboard');
  await page.goto('/');
  await expect(page.getByLabel('User name')).toBeFocused();
  await page.keyboard.type(demo.user);
  await page.keyboard.press('Tab');
  await page.keyboard.type(demo.password);
  await page.keyboard.press('Enter');
  await expectLive(page);

  const migrate = row(page, 'web').getByRole('link', { name: 'Migrate' });
  await tabTo(page, migrate);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  // Escape closes it, and the focus is where it was.
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(migrate).toBeFocused();

  await page.keyboard.press('Enter');
  const destinations = dialog.locator('[type=radio][name*=destination]');
  await expect(destinations.first()).toBeEnabled();
  await tabTo(page, dialog.locator('[type=radio][name*=destination]:checked'));
  const gamma = dialog.getByRole('radio', { name: 'gamma' });
  for (let presses = 0; presses < 3 && !(await gamma.isChecked()); presses++) {
    await page.keyboard.press('ArrowDown');
    await expectFocusSeen(page);
  }
  await expect(gamma).toBeChecked();
  await tabTo(page, dialog.getByRole('button', { name: 'Start migration' }));
  await page.keyboard.press('Space');
  await expect(page.locator('.result')).toHaveText(/^web runs on gamma after /);
  expect(runsOn('web')).toEqual(['gamma']);
  await tabTo(page, page.getByRole('link', { name: 'Back to the VMs' }));
  await page.keyboard.press('Enter');
  await expect(row(page, 'web')).toContainText('gamma');

  await start(page.request, 'web', 'alpha', 'balanced');
  await expect(row(page, 'web')).toContainText('alpha');
});
