import { expect, test, type Page } from '@playwright/test';
import { idOf, start } from '../pages';
import { elsewhere, evacuate, stop } from '../subject';
import { expectAccessible, expectNeverBack, expectToFit, logIn, recordBar, runsOn, virsh, type HostName } from './support';

/** The guest that writes least. A host that has no other is emptied: with more of them it is tried over the API (server/tests/evacuation). */
const vm = 'web';

/** Moves it to a host. */
async function move(page: Page, to: HostName) {
  if (runsOn(vm).includes(to)) return;
  await start(page.request, vm, to, 'balanced');
  await expect.poll(() => runsOn(vm)).toEqual([to]);
}

async function expectAccessibleAndFitting(page: Page, where: string) {
  await expectAccessible(page, where);
  await expectToFit(page, where);
}

/** Has the plan on the page carried out, and waits until nothing is left of it. */
async function carryOut(page: Page) {
  await page.getByRole('button', { name: 'Carry it out' }).click();
  await expect(page).toHaveURL(/\/evacuations\/[0-9a-f-]{36}$/);
  const bar = await recordBar(page);
  await expect(page.locator('.evacuation')).toHaveAttribute('data-state', 'done', { timeout: 180_000 });
  expectNeverBack(await bar());
}

test('a host is emptied, worked on, and filled again', async ({ page }) => {
  test.slow();
  await logIn(page);
  const [before] = runsOn(vm) as [HostName];
  const host = 'beta';
  await move(page, host);
  await page.goto(`/hosts/${host}`);
  await page.getByRole('link', { name: 'Empty this host' }).click();
  await expectAccessibleAndFitting(page, 'the form of a plan');
  await page.getByLabel('Reason').fill('kernel update');
  await page.getByRole('button', { name: 'Make the plan' }).click();
  await expect(page.getByRole('heading', { name: `Plan: empty ${host}` })).toBeVisible();
  await expect(page.locator(`.moves [data-vm="${vm}"]`)).toContainText(host);
  await expectAccessibleAndFitting(page, 'a plan');
  expect(runsOn(vm), 'nothing has begun').toEqual([host]);
  await carryOut(page);
  await expectAccessibleAndFitting(page, 'an evacuation');
  expect(runsOn(vm)).not.toContain(host);

  const stage = page.locator('section.stage');
  await page.goto(`/hosts/${host}`);
  await expect(stage).toHaveAttribute('data-stage', 'empty');
  await expectAccessibleAndFitting(page, 'a host that is empty');
  await page.getByRole('button', { name: 'Begin maintenance' }).click();
  await expect(stage).toHaveAttribute('data-stage', 'in-maintenance');
  await page.getByRole('button', { name: 'Bring back' }).click();
  await expect(page.getByRole('heading', { name: 'Plan: bring VMs home' })).toBeVisible();
  await carryOut(page);
  expect(runsOn(vm)).toEqual([host]);
  await page.goto(`/hosts/${host}`);
  await expect(page.getByRole('link', { name: 'Empty this host' })).toBeVisible();
  await move(page, before);
});

test('what is unfolded stays so while the page changes', async ({ page }) => {
  await logIn(page);
  const [to, cache] = [elsewhere('cache'), await idOf(page.request, 'cache')];
  const id = await evacuate(page.request, { subject: { vms: [cache] }, destination: to, policy: 'gentle' });
  try {
    await page.goto(`/evacuations/${id}`);
    await expect.poll(() => virsh(to, 'list', '--name')).toContain('cache');
    try {
      virsh(to, 'destroy', 'cache');
    } catch {
      // Its process has ended, and libvirt has removed it before it says so.
    }
    const attempt = page.locator('.found li');
    await page.getByText('1 attempt failed').click();
    await expect(attempt).toBeVisible();
    // Not by the button, which loads the page.
    await page.request.post(`/api/evacuations/${id}/pause`);
    await expect(page.locator('.evacuation')).toHaveAttribute('data-state', 'paused');
    await expect(attempt).toBeVisible();
  } finally {
    await stop(page.request, id);
  }
});
