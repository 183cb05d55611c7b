import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { expect, test, type TestInfo } from '@playwright/test';
import { demo } from '../demo';
import { expectAccessible, expectToFit, expectLive, logIn, migrate, row, runsOn } from './support';

const virsh = (host: keyof typeof demo.hosts, ...args: string[]) =>
  execFileSync('virsh', ['-c', demo.hosts[host], ...args], { encoding: 'utf8' });

/** Defines and starts a second copy of a VM, as an admin may by mistake: without its disk, which QEMU has locked. */
function startSecondCopy(vm: string, on: keyof typeof demo.hosts, info: TestInfo) {
  const definition = virsh('alpha', 'dumpxml', '--inactive', vm).replace(/<disk[\s\S]*?<\/disk>/g, '');
  const file = info.outputPath(`${vm}.xml`);
  writeFileSync(file, definition);
  virsh(on, 'define', file);
  virsh(on, 'start', vm);
}

test('two running copies are told at once, and the steps that are offered leave exactly one', async ({ page }, info) => {
  try {
    await logIn(page);
    await migrate(page, 'cache', 'beta', 'Gentle');
    const migration = page.url();
    await expect(page.getByText(/will not finish at this rate/)).toBeVisible();
    startSecondCopy('cache', 'gamma', info);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the migration' }).click();
    await expect(page.locator('.note-alarm')).toContainText('cache runs on alpha and gamma at the same time.');
    await expectAccessible(page, 'a migration that needs attention');
    await expectToFit(page, 'a migration that needs attention');

    await page.getByRole('link', { name: 'VMs', exact: true }).click();
    const banner = page.locator('.banners .note-alarm');
    await expect(banner).toContainText('cache runs on alpha and gamma at the same time.');
    await expect(row(page, 'cache').getByRole('link', { name: 'Needs attention' })).toBeVisible();
    await expect(row(page, 'cache')).toContainText('also on gamma (running)');
    await expectAccessible(page, 'the banner');
    await expectToFit(page, 'the banner');
    await banner.getByRole('link', { name: 'Pause the copy on gamma' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause the copy on gamma' }).click();
    await expect(banner).toContainText('cache runs on alpha, and gamma has a paused copy of it.');
    expect(runsOn('cache')).toEqual(['alpha']);

    // The page of the step works as a page, too.
    await page.goto(`${migration}/step`);
    await page.getByRole('button', { name: 'Turn off the copy on gamma' }).click();
    await expect(page).toHaveURL(migration);
    await expect(page.locator('.result')).toHaveText(/was cancelled after .*; cache stayed on alpha/);
    for (const entry of [
      'admin chose: Pause the copy on gamma.',
      'admin chose: Turn off the copy on gamma.',
      'All hosts have answered: cache runs on alpha, and only there.',
    ]) {
      await expect(page.locator('.history')).toContainText(entry);
    }
    expect(runsOn('cache')).toEqual(['alpha']);
    await page.goto('/');
    await expectLive(page);
    await expect(page.locator('.banners .note-alarm')).toHaveCount(0);
  } finally {
    // Also when the test failed half-way: other tests move the same VM.
    for (const [host, verb] of [['gamma', 'destroy'], ['gamma', 'undefine'], ['alpha', 'domjobabort']] as const) {
      try {
        virsh(host, verb, 'cache');
      } catch {
        // There is nothing to be undone.
      }
    }
  }
});
