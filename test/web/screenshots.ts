/// <reference types="node" />
// node test/web/screenshots.ts: the pictures of the README, taken of the demo with bed 03 alarming.
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import { openBrowser, signInAt } from './browser.ts';
import { startDemo } from './demo-process.ts';

const folder = fileURLToPath(new URL('../../docs/screens/', import.meta.url));
const mostBytes = 300_000;

const pictures: readonly (readonly [name: string, screen: BrowserContextOptions])[] = [
  ['ward.png', { viewport: { width: 1920, height: 1080 } }],
  [
    'ward-phone.png',
    { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  ],
];

const demo = await startDemo();
const browser = await openBrowser();
try {
  mkdirSync(folder, { recursive: true });
  for (const [name, screen] of pictures) {
    // A flashing edge is caught at its brightest by nobody; without motion it is whole.
    const context = await browser.newContext({ ...screen, colorScheme: 'light', reducedMotion: 'reduce' });
    const page = await context.newPage();
    await signInAt(page, demo);
    await page
      .getByRole('button', { name: /^Acknowledge Bed 03, HR, high limit 120/ })
      .waitFor({ timeout: 120_000 });
    await page.getByText(/^Ringing: /).waitFor();
    await page.screenshot({ path: folder + name });
    await context.close();
    const { size } = statSync(folder + name);
    console.log(`docs/screens/${name} ${Math.round(size / 1_000)} kB`);
    if (size > mostBytes) throw new Error(`${name} is too large for a README: ${size} bytes`);
  }
} finally {
  await browser.close();
  await demo.close();
}
