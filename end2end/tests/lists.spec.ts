import { expect, test } from '@playwright/test';
import { expectAccessible, expectLive, expectToFit, logIn, migrate, row } from './support';

test('words and fields find VMs, on the server', async ({ page }) => {
  await logIn(page);
  const rows = page.locator('tr[data-vm]');
  await expect(rows).toHaveCount(3);
  const search = page.getByRole('combobox', { name: 'Search VMs' });
  await search.fill('state:running WEB');
  await expect(rows).toHaveCount(1);
  await expect(row(page, 'web')).toBeVisible();
  await search.fill('host:nowhere');
  await expect(page.getByRole('heading', { name: 'No VM matches' })).toBeVisible();
  await search.fill('name:web db');
  await expect(rows).toHaveCount(0);
  await search.fill('');
  await expect(rows).toHaveCount(3);
});

test('hosts are searched and sorted, and each has a page with its VMs', async ({ page }) => {
  await logIn(page, '/hosts');
  const hosts = page.locator('tr.host');
  await expect(hosts).toHaveCount(3);
  await page.getByRole('searchbox', { name: 'Search hosts' }).fill('connected bet');
  await expect(hosts).toHaveCount(1);
  await expect(page).toHaveURL(/q=connected/);
  await page.getByRole('searchbox', { name: 'Search hosts' }).fill('');
  await expect(hosts).toHaveCount(3);
  // On a phone there are no headings to sort by.
  await page.goto('/hosts?sort=vms');
  await expect(hosts.first()).toHaveAttribute('data-host', 'alpha');
  await page.getByRole('link', { name: 'alpha' }).click();
  await expect(page.getByRole('heading', { name: 'alpha', exact: true })).toBeVisible();
  await expect(page.locator('.host')).toContainText('libvirt');
  await expect(row(page, 'web')).toBeVisible();
  await expectAccessible(page, "a host's page");
  await expectToFit(page, "a host's page");
});

test('migrations are filtered, summed up and exported', async ({ page }) => {
  await logIn(page);
  await migrate(page, 'web', 'beta');
  await expect(page.locator('.result')).toHaveText(/^web runs on beta/);
  await page.goto('/');
  await expectLive(page);
  await migrate(page, 'web', 'alpha');
  await expect(page.locator('.result')).toHaveText(/^web runs on alpha/);
  await page.goto('/migrations');
  await page.getByRole('searchbox', { name: 'VM' }).fill('web');
  await page.getByLabel('Result').selectOption('Succeeded');
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/vm=web.*result=succeeded/);
  const names = page.locator('.migrations tbody th');
  await expect(names.first()).toHaveText('web');
  expect(new Set(await names.allTextContents())).toEqual(new Set(['web']));
  await expect(page.locator('.sums')).toContainText('Median duration');
  await expectAccessible(page, 'filtered migrations');
  await expectToFit(page, 'filtered migrations');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CSV' }).click();
  const { createReadStream } = await import('node:fs');
  let text = '';
  for await (const chunk of createReadStream(await (await download).path())) text += chunk;
  const lines = text.trim().split('\r\n');
  expect(lines[0]).toContain('id,vm,vm_name,source,destination');
  expect(lines.slice(1).every((line) => line.includes(',web,') && line.includes(',succeeded,'))).toBe(true);
  const refused = await page.request.get('/api/migrations?host=no%20host');
  expect(refused.status()).toBe(400);
});
