import { get } from 'node:http';
import { devices, expect, test, type BrowserContext, type Page } from '@playwright/test';
import { startFleet, type Fleet } from './console';
import { openMigrate, type MigrateWindow } from './migrate';

/** What browsers accept; the console chooses. */
const ENCODINGS = 'gzip, deflate, br';
/** Requests of the list page. */
const REQUESTS = 200;
/** Loads of the page in the browser, searches, and openings of a window. */
const LOADS = 5;
/** Pages that watch, and in how many sessions: one session may have 16 streams. */
const WATCHERS = 20;
const SESSIONS = 2;
/** How long the server's CPU time is counted, in seconds. */
const WATCHED = 20;

type Row = { what: string; unit: string; goal: string; before: string; now: number };
const quantile = (values: number[], share: number) =>
  values.sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? NaN;
const median = (values: number[]) => quantile(values, 0.5);
const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

/** One answer as it comes through the network. */
function ask(fleet: Fleet, path: string, cookie: string) {
  return new Promise<{ ms: number; bytes: number }>((resolve, reject) => {
    const begun = performance.now();
    get(fleet.url + path, { headers: { cookie, 'accept-encoding': ENCODINGS, accept: 'text/html' } }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${path}: ${answer.statusCode}`));
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.on('end', () => resolve({ ms: performance.now() - begun, bytes }));
    }).on('error', reject);
  });
}

/** Loads the list with an empty cache. Returns when it was live, in ms after the navigation began, and its elements. */
async function load(page: Page, fleet: Fleet, slowdown: number) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.clearBrowserCache');
  await session.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  await page.goto(fleet.url);
  const live = await page.waitForFunction(() => (window as unknown as { liveAt?: number }).liveAt);
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  await session.detach();
  return { ms: (await live.jsonValue()) as number, elements };
}

/** Notes when the page says that it is live. */
const noteLive = (context: BrowserContext) =>
  context.addInitScript(() => {
    const look = () => {
      if (document.querySelector('.badge')?.textContent !== 'live') return;
      Object.assign(window, { liveAt: performance.now() });
      observer.disconnect();
    };
    const observer = new MutationObserver(look);
    addEventListener('DOMContentLoaded', () =>
      observer.observe(document.body, { subtree: true, childList: true, characterData: true }),
    );
  });

/** Types a search, and waits for rows that match, and no others. In ms. */
const search = (page: Page, words: string) =>
  page.evaluate(
    (words) =>
      new Promise<number>((resolve) => {
        const box = document.querySelector<HTMLInputElement>('input[type=search]')!;
        const names = () => [...document.querySelectorAll('[data-vm]')].map((row) => row.getAttribute('data-vm') ?? '');
        const begun = performance.now();
        const observer = new MutationObserver(() => {
          if (names().length === 0 || !names().every((name) => name.includes(words))) return;
          observer.disconnect();
          resolve(performance.now() - begun);
        });
        observer.observe(document.body, { subtree: true, childList: true, attributes: true });
        box.value = words;
        box.dispatchEvent(new InputEvent('input', { bubbles: true }));
      }),
    words,
  );

/** Opens the Migrate window of the first VM that runs, as often. */
async function openings(page: Page, fleet: Fleet) {
  const windows: MigrateWindow[] = [];
  for (const rack of ['03-', '07-', '11-', '13-', '17-']) {
    await page.goto(`${fleet.url}/?state=running`);
    await expect(page.locator('.badge')).toHaveText('live');
    windows.push(await openMigrate(page, rack));
  }
  return windows;
}

test('the list of a fleet', async ({ browser }) => {
  test.setTimeout(600_000);
  const fleet = await startFleet('--listen', '127.0.0.1:0');
  const context = await browser.newContext();
  await noteLive(context);
  const page = await context.newPage();
  // What the page asks its stream for.
  const asked: string[] = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => asked.push(payload.toString())));
  await fleet.logIn(page);
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  // All migrations have begun by then.
  await seconds(20);
  await page.goto('about:blank');

  const answers: { ms: number; bytes: number }[] = [];
  for (let count = 0; count < REQUESTS; count += 1) answers.push(await ask(fleet, '/', cookie));
  const bytes = median(answers.map(({ bytes }) => bytes));

  const desktop: { ms: number; elements: number }[] = [];
  for (let count = 0; count < LOADS; count += 1) desktop.push(await load(page, fleet, 1));
  const searches: number[] = [];
  for (const words of ['kafka', 'mail', 'queue', 'zone', 'vpn']) searches.push(await search(page, words));

  const windows = await openings(page, fleet);

  const phoneContext = await browser.newContext(devices['Pixel 7']);
  await noteLive(phoneContext);
  const phonePage = await phoneContext.newPage();
  await fleet.logIn(phonePage);
  const phone: { ms: number; elements: number }[] = [];
  for (let count = 0; count < LOADS; count += 1) phone.push(await load(phonePage, fleet, 4));
  const phoneWindows = await openings(phonePage, fleet);
  await Promise.all([page.goto('about:blank'), phonePage.goto('about:blank')]);

  const cpu = async () => {
    const before = fleet.cpu();
    await seconds(WATCHED);
    return ((fleet.cpu() - before) / WATCHED) * 100;
  };
  const unwatched = await cpu();
  const [resume = ''] = asked;
  for (const session of [page, phonePage]) {
    await session.goto(`${fleet.url}/account`);
    await session.evaluate(
      ({ resume, count }) => {
        const sockets = Array.from({ length: count }, () => new WebSocket(`${location.origin.replace('http', 'ws')}/ws`));
        Object.assign(window, { sockets, received: 0 });
        for (const socket of sockets) {
          socket.addEventListener('open', () => socket.send(resume));
          socket.addEventListener('message', () => ((window as unknown as { received: number }).received += 1));
        }
      },
      { resume, count: WATCHERS / SESSIONS },
    );
  }
  await seconds(2);
  const watched = await cpu();
  const received = await page.evaluate(() => (window as unknown as { received: number }).received);
  expect(received).toBeGreaterThan(WATCHERS);

  const rows: Row[] = [
    { what: 'list page on the server, p95', unit: 'ms', goal: '50', before: '508', now: quantile(answers.map(({ ms }) => ms), 0.95) },
    { what: 'its HTML, compressed', unit: 'kB', goal: '150', before: '12,800 (not compressed)', now: bytes / 1000 },
    { what: 'elements in the page', unit: '', goal: '3,000', before: '170,000', now: median(desktop.map(({ elements }) => elements)) },
    { what: 'live on a desktop', unit: 'ms', goal: '1,500', before: '9,500', now: median(desktop.map(({ ms }) => ms)) },
    { what: 'live on a phone, CPU 4 times slower', unit: 'ms', goal: '3,000', before: '', now: median(phone.map(({ ms }) => ms)) },
    { what: 'first rows of a search', unit: 'ms', goal: '100', before: '', now: median(searches) },
    { what: 'Migrate window, first host to choose', unit: 'ms', goal: '300', before: '', now: median(windows.map(({ card }) => card)) },
    { what: 'its first checks', unit: 'ms', goal: '300', before: '', now: median(windows.map(({ checked }) => checked)) },
    { what: 'a host found by three letters', unit: 'ms', goal: '100', before: '', now: median(windows.map(({ found }) => found)) },
    { what: 'Migrate window on a phone', unit: 'screens', goal: '2', before: '', now: median(phoneWindows.map(({ screens }) => screens)) },
    { what: 'memory of the server', unit: 'MB', goal: '150', before: '358', now: fleet.memory() },
    { what: 'CPU of the server, nothing watches', unit: '% of a core', goal: '', before: '', now: unwatched },
    { what: `CPU of the server, ${WATCHERS} pages watch`, unit: '% of a core', goal: '25', before: '', now: watched },
  ];
  const number = (value: number) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
  console.log('| | goal | before | now |\n|---|--:|--:|--:|');
  for (const { what, unit, goal, before, now } of rows) {
    console.log(`| ${what}${unit && `, ${unit}`} | ${goal} | ${before} | ${number(now)} |`);
  }
  fleet.stop();
});
