import { devices, expect, test } from '@playwright/test';
import { startFleet, type Fleet } from './console';
import { openMigrate } from './migrate';

/** What a phone shows of the window before one has scrolled to its end, in screens. */
const MOST = 2;

let fleet: Fleet;
test.beforeAll(async () => {
  fleet = await startFleet('--hosts', '200', '--unreachable', '20', '--vms', '400', '--migrating', '1', '--listen', '127.0.0.1:0');
});
test.afterAll(() => fleet.stop());

test.describe('on a phone', () => {
  const { viewport, deviceScaleFactor, isMobile, hasTouch, userAgent } = devices['Pixel 7'];
  test.use({ viewport, deviceScaleFactor, isMobile, hasTouch, userAgent });

  test('the Migrate window of 200 hosts is two screens long', async ({ page }) => {
    await fleet.logIn(page);
    await page.goto(`${fleet.url}/?state=running`);
    await expect(page.locator('.badge')).toHaveText('live');
    const { screens } = await openMigrate(page, '13-');
    console.log(`the Migrate window: ${screens.toFixed(2)} screens`);
    expect(screens).toBeLessThanOrEqual(MOST);
  });
});
