import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { startFleet } from '../fleet/console';
import { pagesOf, type Subject } from '../pages';
import { clearUp, prepare } from '../subject';
import { logIn, row } from '../tests/support';

/** Where the pictures are written: `<console>/<page>-<width>-<scheme>.png`. */
const folder = process.env.SCREENSHOTS ?? '../target/screenshots';
const WIDTHS = [390, 768, 1280, 1920];
const SCHEMES = ['light', 'dark'] as const;
/** Of what is longer than this, in pixels, the rest looks the same. */
const LONGEST = 4000;

/** Takes the pictures of the page as it is. */
async function take(page: Page, console: string, name: string) {
  const into = join(folder, console);
  mkdirSync(into, { recursive: true });
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width < 600 ? 844 : 800 });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      // What follows the size of the window has two frames to do so.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      const clip = { x: 0, y: 0, width, height: Math.min(height, LONGEST) };
      const path = join(into, `${name}-${width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true, clip, animations: 'disabled' });
    }
  }
}

/** Opens each page, and takes its pictures. */
async function takeAll(page: Page, console: string, url: string, subject: Subject) {
  for (const { name, path } of pagesOf(subject)) {
    await page.goto(url + path, { waitUntil: 'networkidle' });
    await take(page, console, name);
  }
}

test('the demo', async ({ page, baseURL }) => {
  await page.goto('/login');
  await take(page, 'demo', 'login');
  await logIn(page);
  const subject = await prepare(page.request);
  const { running } = subject.migrations;
  await page.goto(`/migrations/${running}`);
  await expect(page.getByText(/will not finish at this rate/)).toBeVisible();
  await takeAll(page, 'demo', baseURL ?? '', subject);

  await page.goto('/');
  await row(page, 'web').getByRole('link', { name: 'Migrate' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: 'Start migration' })).toBeEnabled();
  await take(page, 'demo', 'dialog-migrate');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'More actions for db' }).click();
  await take(page, 'demo', 'menu');
  await page.getByRole('link', { name: 'Shut down', exact: true }).click();
  await take(page, 'demo', 'dialog-shut-down');
  await page.goto(`/migrations/${running}`);
  await page.getByRole('button', { name: 'Pause the guest and finish' }).click();
  await take(page, 'demo', 'dialog-pause');
  await clearUp(page.request, subject);
});

test('a fleet', async ({ page }) => {
  const fleet = await startFleet('--hosts', '40', '--unreachable', '6', '--vms', '1000', '--migrating', '30', '--listen', '127.0.0.1:18090');
  try {
    await fleet.logIn(page);
    const migrations = async (result: string) => (await page.request.get(`${fleet.url}/api/migrations?result=${result}`)).json();
    await expect.poll(async () => (await migrations('succeeded')).length).toBeGreaterThan(0);
    await page.goto(`${fleet.url}/migrations`);
    await take(page, 'fleet', 'migrations');
    await page.goto(fleet.url);
    const first = page.locator('[data-vm]').first();
    await take(page, 'fleet', 'vms');
    await first.getByRole('link', { name: 'Migrate' }).click();
    await page.getByRole('dialog').getByRole('radio').first().check();
    await take(page, 'fleet', 'dialog-migrate');
    await page.keyboard.press('Escape');
    for (const [name, path] of [['hosts', '/hosts'], ['hosts-unreachable', '/hosts?q=unreachable']] as const) {
      await page.goto(fleet.url + path);
      await take(page, 'fleet', name);
    }
    await page.locator('.host a').first().click();
    await expect(page.locator('.badge')).toHaveText('live');
    await take(page, 'fleet', 'host-unreachable');
  } finally {
    fleet.stop();
  }
});
