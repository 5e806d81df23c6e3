// Every screen that says what is wrong, in trouble: fit for use in both languages, down to a phone's width.

import { encodePicture } from '@kerf/cli';
import { type ServedInspector, serveInspector } from '@kerf/cli/inspect';
import { KerfError } from '@kerf/protocol';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import {
  type Answers,
  CHANGES,
  FaultyService,
  FLEET,
  KEEPING,
  RUNNING,
  STATIONS,
  UPDATES,
} from './support/faulty-service.ts';
import { checkScreen, keepPicture, openPage, soon } from './support/inspecting.ts';

const started = await startChromium();

/** Language, theme, size: on a station's screen and on a phone, each language and each theme on both. */
const CHECKED = [
  ['zh', 'dark', 1024, 768],
  ['en', 'light', 1024, 768],
  ['zh', 'light', 400, 800],
  ['en', 'dark', 400, 800],
] as const;
/** Nothing in them is not in the others: pictures only. */
const PICTURED = [
  ['zh', 'light', 1024, 768],
  ['en', 'dark', 1024, 768],
] as const;
const LOOKS = process.env['KERF_SCREENSHOTS'] === undefined ? CHECKED : [...CHECKED, ...PICTURED];

interface Trouble {
  readonly screen: string;
  readonly answers: Answers;
  /** Waits for what the screen has to say. */
  readonly ready?: (page: Page) => Promise<unknown>;
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  ...Object.fromEntries(
    Object.entries(STATIONS).map(([name, view]) => [name, { screen: 'line', answers: { 'station.view': view } }]),
  ),
  'update-failed': {
    screen: 'updates',
    answers: { 'updates.view': UPDATES },
    ready: (page) => page.locator('.history-list li').first().waitFor(),
  },
  'rollout-stopped': {
    screen: 'updates',
    answers: { 'updates.view': UPDATES, 'fleet.view': FLEET },
    ready: async (page) => {
      await page.getByRole('button', { name: /^(Fleet|设备群)$/ }).click();
      await page.locator('[data-rollout]').first().waitFor();
    },
  },
  'recording-ended': {
    screen: 'sessions',
    answers: KEEPING,
    ready: (page) => page.locator('.fault').first().waitFor(),
  },
  'thresholds-changed': {
    screen: 'thresholds',
    answers: { 'updates.view': UPDATES, 'thresholds.history': CHANGES },
    ready: (page) => page.locator('.history tbody tr').first().waitFor(),
  },
  'samples-full': { screen: 'samples', answers: KEEPING, ready: (page) => page.locator('.fault').first().waitFor() },
};

describe.skipIf(started.browser === null)(`in trouble${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let service: FaultyService;
  let served: ServedInspector;

  beforeAll(async () => {
    const grey = { width: 640, height: 480, data: new Uint8Array(640 * 480 * 3).fill(120) };
    service = new FaultyService(await encodePicture(grey, { format: 'jpeg', quality: 80 }));
    const host = '127.0.0.1';
    const onError = (error: unknown): void => {
      throw error;
    };
    const keys = new Map([['engineer', 'faults'] as const]);
    served = await serveInspector([service], { host, hosts: [host], port: 0, tls: null, keys, onError });
  });
  afterAll(async () => {
    await served?.close();
    await browser.close();
  });

  test('a screen that cannot be drawn: it says so, and the others go on', async () => {
    // What a station of another version may answer.
    service.answers = { 'results.get': {} as never };
    const { page, faults } = await openPage(browser, served.addresses[0]?.url ?? '', { language: 'zh' });
    page.setDefaultTimeout(10_000);
    await page.locator('nav a[href="#results"]').click();
    await page.locator('.rows li button').first().click();
    await page.getByText('无法显示此界面').waitFor();
    await checkScreen(page, 'broken');
    await page.keyboard.press('8');
    await page.locator('main h2').first().waitFor();
    expect(faults).not.toEqual([]);
    await page.close();
  });

  test('what a station does not say holds nothing else back, is said in its place, and can be asked for once more', async () => {
    const unreadable = new KerfError('DISK_FAILED', 'EIO');
    service.answers = { 'updates.view': UPDATES };
    service.failing = { 'results.list': 'never', 'updates.view': unreadable, 'thresholds.history': unreadable };
    const { page, faults } = await openPage(browser, served.addresses[0]?.url ?? '', { language: 'zh' });
    page.setDefaultTimeout(10_000);
    const again = page.getByRole('button', { name: '重试' });
    const here = page.locator('#content');
    await page.locator('nav a[href="#thresholds"]').click();
    await page.locator('.thresholds input[type="number"]').first().waitFor();
    await here.locator('h3 ~ [role="alert"]').waitFor();
    await checkScreen(page, 'thresholds');
    await page.locator('nav a[href="#updates"]').click();
    await here.getByRole('alert').waitFor();
    await checkScreen(page, 'updates');
    await again.focus();
    await page.keyboard.press('Enter');
    await again.and(page.locator(':focus')).waitFor();
    service.failing = {};
    await page.keyboard.press('Enter');
    await page.locator('.history-list li').first().waitFor();
    expect(await here.evaluate((content) => content.contains(document.activeElement))).toBe(true);
    await page.close();
    expect(faults).toEqual([]);
  });

  test('a line that is paused goes on at once, though the station has not yet answered that it pauses', async () => {
    service.answers = { 'station.view': RUNNING };
    service.failing = { 'station.pause': 'never' };
    const { page, faults } = await openPage(browser, served.addresses[0]?.url ?? '');
    page.setDefaultTimeout(10_000);
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    service.asked.length = 0;
    // Two presses of one finger are one wish.
    await page.keyboard.press('p');
    await page.keyboard.press('p');
    await soon(() => service.asked).toContain('station.pause');
    service.showStation({ ...RUNNING, state: 'paused' });
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await page.keyboard.press('p');
    await soon(() => service.asked).toContain('station.resume');
    expect(service.asked.filter((name) => name === 'station.pause')).toHaveLength(1);
    service.failing = {};
    await page.close();
    expect(faults).toEqual([]);
  });

  test('a test of a slow link shows how far it is, and need not be waited for', async () => {
    service.answers = {};
    service.failing = { 'health.link': 'never' };
    const { page, faults } = await openPage(browser, served.addresses[0]?.url ?? '', { language: 'zh' });
    page.setDefaultTimeout(10_000);
    await page.locator('nav a[href="#health"]').click();
    await page.getByRole('button', { name: '测试连接' }).click();
    const bar = page.getByRole('progressbar');
    await soon(async () => Number(await bar.getAttribute('value'))).toBeGreaterThan(500);
    await checkScreen(page, 'a slow link');
    service.asked.length = 0;
    await page.getByRole('button', { name: '停止' }).click();
    await soon(() => service.asked).toContain('health.cancel');
    service.failing = {};
    await page.close();
    expect(faults).toEqual([]);
  });

  describe.each(LOOKS)('%s, %s, %i pixels wide', (language, theme, width, height) => {
    test.each(Object.entries(TROUBLES))('%s', async (name, { screen, answers, ready }) => {
      service.answers = answers;
      const url = served.addresses[0]?.url ?? '';
      const { page, faults } = await openPage(browser, url, { language, theme }, { width, height });
      page.setDefaultTimeout(10_000);
      await page.locator(`nav a[href="#${screen}"]`).click();
      await (ready?.(page) ?? page.locator('.banner').first().waitFor());
      await checkScreen(page, name);
      // What the station found is said in the page's language, not in its English.
      if (language === 'zh') expect(await page.locator('main').textContent()).not.toMatch(/\b(the|of|is|was)\b/);
      await keepPicture(page, `${name}-${language}-${theme}${width < 500 ? '-phone' : ''}`, true);
      await page.close();
      expect(faults).toEqual([]);
    });
  });
});
