import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, type Page } from '@playwright/test';

/** The program of `cargo xtask fleet`, built as a release. */
const fleet = process.env.FLEET ?? '../target/release/fleet';
/** Ticks of the kernel's clock in a second (`getconf CLK_TCK`), on every Linux. */
const TICKS = 100;

/** A console over simulated hosts. */
export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/** Starts one, and waits until it says how to log in. It ends with this program. */
export async function startFleet(...options: string[]) {
  const { VMFERRY_ADMIN_PASSWORD: _, ...env } = process.env;
  const child = spawn(fleet, ['--until-stdin-closes', ...options], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the fleet ended with ${code}`)));
  });
  failed.catch(() => {});
  const introduced = async () => {
    let url = '';
    for await (const line of createInterface(child.stdout)) {
      url = /The console:\s+(\S+)\//.exec(line)?.[1] ?? url;
      const password = /password (\S+)/.exec(line)?.[1];
      if (password) return { url, password };
    }
    throw new Error('the fleet did not say how to log in');
  };
  const { url, password } = await Promise.race([introduced(), failed]);
  const of = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  return {
    url,
    /** Logs in, and waits until the page is live. */
    async logIn(page: Page) {
      await page.goto(url);
      await page.getByLabel('User name').fill('admin');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Log in' }).click();
      await expect(page.locator('.badge')).toHaveText('live');
    },
    /** Resident memory, in MB. */
    memory: () => (Number(/VmRSS:\s+(\d+)/.exec(of('status'))?.[1]) * 1024) / 1e6,
    /** What it has used of CPUs so far, in seconds. */
    cpu() {
      const fields = of('stat').slice(of('stat').lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    stop: () => void child.stdin.end(),
  };
}
