// Every screen's main job by finger alone, in gloves, on a tablet, in both languages: a Chromium that has a touch screen and
// no mouse.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { translator } from '../../apps/inspector/src/renderer/i18n/messages.tsx';
import { startChromium } from '../support/chromium.ts';
import { InspectedLine } from './support/inspected-line.ts';
import { checkScreen, soon } from './support/inspecting.ts';

const PROFILE = fileURLToPath(new URL('../../apps/inspector/demo/surface-v1.profile.json', import.meta.url));
const PARTS = 14;

const started = await startChromium();

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A finger goes down, moves in steps as fingers do, and is lifted. */
async function swipe(page: Page, from: Point, to: Point): Promise<void> {
  const finger = await page.context().newCDPSession(page);
  const at = (share: number): Point => ({
    x: from.x + (to.x - from.x) * share,
    y: from.y + (to.y - from.y) * share,
  });
  await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [from] });
  for (let step = 1; step <= 10; step++) {
    await finger.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [at(step / 10)] });
  }
  await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await finger.detach();
  // A browser takes a tap that follows at once for the end of the swipe: no finger is so quick.
  await page.waitForTimeout(700);
}

async function middleOf(target: Locator): Promise<Point> {
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  if (box === null) throw new Error('it is not drawn');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** By a finger on its middle. */
async function pull(page: Page, target: Locator, dx: number, dy: number): Promise<void> {
  const from = await middleOf(target);
  await swipe(page, from, { x: from.x + dx, y: from.y + dy });
}

const TITLE = `by touch${started.reason ? ` (${started.reason})` : ''}`;

afterAll(async () => {
  await started.browser?.close();
});

describe.skipIf(started.browser === null).each(['en', 'zh'] as const)(`${TITLE}, %s`, (language) => {
  const t = translator(language);
  const browser = started.browser as Browser;
  let line: InspectedLine;
  let page: Page;
  let faults: string[] = [];

  const show = (screen: string): Promise<void> => page.locator(`nav a[href="#${screen}"]`).tap();

  beforeAll(async () => {
    const samples = 'samples: { path: kept, verdicts: [PASS, REVIEW, NG], likeness: 1, labels: [good, dent, scratch] }';
    line = await InspectedLine.open(browser, { name: 'line-9', more: [samples], parts: PARTS });
    await copyFile(PROFILE, join(line.folder, 'surface-v1.profile.json'));
    ({ page, faults } = await line.page({ language, gloves: true }, { width: 1024, height: 768, hasTouch: true }));
    await line.feed(PARTS);
    await page
      .locator('.recent-part')
      .nth(PARTS - 1)
      .waitFor();
  });
  afterAll(async () => {
    await page?.close();
    await line?.close();
    expect(faults).toEqual([]);
  });

  test('Line: pauses, resumes, hides the overlay, and opens a part', async () => {
    await page.getByRole('button', { name: t('line.pause') }).tap();
    await page.getByText(t('line.paused')).waitFor();
    await page.getByRole('button', { name: t('line.resume') }).tap();
    await page.getByRole('button', { name: t('line.pause') }).waitFor();
    await page.getByRole('button', { name: t('line.overlay.hide') }).tap();
    await page.getByRole('button', { name: t('line.overlay.show') }).tap();
    await page.locator('.recent-part').first().tap();
    await page.locator('.why h3').first().waitFor();
    await checkScreen(page, 'results', true);
  });

  test('Results: the list is scrolled by finger, and another part is chosen', async () => {
    const rows = page.locator('.rows');
    await pull(page, rows, 0, -200);
    await soon(() => rows.evaluate(({ scrollTop }) => scrollTop)).toBeGreaterThan(100);
    const last = page.locator('.rows li button').last();
    await last.tap();
    await soon(() => last.getAttribute('aria-current')).toBe('true');

    // On a phone its reason lies below the list: it comes into sight.
    const before = page.viewportSize() ?? { width: 0, height: 0 };
    await page.setViewportSize({ width: 400, height: 800 });
    await page.evaluate(() => scrollTo(0, 0));
    await page.locator('.rows li button').first().tap();
    await soon(() => page.locator('.why h2').evaluate((it) => it.getBoundingClientRect().top)).toBeLessThan(400);
    await page.setViewportSize(before);
  });

  test('Thresholds: a handle is dragged by finger, and the page can still be scrolled over the chart', async () => {
    await show('thresholds');
    const [handle, field] = [
      page.getByRole('slider', { name: t('thresholds.passBelow') }),
      page.getByRole('spinbutton', { name: t('thresholds.passBelow') }),
    ];
    const before = Number(await field.inputValue());
    await pull(page, handle, 120, 0);
    const moved = Number(await field.inputValue());
    // 120 of about 930 pixels for 0 to 1.
    expect(moved - before).toBeGreaterThan(0.08);
    expect(moved - before).toBeLessThan(0.2);
    await page.locator('.preview p').first().waitFor();
    await page.getByRole('button', { name: t('thresholds.reset') }).tap();
    await soon(() => field.inputValue()).toBe(String(before));
    await checkScreen(page, 'thresholds', true);
    await page.setViewportSize({ width: 1024, height: 400 });
    await page.evaluate(() => scrollTo(0, 0));
    const chart = await middleOf(page.locator('.histogram'));
    await swipe(page, chart, { x: chart.x, y: chart.y - 150 });
    await soon(() => page.evaluate(() => scrollY)).toBeGreaterThan(50);
    await page.setViewportSize({ width: 1024, height: 768 });
  });

  test('Cut: the line is dragged, the graph moved, a box opened, and a slider pulled', async () => {
    await show('cut');
    const handle = page.getByRole('slider', { name: t('cut.handle') });
    await handle.waitFor();
    const value = async (): Promise<number> => Number(await handle.getAttribute('aria-valuenow'));
    const before = await value();
    await page.waitForTimeout(500);
    await pull(page, handle, 0, -160);
    await soon(value).toBeLessThan(before);
    await checkScreen(page, 'cut', true);
    const uplink = page.getByRole('slider', { name: t('cut.uplinkBitsPerSecond') });
    const said = await uplink.getAttribute('aria-valuetext');
    const box = await uplink.boundingBox();
    if (box === null) throw new Error('no slider');
    const y = box.y + box.height / 2;
    await swipe(page, { x: box.x + box.width * 0.57, y }, { x: box.x + box.width * 0.9, y });
    await soon(() => uplink.getAttribute('aria-valuetext')).not.toBe(said);
  });

  test('Samples: labels, undoes, and scrolls', async () => {
    await show('samples');
    const labels = (): Promise<string[]> => page.locator('.sample-label').allTextContents();
    await soon(async () => (await labels()).length).toBeGreaterThan(3);
    await page.getByRole('button', { name: 'dent' }).tap();
    await soon(labels).toContain('dent');
    await page.getByRole('button', { name: t('samples.undo') }).tap();
    await soon(labels).not.toContain('dent');
    const rows = page.locator('.rows');
    await pull(page, rows, 0, -150);
    await soon(() => rows.evaluate(({ scrollTop }) => scrollTop)).toBeGreaterThan(50);
    await checkScreen(page, 'samples', true);
  });

  test('Replay, Updates, Health: records, looks at the fleet, tests the runtime', async () => {
    await show('sessions');
    await page.getByRole('button', { name: t('sessions.start') }).tap();
    await page.getByRole('button', { name: t('sessions.stop') }).tap();
    await page.getByText(t('sessions.notRecording')).waitFor();
    await checkScreen(page, 'sessions', true);
    await show('updates');
    await page.getByRole('button', { name: t('updates.fleet') }).tap();
    await checkScreen(page, 'updates', true);
    await show('health');
    await page.getByRole('button', { name: t('health.selfTestRun') }).tap();
    await page
      .getByText(t('health.selfTestBits'))
      .or(page.getByText(t('health.selfTestGood')))
      .waitFor();
    await checkScreen(page, 'health', true);
  });

  test('a phone: the strip of screens follows the finger and the screen that was chosen', async () => {
    await page.setViewportSize({ width: 400, height: 800 });
    await show('line');
    const strip = page.locator('nav');
    await soon(() => strip.evaluate(({ scrollLeft }) => scrollLeft)).toBe(0);
    const at = await middleOf(strip);
    await swipe(page, { x: 350, y: at.y }, { x: 40, y: at.y });
    await soon(() => strip.evaluate(({ scrollLeft }) => scrollLeft)).toBeGreaterThan(100);
    for (const screen of ['health', 'line', 'samples', 'cut']) {
      await show(screen);
      await checkScreen(page, `${screen}, phone`, true);
    }
  });
});
