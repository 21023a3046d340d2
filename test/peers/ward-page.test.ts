// Goal: what a nurse sees, hears and does at /ward is what the ward is in, and she is told when it is not.
// Way: the demo as its user starts it, real Chromium beside it, found by the names and roles a person reads.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, signInAt, tileOf } from '../web/browser.ts';
import { signIn, startDemo, type RunningDemo } from '../web/demo-process.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const beds = ['01', '02', '03', '04', '05', '06', '07', '08'];

/** Counts the tones that were started, and keeps the contexts that were to sound them. */
const listenIn = `
  window.tones = 0;
  window.contexts = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...args) {
    window.tones += 1;
    if (!window.contexts.includes(this.context)) window.contexts.push(this.context);
    return start.apply(this, args);
  };`;

let demo: RunningDemo;
let browser: Browser;
let nurse: BrowserContext;
let page: Page;

beforeAll(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  nurse = await browser.newContext({ viewport: { width: 1920, height: 1080 }, colorScheme: 'light' });
  await nurse.addInitScript(listenIn);
  page = await nurse.newPage();
});
afterAll(async () => {
  await browser?.close();
  await demo?.close();
});

/** What axe finds wrong, in words. */
async function violations(at: Page): Promise<string[]> {
  await at.evaluate(axe);
  const found = (await at.evaluate('axe.run()')) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

const acknowledgeBed03 = () => page.getByRole('button', { name: /^Acknowledge Bed 03, HR, high limit 120/ });
/** How long it takes from now until the banner stands, ms. */
async function untilTold(): Promise<number> {
  const since = performance.now();
  await page.getByRole('alert').filter({ hasText: 'Not connected' }).waitFor({ timeout: 15_000 });
  return performance.now() - since;
}
const isWide = (at: Page): Promise<boolean> =>
  at.evaluate('document.documentElement.scrollWidth > window.innerWidth');

test('before sign-in the page says DEMO and what Vigil is for, and a wrong password is told in words', async () => {
  await page.goto(`${demo.url}/ward`);
  await page.getByText('DEMO', { exact: false }).waitFor();
  await page.getByText('the bedside device stays the primary alarm').waitFor();
  expect(await violations(page)).toEqual([]);

  await page.getByLabel('User').fill('nurse');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  expect(await page.getByRole('alert').textContent()).toMatch(/user and password do not fit/i);
});

test('a nurse sees eight beds live, under the word DEMO', async () => {
  await signInAt(page, demo);
  await page.getByText('DEMO: no real patients').waitFor();
  await page.getByText('All 8 devices connected').waitFor({ timeout: 45_000 });
  expect(await page.getByRole('article').count()).toBe(beds.length);
  for (const bed of beds) {
    const tile = tileOf(page, bed);
    // A sensor may be off for a moment; then the tile says so instead.
    await tile
      .getByText(/^(HR|PR)$/)
      .first()
      .waitFor();
    const says = await tile.getByRole('list').first().innerText();
    expect(says, `bed ${bed}`).toMatch(/(HR|PR)\s+(\d{2,3}|–)/);
    expect(says, `bed ${bed}`).toMatch(/SpO2\s+(\d{2,3}|–)/);
  }
  await page.getByText('Supplemental: the monitor is the primary alarm', { exact: false }).waitFor();
});

describe('the true alarm of bed 03', () => {
  test('is seen on its tile and in the list with shape and word, and heard', async () => {
    await acknowledgeBed03().waitFor({ timeout: 90_000 });
    await tileOf(page, '03').getByText('medium').waitFor();
    const alarms = page.getByRole('region', { name: 'Alarms' });
    await alarms.getByRole('heading', { name: 'Bed 03' }).waitFor();
    await page.getByText(/^Ringing: (medium|high) priority$/).waitFor();
    expect(await page.evaluate('window.tones')).toBeGreaterThan(0);
    expect(await page.evaluate('window.contexts.map((context) => context.state)')).toEqual(['running']);
  });

  test('breaks no rule of accessibility, light or dark', async () => {
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  test('moves nothing for those who asked for no motion', async () => {
    const moving = (): Promise<number> => page.evaluate('document.getAnimations().length');
    expect(await moving()).toBeGreaterThan(0);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await moving()).toBe(0);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
  });

  test('is seen on a phone and at 200 % zoom without scrolling sideways, with acts large enough to touch', async () => {
    for (const [width, height] of [
      [360, 740],
      [960, 540],
    ] as const) {
      await page.setViewportSize({ width, height });
      expect(await isWide(page), `${width} wide`).toBe(false);
      expect((await acknowledgeBed03().boundingBox())?.height).toBeGreaterThanOrEqual(64);
      const signOut = await page.getByRole('button', { name: 'Sign out' }).boundingBox();
      expect(signOut?.height).toBeGreaterThanOrEqual(48);
    }
    await page.setViewportSize({ width: 1920, height: 1080 });
  });

  test('is acknowledged by keyboard: the words say by whom, and when it rings again', async () => {
    await acknowledgeBed03().focus();
    await page.keyboard.press('Enter');
    const row = page.getByRole('region', { name: 'Alarms' }).getByRole('listitem');
    const bed03 = row.filter({ has: page.getByRole('heading', { name: 'Bed 03' }) });
    await bed03.getByText(/Acknowledged by Demo nurse, \d\d:\d\d\. Rings again in \d+ min/).waitFor();
    await page.getByText('Acknowledging quiets the handhelds; the monitor keeps sounding.').waitFor();
    expect(await acknowledgeBed03().count()).toBe(0);
    await bed03.and(page.locator(':focus')).waitFor();
  });
});

test('a patient whose name is a program is shown by that name, and nothing runs', async () => {
  const errors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  const name = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const admin = await signIn(demo, 'admin', demo.passwords['admin'] ?? '');
  const charge = await signIn(demo, 'charge-nurse', demo.passwords['charge-nurse'] ?? '');
  const bed = { id: 'bed-09', ward: 'demo-ward', label: '09' };
  expect(await admin('POST', '/beds', bed)).toMatchObject({ status: 201 });
  const stay = { ward: bed.ward, bed: bed.id, patient: { name } };
  expect(await charge('POST', '/encounters', stay)).toMatchObject({ status: 201 });

  await tileOf(page, '09').getByText(name, { exact: true }).waitFor();
  await tileOf(page, '09').getByText('No device at this bed. Associate one to see its values.').waitFor();
  expect(await page.locator('img, main script').count()).toBe(0);
  expect(await page.title()).toContain('Vigil');
  expect(errors).toEqual([]);
});

test('an engineer sees values and no patient, and has nothing to acknowledge with', async () => {
  const context = await browser.newContext();
  const engineer = await context.newPage();
  await signInAt(engineer, demo, 'biomed');
  await tileOf(engineer, '03').getByText('HR', { exact: true }).waitFor();
  expect(await engineer.getByText('Zhang Min', { exact: false }).count()).toBe(0);
  await engineer.getByRole('region', { name: 'Alarms' }).getByRole('heading', { name: 'Bed 03' }).waitFor();
  expect(await engineer.getByRole('button', { name: /^Acknowledge/ }).count()).toBe(0);
  await context.close();
});

test('a page loaded anew says that it may not sound yet, until it is touched', async () => {
  await page.reload();
  await page.getByText('Sound off').waitFor();
  await page.getByRole('button', { name: /not allowed to sound yet/ }).click();
  await page.getByText(/^(Sound on|Ringing: .*)$/).waitFor();
  expect(await page.getByRole('button', { name: /not allowed to sound yet/ }).count()).toBe(0);
});

test('a gateway that stalls with its connection open is told within 5 s, and when it is back', async () => {
  process.kill(demo.pid, 'SIGSTOP');
  try {
    expect(await untilTold()).toBeLessThanOrEqual(5_000);
  } finally {
    process.kill(demo.pid, 'SIGCONT');
  }
  await page.getByText('you are not being alarmed by Vigil').waitFor({ state: 'detached' });
  await page.getByText('All 8 devices connected').waitFor({ timeout: 30_000 });
});

test('a dead gateway is told within 5 s, with the age of everything', async () => {
  await tileOf(page, '03').getByText('HR', { exact: true }).waitFor();
  await demo.kill();
  const tookMs = await untilTold();
  console.log(`the banner stood ${(tookMs / 1_000).toFixed(1)} s after the kill`);
  expect(tookMs).toBeLessThanOrEqual(5_000);
  await page.getByText('you are not being alarmed by Vigil').waitFor();
  await tileOf(page, '03')
    .getByText(/^\d+ s ago$/)
    .first()
    .waitFor();

  // At 15 s it is heard too, with nobody's help.
  await page.waitForTimeout(15_000 - tookMs);
  const tones = Number(await page.evaluate('window.tones'));
  await page.getByText(/^Ringing: (medium|high) priority$/).waitFor();
  await expect.poll(() => page.evaluate('window.tones'), { timeout: 10_000 }).toBeGreaterThan(tones);
});
