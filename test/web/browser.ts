/// <reference types="node" />
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { RunningDemo } from './demo-process.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Debian's Chromium, quiet on the network; a page sounds only after a touch, as on a ward. */
export function openBrowser(): Promise<Browser> {
  const executablePath = places.find((place) => existsSync(place));
  if (executablePath === undefined)
    throw new Error('Chromium is missing: npm run peers installs it (Debian package chromium)');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=user-gesture-required',
    ],
  });
}

/** Signs in as a person does: by the labels they read, and the Enter key. */
export async function signInAt(page: Page, demo: RunningDemo, user = 'nurse'): Promise<void> {
  await page.goto(`${demo.url}/ward`);
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(demo.passwords[user] ?? '');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Demo ward' }).waitFor();
}

/** Every bed's tile, as its name is read out. */
export const tileOf = (page: Page, bed: string) => page.getByRole('article', { name: `Bed ${bed}` });
