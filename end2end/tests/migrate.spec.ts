import { execFileSync } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { demo } from '../demo';
import { definedOn, expectLive, expectNeverBack, logIn, losableStream, migrate, recordBar, row, runsOn } from './support';

test('web moves to beta and back, and the bar tells the truth', async ({ page }) => {
  await logIn(page);
  for (const [from, to] of [['alpha', 'beta'], ['beta', 'alpha']] as const) {
    await expect(row(page, 'web')).toContainText(from);
    await migrate(page, 'web', to);
    const bar = await recordBar(page);
    await expect(page.locator('.result')).toHaveText(new RegExp(`^web runs on ${to} after .* paused for `));
    const values = await bar();
    expectNeverBack(values);
    expect(values.filter((value) => value > 0 && value < 100).length, `${values}`).toBeGreaterThanOrEqual(3);
    expect(values.at(-1)).toBe(100);
    expect(runsOn('web')).toEqual([to]);
    expect(definedOn('web')).toEqual([to]);
    await page.getByRole('link', { name: 'VMs', exact: true }).click();
    await expect(row(page, 'web')).toContainText(to);
    await expect(row(page, 'web').getByRole('link', { name: 'Migrate' })).toBeVisible();
  }
});

test('the form as a page leads to the migration, too', async ({ page }) => {
  await logIn(page);
  for (const [from, to] of [['alpha', 'beta'], ['beta', 'alpha']] as const) {
    await expect(row(page, 'web')).toContainText(from);
    await page.goto((await row(page, 'web').getByRole('link', { name: 'Migrate' }).getAttribute('href'))!);
    await expectLive(page);
    await page.getByRole('radio', { name: to }).check();
    await page.getByRole('button', { name: 'Start migration' }).click();
    await expect(page.locator('.result')).toContainText(`web runs on ${to} after`);
    await page.goto('/');
  }
});

test('cache never converges, says so, and can be cancelled half-way', async ({ page }) => {
  await logIn(page);
  await migrate(page, 'cache', 'beta', 'Gentle');
  const bar = await recordBar(page);
  await expect(page.getByText(/will not finish at this rate: the guest changes .*, the link carries /)).toBeVisible();
  // The row in the list shows the same bar.
  await page.getByRole('link', { name: 'VMs', exact: true }).click();
  await row(page, 'cache').getByRole('progressbar').click();
  await page.getByRole('link', { name: 'Cancel' }).or(page.getByRole('button', { name: 'Cancel' })).first().click();
  await page.getByRole('button', { name: 'Cancel the migration' }).click();
  await expect(page.locator('.result')).toHaveText(/was cancelled after .*; cache stayed on alpha/);
  const values = await bar();
  expectNeverBack(values.filter((value) => value > 0));
  expect(Math.max(...values)).toBeLessThan(99);
  expect(runsOn('cache')).toEqual(['alpha']);
  expect(definedOn('cache')).toEqual(['alpha']);
});

test('a migration can be followed from a second page, and over a reload', async ({ page, context }) => {
  await logIn(page);
  const other = await context.newPage();
  await other.goto('/');
  await expectLive(other);
  await migrate(page, 'db', 'gamma');
  await expect(row(other, 'db').getByRole('progressbar')).toBeVisible();
  await page.reload();
  await expectLive(page);
  await expect(page.locator('.result')).toHaveText(/^db runs on gamma after /);
  await expect(row(other, 'db')).toContainText('gamma');
  await page.goto('/');
  await expectLive(page);
  await migrate(page, 'db', 'alpha');
  await expect(page.locator('.result')).toHaveText(/^db runs on alpha after /);
});

test('a lost connection is shown, and missed updates are caught up', async ({ page }) => {
  const stream = await losableStream(page);
  await logIn(page);
  await stream.lose();
  execFileSync('virsh', ['-c', demo.hosts.alpha, 'suspend', 'web']);
  await expect(row(page, 'web')).toContainText('running');
  await stream.resume();
  await expect(row(page, 'web')).toContainText('paused');
  execFileSync('virsh', ['-c', demo.hosts.alpha, 'resume', 'web']);
  await expect(row(page, 'web')).toContainText('running');
});

test.describe('without WASM', () => {
  test.use({ javaScriptEnabled: false });

  test('a VM can be moved', async ({ page }) => {
    await page.goto('/');
    await page.getByLabel('User name').fill(demo.user);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    for (const to of ['beta', 'alpha'] as const) {
      await page.goto('/');
      await row(page, 'web').getByRole('link', { name: 'Migrate' }).click();
      await page.getByRole('radio', { name: to }).check();
      await page.getByRole('button', { name: 'Start migration' }).click();
      await expect(page).toHaveURL(/\/migrations\/[0-9a-f-]{36}$/);
      await expect(async () => {
        await page.reload();
        await expect(page.locator('.result')).toHaveText(new RegExp(`^web runs on ${to} after `), { timeout: 100 });
      }).toPass();
      expect(runsOn('web')).toEqual([to]);
    }
  });
});
