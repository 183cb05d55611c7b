import { execFileSync } from 'node:child_process';
import { expect, test, type Page } from '@playwright/test';
import { demo } from '../demo';
import { expectAccessible, expectToFit, runsOn, type HostName } from './support';

const web = '766d6665-7272-4901-8000-000000000001';

/** Logs in without waiting for a stream: these pages have none of the list's. */
async function logIn(page: Page, path: string) {
  await page.goto(path);
  await page.getByLabel('User name').fill(demo.user);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(new RegExp(`${path}$`));
}

/** Moves web by the API, and waits until it has arrived. */
async function move(page: Page, destination: HostName) {
  const started = await page.request.post('/plugins/kimchi/vms/web/migrate', { data: { destination } });
  expect(started.ok(), await started.text()).toBe(true);
  await expect.poll(() => runsOn('web'), { timeout: 60_000 }).toEqual([destination]);
}

/** What the page's policy forbids, or its scripts fail at, from now on. */
function failures(page: Page): string[] {
  const failures: string[] = [];
  page.on('console', (message) => message.type() === 'error' && failures.push(message.text()));
  page.on('pageerror', (error) => failures.push(String(error)));
  return failures;
}

const status = (page: Page) => page.locator('#status');
const text = (page: Page) => page.locator('.xterm-rows');

async function isAnswered(page: Page, word: string) {
  await page.keyboard.type(word);
  await expect(text(page)).toContainText(word);
  const answers = async () => (await text(page).innerText()).split('vmferry demo: web').length;
  const before = await answers();
  await page.keyboard.press('Enter');
  await expect.poll(answers).toBeGreaterThan(before);
}

test('the serial console answers before, between and after two migrations', async ({ page }) => {
  await logIn(page, `/vms/${web}/console`);
  // Tests before this one may have left it elsewhere.
  if (!runsOn('web').includes('alpha')) await move(page, 'alpha');
  const failed = failures(page);
  await page.reload();
  await expect(status(page)).toHaveText('Connected on alpha');
  await expectAccessible(page, 'serial console');
  await expectToFit(page, 'serial console');
  await page.locator('#terminal').click();
  await isAnswered(page, 'one');
  for (const [destination, word] of [['beta', 'two'], ['alpha', 'three']] as const) {
    await move(page, destination);
    await expect(status(page)).toHaveText(`Connected on ${destination}`);
    await isAnswered(page, word);
  }
  expect(failed).toEqual([]);
});

test('the keys of the bar reach the guest', async ({ page }) => {
  await logIn(page, `/vms/${web}/console`);
  await expect(status(page)).toHaveText(/^Connected on /);
  await page.getByRole('button', { name: 'Enter' }).click();
  await expect(text(page)).toContainText('vmferry demo: web');
});

test('a second tab is told, and may take the serial console over', async ({ page, context }) => {
  await logIn(page, `/vms/${web}/console`);
  await expect(status(page)).toHaveText('Connected on alpha');
  const second = await context.newPage();
  await second.goto(`/vms/${web}/console`);
  await expect(status(second)).toContainText('Another client has the serial console of this VM open.');
  await second.getByRole('button', { name: 'Take over' }).click();
  await expect(status(second)).toHaveText('Connected on alpha');
  await expect(status(page)).toContainText('Another client has the serial console');
  await second.close();
});

/** How many colours the picture has. */
async function colours(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#terminal canvas');
    const context = canvas?.getContext('2d');
    if (!canvas?.width || !context) return 0;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}

test('the screen shows the guest before, between and after two migrations', async ({ page }) => {
  await logIn(page, `/vms/${web}/screen`);
  const failed = failures(page);
  await page.reload();
  await expect(status(page)).toHaveText('Connected on alpha');
  await expect.poll(() => colours(page)).toBeGreaterThan(1);
  await expectAccessible(page, 'screen');
  await expectToFit(page, 'screen');
  for (const destination of ['beta', 'alpha'] as const) {
    await move(page, destination);
    await expect(status(page)).toHaveText(`Connected on ${destination}`);
    await expect.poll(() => colours(page)).toBeGreaterThan(1);
  }
  expect(failed).toEqual([]);
});

test('a VM that is off has no terminal, and says so', async ({ page }) => {
  const virsh = (...args: string[]) => execFileSync('virsh', ['-c', demo.hosts.alpha, ...args]);
  await logIn(page, `/vms/${web}/console`);
  await expect(status(page)).toHaveText('Connected on alpha');
  virsh('destroy', 'web');
  try {
    await expect(status(page)).toContainText('web is shut off.');
  } finally {
    virsh('start', 'web');
  }
  // It is found again as soon as the console has seen it run.
  await expect(async () => {
    await page.getByRole('button', { name: 'Connect again' }).click();
    await expect(status(page)).toHaveText('Connected on alpha', { timeout: 2_000 });
  }).toPass();
});
