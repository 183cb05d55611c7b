import { expect, type Page } from '@playwright/test';

/** What the Migrate window of a list's first VM took. */
export type MigrateWindow = {
  /** From the click to the first host with what is known of it, in ms. */
  card: number;
  /** From the click to the first host with what its checks have found, in ms. */
  checked: number;
  /** Its height with all that it shows at first, in screens. */
  screens: number;
  /** From the third letter of a host's name to its card, in ms. */
  found: number;
};

/** Opens the window, and searches for a host by these letters. The window is closed again. */
export async function openMigrate(page: Page, letters: string): Promise<MigrateWindow> {
  const opened = await page.evaluate(
    () =>
      new Promise<{ card: number; checked: number }>((resolve) => {
        const begun = performance.now();
        let card = 0;
        const observer = new MutationObserver(() => {
          const dialog = document.querySelector('dialog[open]');
          if (!card && dialog?.querySelector('[data-host] input:enabled')) card = performance.now() - begun;
          if (!dialog?.querySelector('[data-host] .verdict > *')) return;
          observer.disconnect();
          resolve({ card, checked: performance.now() - begun });
        });
        observer.observe(document.body, { subtree: true, childList: true, attributes: true });
        document.querySelector<HTMLElement>('a.migrate')!.click();
      }),
  );
  const dialog = page.getByRole('dialog');
  // The recommended one has been chosen, and its report is there.
  await expect(dialog.getByRole('button', { name: 'Start migration' })).toBeEnabled();
  const screens = await dialog.evaluate((dialog) => dialog.scrollHeight / window.innerHeight);
  const found = await page.evaluate(
    (letters) =>
      new Promise<number>((resolve) => {
        const hosts = () =>
          [...document.querySelectorAll('dialog [data-host]')].map((card) => card.getAttribute('data-host') ?? '');
        const box = document.querySelector<HTMLInputElement>('dialog input[type=search]')!;
        const begun = performance.now();
        const observer = new MutationObserver(() => {
          if (!hosts().some((name) => name.includes(letters))) return;
          observer.disconnect();
          resolve(performance.now() - begun);
        });
        observer.observe(document.body, { subtree: true, childList: true });
        box.value = letters;
        box.dispatchEvent(new InputEvent('input', { bubbles: true }));
      }),
    letters,
  );
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  return { ...opened, screens, found };
}
