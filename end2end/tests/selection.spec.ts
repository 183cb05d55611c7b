import { execFileSync } from 'node:child_process';
import { expect, test, type Page } from '@playwright/test';
import { start } from '../pages';
import { demo } from '../demo';
import { expectAccessible, expectLive, expectToFit, logIn, row, runsOn, type HostName } from './support';

function stateOn(host: HostName, vm: string) {
  return execFileSync('virsh', ['-c', demo.hosts[host], 'domstate', vm], { encoding: 'utf8' }).trim();
}

const bar = (page: Page) => page.locator('form.selection');
const tick = (page: Page, vm: string) => page.getByRole('checkbox', { name: `Select ${vm}`, exact: true });
/** A part of the page, by its heading. */
const part = (page: Page, heading: string | RegExp) =>
  page.locator('section', { has: page.getByRole('heading', { name: heading }) });

/** What the page of a selection says is without obstacles. */
async function expectGood(page: Page, where: string) {
  await expectAccessible(page, where);
  await expectToFit(page, where);
}

test('VMs are ticked, looked at, paused and resumed', async ({ page }, { project }) => {
  await logIn(page);
  const [web, db] = [runsOn('web')[0], runsOn('db')[0]];
  if (!web || !db) throw new Error('a VM runs nowhere');
  await expect(bar(page)).toBeHidden();
  await tick(page, 'web').check();
  await tick(page, 'db').check();
  await expect(bar(page)).toContainText('2 selected');
  await expectGood(page, `the bar on a ${project.name}`);
  // Nothing that is ticked is behind the bar.
  const [last, over] = [await tick(page, 'db').boundingBox(), await bar(page).boundingBox()];
  expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual(over?.y ?? 0);

  // What is not listed any more stays ticked.
  const search = page.getByRole('combobox', { name: 'Search VMs' });
  await search.fill('name:nothing');
  await expect(tick(page, 'web')).toHaveCount(0);
  await expect(bar(page)).toContainText('2 selected');
  await search.fill('');
  await expect(tick(page, 'db')).toBeChecked();
  await tick(page, 'db').uncheck();
  await expect(bar(page)).toContainText('1 selected');
  await tick(page, 'db').check();

  try {
    await bar(page).getByRole('button', { name: 'Pause' }).click();
    await expect(page.getByRole('heading', { name: 'Pause 2 VMs?' })).toBeVisible();
    await expect(part(page, 'Will be paused')).toContainText('web');
    await expect(part(page, 'Will be paused')).toContainText('db');
    expect([stateOn(web, 'web'), stateOn(db, 'db')]).toEqual(['running', 'running']);
    await expectGood(page, `a preview on a ${project.name}`);
    await page.getByRole('button', { name: 'Pause 2 VMs' }).click();
    await expect(page.getByRole('heading', { name: 'Pause: results' })).toBeVisible();
    await expect(page.getByRole('status')).toContainText('Paused: 2 VMs.');
    expect([stateOn(web, 'web'), stateOn(db, 'db')]).toEqual(['paused', 'paused']);
    await expectGood(page, `results on a ${project.name}`);

    // Paused a second time neither can be, and the page says so.
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expect(part(page, 'Nothing is done to')).toContainText('db is paused');
    await expect(part(page, 'Nothing is done to')).toContainText('web');
    await expect(page.getByRole('button', { name: /VMs?$/ })).toHaveCount(0);
  } finally {
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('button', { name: 'Resume 2 VMs' }).click();
  }
  await expect(page.getByRole('status')).toContainText('Resumed: 2 VMs.');
  expect([stateOn(web, 'web'), stateOn(db, 'db')]).toEqual(['running', 'running']);
});

test('all that match move by a plan', async ({ page }, { project }) => {
  await logIn(page);
  const before = runsOn('web')[0];
  const there: HostName = before === 'gamma' ? 'beta' : 'gamma';
  await tick(page, 'db').check();
  await page.getByRole('combobox', { name: 'Search VMs' }).fill('name:web');
  await expect(page.locator('tr[data-vm]')).toHaveCount(1);
  // Of all, db is none any more.
  await bar(page).getByRole('checkbox', { name: /^All (\d+ )?that match$/ }).check();
  await expect(bar(page)).toContainText('1 selected');
  await expect(tick(page, 'web')).toBeChecked();
  await bar(page).getByRole('button', { name: 'Migrate' }).click();
  await expect(page.getByRole('heading', { name: 'Move VMs' })).toBeVisible();
  await expectGood(page, `the form of a plan on a ${project.name}`);
  // A long option does not widen the card up to the edge of a phone.
  const card = await page.locator('form.card').boundingBox();
  expect((card?.x ?? 0) + (card?.width ?? 0)).toBeLessThan(page.viewportSize()?.width ?? 0);
  await page.getByRole('combobox', { name: /^To/ }).selectOption(there);
  await page.getByRole('button', { name: 'Make the plan' }).click();
  await expect(page.getByRole('heading', { name: 'Plan: move 1 VM' })).toBeVisible();
  await expect(page.locator('.moves [data-vm="web"]')).toContainText(there);
  expect(runsOn('web'), 'nothing has begun').toEqual([before]);
  await expectGood(page, `the plan on a ${project.name}`);
  await page.getByRole('button', { name: 'Carry it out' }).click();
  await expect(page.locator('.evacuation')).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  expect(runsOn('web')).toEqual([there]);
  await start(page.request, 'web', before as HostName, 'balanced');
  await expect.poll(() => runsOn('web')).toEqual([before]);
});

test('another search is another selection', async ({ page }) => {
  await logIn(page);
  await tick(page, 'web').check();
  await bar(page).getByRole('checkbox', { name: /^All (\d+ )?that match$/ }).check();
  await expect(bar(page)).toContainText('3 selected');
  await tick(page, 'db').uncheck();
  await expect(bar(page)).toContainText('2 selected');
  await expect(tick(page, 'web')).toBeChecked();
  await page.getByRole('combobox', { name: 'Search VMs' }).fill('web');
  await expect(bar(page)).toBeHidden();
  await expect(tick(page, 'web')).not.toBeChecked();
  await tick(page, 'web').check();
  await bar(page).getByRole('button', { name: 'Clear' }).click();
  await expect(bar(page)).toBeHidden();
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('VMs are ticked and looked at all the same', async ({ page }) => {
    await page.goto('/');
    await page.getByLabel('User name').fill(demo.user);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await tick(page, 'web').check();
    await bar(page).getByRole('button', { name: 'Force off' }).click();
    await expect(page.getByRole('heading', { name: 'Force 1 VM off?' })).toBeVisible();
    await page.getByRole('link', { name: 'Cancel' }).click();
    await bar(page).getByRole('checkbox', { name: /^All (\d+ )?that match$/ }).check();
    await bar(page).getByRole('button', { name: 'Start' }).click();
    await expect(page.getByRole('heading', { name: 'Start 3 VMs?' })).toBeVisible();
    await expect(part(page, 'Nothing is done to')).toContainText('is running');
    expect(runsOn('web')).toHaveLength(1);
  });
});
