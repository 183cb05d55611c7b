import { expect, test } from '@playwright/test';
import { logIn, migrate, runsOn } from '../tests/support';

/** A bar's value, and how long after the server took the sample the page showed it, in ms. */
type Shown = { value: number; ms: number };

test('from a sample in the server to the page', async ({ page }) => {
  await page.addInitScript(() => {
    const sampledAt = new Map<number, number>();
    const shown: Shown[] = [];
    Object.assign(window, { shown });
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('message', ({ data }) => {
          const update = JSON.parse(data).update;
          const percent = update?.change?.migration?.progress?.percent;
          // As the page rounds it.
          if (percent !== undefined) sampledAt.set(Math.floor(percent * 10) / 10, update.at_ms);
        });
      }
    };
    addEventListener('DOMContentLoaded', () =>
      new MutationObserver(() => {
        const value = document.querySelector<HTMLProgressElement>('progress')?.value;
        const sampled = value === undefined ? undefined : sampledAt.get(value);
        if (value === undefined || sampled === undefined) return;
        sampledAt.delete(value);
        shown.push({ value, ms: Date.now() - sampled });
      }).observe(document.documentElement, { subtree: true, childList: true, attributes: true }),
    );
  });
  await logIn(page);
  await migrate(page, 'db', runsOn('db')[0] === 'alpha' ? 'beta' : 'alpha');
  await expect(page.locator('.result')).toHaveText(/^db runs on .* after /);
  const shown = await page.evaluate(() => (window as unknown as { shown: Shown[] }).shown);
  const times = shown.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))];
  console.log(`sample to page: ${times.length} samples, median ${at(0.5)} ms, 95 % under ${at(0.95)} ms, longest ${at(1)} ms`);
  expect(times.length).toBeGreaterThan(10);
});
