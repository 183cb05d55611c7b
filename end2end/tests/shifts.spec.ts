import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test, type Page } from '@playwright/test';
import { demo } from '../demo';
import { idOf, start } from '../pages';
import { elsewhere, evacuate, stop } from '../subject';
import { expectLive, logIn } from './support';

/** Widths of windows that are looked at, in pixels. */
const WIDTHS = [390, 768, 1280, 1920];
/** What a page may move of itself while it is looked at: cumulative layout shift, as browsers define it. */
const MOST = 0.02;

test.skip(({ isMobile }) => isMobile, 'the widths are of this test');

/** A page at an address, in a window of each width, each of which notes what moves in it. */
async function watch(page: Page, path: string): Promise<Page[]> {
  return Promise.all(
    WIDTHS.map(async (width) => {
      const watched = await page.context().newPage();
      await watched.setViewportSize({ width, height: width < 600 ? 844 : 900 });
      await watched.goto(path, { waitUntil: 'networkidle' });
      await watched.evaluate(() => {
        const shifts: { value: number; at: number; what: string[] }[] = [];
        Object.assign(window, { shifts });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & {
            value: number;
            sources: { node?: Element; previousRect: DOMRect; currentRect: DOMRect }[];
          })[]) {
            const what = entry.sources.map(({ node, previousRect: from, currentRect: to }) =>
              `${node?.nodeName}.${node?.className} ${from.x},${from.y} ${from.width}x${from.height} -> ${to.x},${to.y} ${to.width}x${to.height}`);
            shifts.push({ value: entry.value, at: entry.startTime, what });
          }
        }).observe({ type: 'layout-shift' });
      });
      return watched;
    }),
  );
}

/** Closes the pages; none has moved more than it may: the most within five seconds, without a second of rest. */
async function expectStill(pages: Page[], where: string) {
  for (const [at, page] of pages.entries()) {
    const shifts = await page.evaluate(() => (window as unknown as { shifts: { value: number; at: number; what: string[] }[] }).shifts);
    let most = 0;
    let sum = 0;
    for (const [index, { value, at }] of shifts.entries()) {
      const first = shifts[index - 1];
      sum = first && at - first.at < 1_000 ? sum + value : value;
      most = Math.max(most, sum);
    }
    console.log(`${where} at ${WIDTHS[at]}: ${most.toFixed(4)}`);
    const largest = [...shifts].sort((a, b) => b.value - a.value).slice(0, 3);
    expect.soft(most, `${where} at ${WIDTHS[at]}: ${JSON.stringify(largest, null, 1)}`).toBeLessThanOrEqual(MOST);
    await page.close();
  }
}

const ended = (page: Page, id: string) => async () => (await (await page.request.get(`/plugins/kimchi/tasks/${id}`)).json()).status;

test('nothing moves in the lists while a migration starts and ends', async ({ page }) => {
  await logIn(page);
  const lists = await watch(page, '/');
  const migrations = await watch(page, '/migrations');
  for (const destination of ['beta', 'alpha']) {
    const id = await start(page.request, 'web', destination, 'balanced');
    for (const list of lists) await expect(list.locator('[data-vm="web"] progress')).toBeVisible();
    await expect.poll(ended(page, id)).toBe('finished');
    for (const list of lists) await expect(list.locator('[data-vm="web"]')).toContainText(destination);
    for (const list of migrations) await expect(list.locator(`#migration-${id}`)).toBeVisible();
  }
  await expectStill(lists, 'the list of VMs');
  await expectStill(migrations, 'the list of migrations');
});

test('nothing moves on the page of a migration while warnings come', async ({ page }) => {
  await logIn(page);
  const id = await start(page.request, 'cache', 'beta', 'gentle');
  const pages = await watch(page, `/migrations/${id}`);
  for (const watched of pages) await expect(watched.getByText(/will not finish at this rate/)).toBeVisible();
  await page.request.delete(`/plugins/kimchi/tasks/${id}`);
  for (const watched of pages) await expect(watched.locator('.result')).toContainText('was cancelled');
  await expectStill(pages, 'a migration');
});

test('nothing moves on the page of an evacuation while it is paused, goes on and is stopped', async ({ page }) => {
  await logIn(page);
  const cache = await idOf(page.request, 'cache');
  const id = await evacuate(page.request, { subject: { vms: [cache] }, destination: elsewhere('cache'), policy: 'gentle' });
  const pages = await watch(page, `/evacuations/${id}`);
  for (const [command, state] of [['pause', 'paused'], ['continue', 'running']] as const) {
    await page.request.post(`/api/evacuations/${id}/${command}`);
    for (const watched of pages) await expect(watched.locator('.evacuation')).toHaveAttribute('data-state', state);
  }
  await stop(page.request, id);
  for (const watched of pages) await expect(watched.locator('.evacuation')).toHaveAttribute('data-state', 'stopped');
  await expectStill(pages, 'an evacuation');
});

test('nothing moves in the list while a host goes away and comes back', async ({ page }) => {
  // The host is reached through this, so that it can be taken away.
  const open = new Set<Socket>();
  const { hostname } = new URL(demo.hosts.delta.replace('qemu+tcp', 'http'));
  const server = createServer((socket) => {
    const host = connect(16509, hostname);
    for (const one of [socket, host]) open.add(one.on('error', () => {}).on('close', () => open.delete(one)));
    socket.pipe(host).pipe(socket);
  });
  const address = demo.network.replace(/0$/, '99');
  const listen = () => new Promise<void>((done) => server.listen(16509, address, done));
  const away = () => new Promise<unknown>((done) => {
    server.close(done);
    for (const socket of open) socket.destroy();
  });
  await listen();
  await logIn(page);
  const settings = { name: 'far-away', transport: 'tcp', address, daemon: 'session' };
  const added = await page.request.post('/api/hosts', { data: { settings } });
  expect(added.ok(), await added.text()).toBe(true);
  try {
    const lists = await watch(page, '/');
    await away();
    for (const list of lists) await expect(list.getByText('far-away has not answered')).toBeVisible();
    await listen();
    for (const list of lists) await expect(list.getByText('far-away has not answered')).toBeHidden();
    await expectStill(lists, 'a host goes away');
  } finally {
    await page.request.delete('/api/hosts/far-away');
    await away();
  }
});

test('nothing moves on the page of a VM while a device is plugged in', async ({ page }, info) => {
  await logIn(page);
  const pages = await watch(page, `/vms/${await idOf(page.request, 'web')}`);
  for (const watched of pages) await expect(watched.locator('.where-to')).toContainText('can take it');
  const virsh = (...what: string[]) => execFileSync('virsh', ['-c', demo.hosts.alpha, ...what]);
  const file = info.outputPath('interface.xml');
  writeFileSync(file, '<interface type="user"><mac address="52:54:00:12:34:56"/><model type="virtio"/></interface>');
  try {
    virsh('attach-device', 'web', file, '--live');
    for (const watched of pages) await expect(watched.getByText('52:54:00:12:34:56')).toBeVisible();
    await expectStill(pages, 'a VM');
  } finally {
    // The guest is too small to take part in unplugging.
    virsh('destroy', 'web');
    virsh('start', 'web');
    await page.goto('/');
    await expectLive(page);
    await expect(page.locator('[data-vm="web"]')).toContainText('running');
  }
});
