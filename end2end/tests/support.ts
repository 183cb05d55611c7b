import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, type Page, type WebSocketRoute } from '@playwright/test';
import { demo } from '../demo';

export type HostName = keyof typeof demo.hosts;

/** Logs in through the form, and waits until the page is hydrated and its stream is open. */
export async function logIn(page: Page, path = '/') {
  await page.goto(path);
  await page.getByLabel('User name').fill(demo.user);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expectLive(page);
}

/** Waits until the page's stream is open. */
export async function expectLive(page: Page) {
  await expect(page.locator('.badge')).toHaveText('live');
}

/** A stream that can be lost, and come back. To be called before the page is opened. */
export async function losableStream(page: Page) {
  let isCut = false;
  const open: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/ws$/, (socket) => {
    if (isCut) return void socket.close();
    socket.connectToServer();
    open.push(socket);
  });
  return {
    async lose() {
      isCut = true;
      for (const socket of open) await socket.close();
      await expect(page.locator('.badge')).toHaveText(/reconnecting/);
    },
    async resume() {
      isCut = false;
      await expectLive(page);
    },
  };
}

/** The row, or on a phone the card, of a VM. */
export function row(page: Page, vm: string): Locator {
  return page.locator(`[data-vm="${vm}"]`);
}

/** Begins a migration through the dialog; ends on the migration's page. With the default policy every guest arrives; gentle leaves one that
 * writes too fast as it is. */
export async function migrate(page: Page, vm: string, destination: HostName, policy: 'Gentle' | 'Balanced' | 'Certain' = 'Balanced') {
  await row(page, vm).getByRole('link', { name: 'Migrate' }).click();
  const dialog = page.getByRole('dialog', { name: `Migrate ${vm}` });
  await dialog.getByRole('radio', { name: destination }).check();
  await dialog.getByRole('radio', { name: policy }).check();
  await dialog.getByRole('button', { name: 'Start migration' }).click();
  await expect(page).toHaveURL(/\/migrations\/[0-9a-f-]{36}$/);
}

/** Records every value of the page's bar from now on; returns a function that returns them. */
export async function recordBar(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const values: number[] = [];
    Object.assign(window, { barValues: values });
    const record = () => {
      const bar = document.querySelector<HTMLProgressElement>('progress');
      if (bar && bar.value !== values.at(-1)) values.push(bar.value);
    };
    new MutationObserver(record).observe(document.body, { subtree: true, childList: true, attributes: true });
    record();
  });
  return () => page.evaluate(() => (window as unknown as { barValues: number[] }).barValues);
}

export const virsh = (host: HostName, ...command: string[]) =>
  execFileSync('virsh', ['-c', demo.hosts[host], ...command], { encoding: 'utf8' });

/** Defines a VM on a host. */
export function define(host: HostName, xml: string) {
  const directory = mkdtempSync(join(tmpdir(), 'vmferry-'));
  const path = join(directory, 'vm.xml');
  writeFileSync(path, xml);
  virsh(host, 'define', path);
  rmSync(directory, { recursive: true });
}

/** The hosts on which the VM runs, according to virsh. */
export function runsOn(vm: string): HostName[] {
  return (Object.keys(demo.hosts) as HostName[]).filter((host) =>
    virsh(host, 'list', '--name', '--state-running').split('\n').includes(vm),
  );
}

/** The hosts that have the VM, running or not, according to virsh. */
export function definedOn(vm: string): HostName[] {
  return (Object.keys(demo.hosts) as HostName[]).filter((host) =>
    virsh(host, 'list', '--name', '--all').split('\n').includes(vm),
  );
}

export function expectNeverBack(values: number[]) {
  expect(values).toEqual([...values].sort((a, b) => a - b));
}

/** axe finds no serious obstacle to accessibility; with a rule, none by that one. */
export async function expectAccessible(page: Page, where: string, rule?: string) {
  // There are no frames, for which axe would open another page.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rule ? axe.withRules(rule) : axe).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect.soft(serious.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html }) => html)}`)).toEqual([]);
}

export async function expectToFit(page: Page, where: string) {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect.soft(width[0], `${where} scrolls sideways`).toBeLessThanOrEqual(width[1] ?? 0);
}

/** Everything that can be tapped, except links within text, is at least 44 px high and wide (WCAG 2.5.8 requires 24 px). */
export async function expectLargeTargets(page: Page, where: string) {
  const small = await page
    .locator('button:visible, .button:visible, nav a:visible, label:has([type=radio]):visible, select:visible, input:not([type=hidden]):not([type=radio]):not([type=checkbox]):visible')
    .evaluateAll((elements) =>
      elements
        .map((element) => ({ html: element.outerHTML.slice(0, 120), box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.height < 43.5 || box.width < 43.5)
        .map(({ html, box }) => `${html} ${box.width}x${box.height}`),
    );
  expect.soft(small, where).toEqual([]);
}
