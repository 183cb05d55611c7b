import { expect, test } from '@playwright/test';
import { demo } from '../demo';
import { expectLive, logIn, row } from './support';

const paths = ['/', '/migrations', '/predictions', '/hosts', '/account'];

test('no errors are logged while pages are used', async ({ page }) => {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  await logIn(page);
  for (const path of paths) {
    await page.goto(path);
    if (path !== '/predictions' && path !== '/account') await expectLive(page);
  }
  expect(errors).toEqual([]);
});

test('a search is kept over a reload', async ({ page }) => {
  await logIn(page);
  await page.getByRole('combobox', { name: 'Search VMs' }).fill('ca');
  await expect(row(page, 'web')).toBeHidden();
  await expect(row(page, 'cache')).toBeVisible();
  await page.reload();
  await expect(row(page, 'web')).toBeHidden();
  await expect(row(page, 'cache')).toBeVisible();
});

test('a VM is paused, resumed, shut down after a confirmation, and started', async ({ page }) => {
  await logIn(page);
  const web = row(page, 'web');
  const choose = async (action: string) => {
    await page.getByRole('button', { name: 'More actions for web' }).click();
    await page.getByRole('link', { name: action, exact: true }).click();
  };
  await choose('Pause');
  await expect(web).toContainText('paused');
  await choose('Resume');
  await expect(web).toContainText('running');
  await choose('Shut down');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Shut down' }).click();
  await expect(web).toContainText('shut off');
  await choose('Start');
  await expect(web).toContainText('running');
});

test('a visitor sees nothing before the login, and then the requested page', async ({ page }) => {
  const response = await page.goto('/hosts');
  expect(await response?.text()).not.toContain('alpha');
  await expect(page).toHaveURL(/\/login/);
  await page.getByLabel('User name').fill(demo.user);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(`${demo.url}/hosts`);
});

test('a link from another site opens the page, if the user is logged in', async ({ page }) => {
  await logIn(page);
  // The same machine under another name is another site.
  const otherSite = demo.url.replace('127.0.0.1', 'localhost');
  await page.route(`${otherSite}/page`, (route) =>
    route.fulfill({ contentType: 'text/html', body: `<a href="${demo.url}/hosts">hosts</a>` }),
  );
  await page.goto(`${otherSite}/page`);
  await page.getByRole('link', { name: 'hosts' }).click();
  await expect(page).toHaveURL(`${demo.url}/hosts`);
  await expect(page.getByRole('heading', { name: 'Hosts' })).toBeVisible();
});

test('a wrong password is reported, and logging out ends the session', async ({ page }) => {
  await page.goto('/login');
  await page.getByLabel('User name').fill('unknown-user');
  await page.getByLabel('Password').fill('wrong wrong wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('alert')).toContainText('wrong');
  await expect(page.getByLabel('User name')).toHaveValue('unknown-user');
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  expect(page.url()).not.toContain('unknown-user');
  await logIn(page);
  await page.goto('/account');
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto('/');
  await expect(page).toHaveURL(/\/login/);
});
