import { expect, test, type Page } from '@playwright/test';
import { pagesOf, type Subject } from '../pages';
import { clearUp, prepare } from '../subject';
import { expectAccessible, expectLargeTargets, expectLive, expectToFit, logIn, row } from './support';

/** Windows that are looked at: a desktop, and a phone. */
const WINDOWS = [{ width: 1280, height: 800 }, { width: 360, height: 780 }];

// axe reads the page a hundred times, each of which a trace would keep.
test.use({ trace: 'off' });
test.skip(({ isMobile }) => isMobile, 'the widths are of this test');

/** The page as it is has no obstacles and fits, in each window, light and dark. */
async function expectGood(page: Page, where: string) {
  for (const window of WINDOWS) {
    await page.setViewportSize(window);
    await expectToFit(page, `${where} at ${window.width}`);
    await page.emulateMedia({ colorScheme: 'light' });
    await expectAccessible(page, `${where} at ${window.width}`);
    // All but its colours is the same in the dark.
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page, `${where} at ${window.width}, dark`, 'color-contrast');
  }
  await expectLargeTargets(page, where);
}

test('every page is without obstacles and fits', async ({ page }) => {
  test.setTimeout(900_000);
  await page.goto('/login');
  await expectGood(page, 'login');
  await logIn(page);
  const subject: Subject = await prepare(page.request);
  try {
    for (const { name, path } of pagesOf(subject)) {
      await page.goto(path);
      await expectGood(page, name);
    }
    await page.goto('/');
    await expectLive(page);
    await row(page, 'web').getByRole('link', { name: 'Migrate' }).click();
    await expect(page.getByRole('dialog').getByRole('button', { name: 'Start migration' })).toBeEnabled();
    await expectGood(page, 'the migrate dialog');
  } finally {
    await clearUp(page.request, subject);
  }
});
