import { execFileSync } from 'node:child_process';
import { expect, test, type Page } from '@playwright/test';
import { demo } from '../demo';
import { expectAccessible, expectLive, expectToFit, logIn, losableStream, migrate, row, runsOn, type HostName } from './support';

const acts = (page: Page) => page.locator('.acts');
const steering = (page: Page, act: string) => page.locator(`.steering[data-act="${act}"]`);

/** Waits for the end on the destination, on a page that is live. */
async function expectArrival(page: Page, to: HostName) {
  await expect(page.locator('.result')).toHaveText(new RegExp(`^cache runs on ${to} after .* paused for `));
  expect(runsOn('cache')).toEqual([to]);
}

async function cancel(page: Page) {
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Cancel the migration' }).click();
  await expect(page.locator('.result')).toHaveText(/was cancelled after .*; cache stayed on alpha/);
}

/** Other tests expect cache on alpha. With a pause that is long enough it goes back there by itself. */
test.afterEach(async ({ browser }) => {
  for (const host of ['alpha', 'beta'] as const) {
    try {
      execFileSync('virsh', ['-c', demo.hosts[host], 'domjobabort', 'cache'], { stdio: 'ignore' });
    } catch {
      // The test has ended what it began.
    }
  }
  if (runsOn('cache').includes('alpha')) return;
  const page = await browser.newPage({ javaScriptEnabled: true });
  await logIn(page);
  await row(page, 'cache').getByRole('link', { name: 'Migrate' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: 'alpha' }).check();
  await dialog.getByText('Limits of the policy').click();
  await dialog.getByLabel('Longest pause in ms').fill('30000');
  await dialog.getByRole('button', { name: 'Start migration' }).click();
  await expectArrival(page, 'alpha');
  await page.close();
});

test('a guest that writes too fast is told of with numbers, drawn, and finishes when a user steers it', async ({ page }) => {
  await logIn(page);
  await migrate(page, 'cache', 'beta', 'Gentle');
  await expect(page.getByText(/will not finish at this rate: the guest changes .*, the link carries /)).toBeVisible();
  await expect(page.locator('.next-act')).toContainText('gives up at the end of its budget');
  await expect(page.locator('.figures')).toContainText(/Policy\s*Gentle/);
  await expect(page.locator('.figures')).toContainText(/times its memory\), .* left/);

  for (const line of ['throughput', 'dirty', 'area']) {
    await expect(page.locator(`.plot .${line}`)).toHaveAttribute('d', /^M\d+ \d+L/);
  }
  await page.getByText('As a table').click();
  expect(await page.locator('.numbers tbody tr').count()).toBeGreaterThan(3);

  const pause = page.getByLabel('Longest pause, ms');
  await expect(pause).toHaveValue(/^\d+00$/);
  await pause.fill('700');
  await steering(page, 'longest-pause').getByRole('button').click();
  await expect(acts(page)).toContainText(/\d s: Pause up to 700 ms, by admin/);
  await expect(page.locator('.plot text.act')).not.toHaveCount(0);
  await expect(page.locator('.history')).toContainText('admin asked to allow a pause of 700 ms.');
  await expect(pause).toHaveValue('700');
  await expectAccessible(page, 'a migration that does not converge');
  await expectToFit(page, 'a migration that does not converge');

  await page.getByRole('button', { name: 'Pause the guest and finish' }).click();
  const dialog = page.getByRole('dialog', { name: 'Pause the guest and finish?' });
  await expect(dialog).toContainText(/cache pauses until its memory is sent, for about \d/);
  await expectAccessible(page, 'the question before the guest is paused');
  await dialog.getByRole('button', { name: 'Pause the guest and finish' }).click();
  await expectArrival(page, 'beta');
  await expect(acts(page)).toContainText('Guest paused, by admin');
  await expect(page.locator('.plot .throughput')).toBeVisible();
  await page.reload();
  await expectLive(page);
  await expect(acts(page)).toContainText('Guest paused, by admin');
  await expect(page.locator('.plot .throughput')).toHaveAttribute('d', /^M\d+ \d+L/);
});

test('a picture goes on while the stream is lost, as it is the server that draws it', async ({ page }) => {
  const stream = await losableStream(page);
  await logIn(page);
  await migrate(page, 'cache', 'beta', 'Gentle');
  const drawn = page.locator('.plot .throughput');
  await expect(drawn).toHaveAttribute('d', /^M\d+ \d+L/);
  await stream.lose();
  const points = async () => ((await drawn.getAttribute('d')) ?? '').split('L').length;
  const before = await points();

  // The console goes on measuring, as its API shows.
  const trace = page.url().replace('/migrations/', '/api/migrations/') + '/trace';
  const measured = async () => ((await (await page.request.get(trace)).json()) as unknown[]).length;
  await expect.poll(measured).toBeGreaterThan(before + 20);
  await expect.poll(points).toBeGreaterThan(before + 20);
  await stream.resume();

  await cancel(page);
});

test('no button of the steering covers another', async ({ page }) => {
  await logIn(page);
  await migrate(page, 'cache', 'beta', 'Gentle');
  const boxes = await page
    .locator('.steering :is(input:not([type=hidden]), select, button)')
    .evaluateAll((elements) =>
      elements.map((element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        const fits = element.scrollWidth <= element.clientWidth && element.scrollHeight <= element.clientHeight;
        return { what: element.outerHTML.slice(0, 80), left, right, top, bottom, fits };
      }),
    );
  expect(boxes.length).toBe(9);
  for (const [at, one] of boxes.entries()) {
    expect(one.fits, one.what).toBe(true);
    const covered = boxes
      .slice(at + 1)
      .filter(({ left, right, top, bottom }) => left < one.right && one.left < right && top < one.bottom && one.top < bottom);
    expect(covered, one.what).toEqual([]);
  }
  await cancel(page);
});

test('what is not possible is a disabled button with its reason', async ({ page }) => {
  await logIn(page);
  await migrate(page, 'cache', 'beta');
  const slow = steering(page, 'slow-guest');
  await expect(slow).toContainText('QEMU slows the guest already, as far as it has to.');
  await expect(slow.getByRole('button')).toBeDisabled();
  await page.getByRole('combobox', { name: 'Policy' }).selectOption('Gentle');
  await steering(page, 'policy').getByRole('button').click();
  await expect(acts(page)).toContainText('Policy gentle, by admin');
  await cancel(page);
  await expect(page.locator('#steer')).toHaveCount(0);
});

test.describe('without WASM', () => {
  test.use({ javaScriptEnabled: false });

  test('the policy is kept, and a migration is steered', async ({ page }) => {
    await page.goto('/');
    await page.getByLabel('User name').fill(demo.user);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await row(page, 'cache').getByRole('link', { name: 'Migrate' }).click();
    await expect(page.getByRole('radio', { name: 'Balanced' })).toBeChecked();
    await page.getByRole('radio', { name: 'beta' }).check();
    await page.getByRole('radio', { name: 'Gentle' }).check();
    await page.getByText('Limits of the policy').click();
    await page.getByLabel('Budget in s').fill('3000');
    await page.getByRole('button', { name: 'Check again' }).click();
    await expect(page.getByRole('radio', { name: 'Gentle' })).toBeChecked();
    await expect(page.getByLabel('Budget in s')).toHaveValue('3000');
    await expect(page.getByLabel('Longest pause in ms')).toHaveValue('');
    await page.getByRole('button', { name: 'Start migration' }).click();
    await expect(page).toHaveURL(/\/migrations\/[0-9a-f-]{36}$/);
    const migration = page.url();
    await expect(page.locator('.facts')).toContainText('Gentle, a budget of 50 min');

    await expect(async () => {
      await page.goto(`${migration}/steer`);
      await expect(page.getByRole('button', { name: 'Pause the guest and finish' })).toBeEnabled({ timeout: 100 });
    }).toPass();
    await page.getByLabel('Longest pause, ms').fill('650');
    await steering(page, 'longest-pause').getByRole('button').click();
    await expect(page).toHaveURL(migration);
    await expect(async () => {
      await page.reload();
      await expect(acts(page)).toContainText('Pause up to 650 ms, by admin', { timeout: 100 });
    }).toPass();

    await page.getByRole('button', { name: 'Pause the guest and finish' }).click();
    await expect(page.getByRole('heading', { name: 'Pause the guest and finish?' })).toBeVisible();
    await page.getByRole('button', { name: 'Pause the guest and finish' }).click();
    await expect(page).toHaveURL(migration);
    await expect(async () => {
      await page.reload();
      await expect(page.locator('.result')).toHaveText(/^cache runs on beta after /, { timeout: 100 });
    }).toPass();
    expect(runsOn('cache')).toEqual(['beta']);
  });
});
