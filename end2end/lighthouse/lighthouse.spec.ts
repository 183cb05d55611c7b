import { chromium, expect, test } from '@playwright/test';
import lighthouse, { type Flags } from 'lighthouse';
import config from '../playwright.config';
import { pagesOf, type Place } from '../pages';
import { clearUp, prepare } from '../subject';
import { logIn } from '../tests/support';

/** Where Lighthouse finds the browser. */
const PORT = 9333;
/** How well a page performs depends on the machine, so that it is measured only where one asks for it, and never judged. */
const measures = Boolean(process.env.LIGHTHOUSE_PERFORMANCE);
const JUDGED = ['accessibility', 'best-practices', 'seo'];

/** Without performance nothing has to be slowed down or waited for. */
const flags: Flags = measures
  ? {}
  : { throttlingMethod: 'provided', pauseAfterFcpMs: 0, pauseAfterLoadMs: 0, networkQuietThresholdMs: 0, cpuQuietThresholdMs: 0 };

/** The scores of a page in percent, and what is wrong with it. */
async function examine(url: string) {
  const onlyCategories = measures ? ['performance', ...JUDGED] : JUDGED;
  const result = await lighthouse(url, { port: PORT, logLevel: 'error', disableStorageReset: true, onlyCategories, ...flags });
  if (!result) throw new Error(`Lighthouse has nothing to say of ${url}`);
  const { categories, audits } = result.lhr;
  const of = (name: string) => Math.round((categories[name]?.score ?? 0) * 100);
  const wrong = JUDGED.flatMap((name) => categories[name]?.auditRefs ?? [])
    .filter(({ id, weight }) => weight > 0 && audits[id]?.score !== null && (audits[id]?.score ?? 1) < 1)
    .map(({ id }) => `${id}: ${JSON.stringify(audits[id]?.details ?? audits[id]?.title).slice(0, 600)}`);
  return { performance: measures ? of('performance') : undefined, scores: JUDGED.map(of), wrong };
}

test('every page is as good as Lighthouse can tell', async ({ baseURL, launchOptions }, info) => {
  // One profile for both: what the test logs in with is what Lighthouse has.
  const args = [...(launchOptions.args ?? []), `--remote-debugging-port=${PORT}`];
  const context = await chromium.launchPersistentContext(info.outputPath('profile'), { ...launchOptions, args, baseURL });
  try {
    const login = await examine(`${baseURL}/login`);
    const page = await context.newPage();
    await logIn(page);
    const subject = await prepare(page.request);
    await page.goto('about:blank');
    // Where there is no page, its status has to say so, which Lighthouse does not like.
    const places = pagesOf(subject).filter(({ name }) => name !== 'not-found');
    const told = async ({ name, path }: Place, result = examine(`${baseURL}${path}`)) => {
      const { performance, scores, wrong } = await result;
      console.log(`${name}: ${performance === undefined ? '' : `performance ${performance}, `}${scores.join(', ')}`);
      expect.soft(wrong, name).toEqual([]);
      expect.soft(scores, name).toEqual([100, 100, 100]);
    };
    await told({ name: 'login', path: '/login' }, Promise.resolve(login));
    for (const place of places) await told(place);
    await clearUp(page.request, subject);
  } finally {
    await context.close();
  }
});
