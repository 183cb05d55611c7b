import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { demo } from './demo';

/** The distribution's Chromium where there is one, else Playwright's own. */
const chromium = process.env.CHROMIUM ?? ['/usr/bin/chromium'].find((path) => existsSync(path));

/** The binary that `make build` makes. */
const vmferry = process.env.VMFERRY ?? '../target/release/vmferry';

export default defineConfig({
  testDir: 'tests',
  forbidOnly: Boolean(process.env.CI),
  // The tests move the same three VMs.
  workers: 1,
  // Migrations take their time, and CI machines are slow.
  timeout: 120_000,
  expect: { timeout: 60_000 },
  reporter: 'list',
  use: {
    baseURL: demo.url,
    browserName: 'chromium',
    launchOptions: {
      executablePath: chromium,
      // Besides Playwright's own arguments: no background traffic.
      args: ['--disable-quic', '--disable-sync', '--disable-background-networking', '--disable-component-update'],
    },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'desktop', use: { viewport: { width: 1280, height: 800 } } },
    { name: 'phone', use: { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true } },
  ],
  webServer: {
    command: `exec "${vmferry}" demo --listen ${new URL(demo.url).host} --network ${demo.network} --dir "${demo.dir}"`,
    url: `${demo.url}/healthz`,
    timeout: 60_000,
    // The demo ends its daemons and VMs before it exits.
    gracefulShutdown: { signal: 'SIGTERM', timeout: 30_000 },
  },
});
