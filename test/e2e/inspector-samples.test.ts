// The screen Samples in a real Chromium: parts that the station keeps, labelled by key, taken along as a data set.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { InspectedLine, testLooks } from './support/inspected-line.ts';
import { checkScreen, drawn, keepLooks, soon } from './support/inspecting.ts';

const PARTS = 6;

const started = await startChromium();

describe.skipIf(started.browser === null)(`samples${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let line: InspectedLine;

  const labels = async (page: Page): Promise<(string | null)[]> => page.locator('.sample-label').allTextContents();

  /** Two labelled parts, whichever test is the first. */
  const labelled = async (page: Page): Promise<void> => {
    await page.getByRole('link', { name: 'Samples' }).click();
    const figures = page.getByText(/\d+ parts? kept|No part was worth keeping yet/);
    await figures.waitFor();
    if (/[1-9]\d* with a label/.test((await figures.textContent()) ?? '')) return;
    await line.feed(PARTS);
    await soon(() => page.locator('.sample-rows li').count(), { timeout: 90_000 }).toBe(PARTS);
    await page.keyboard.press('1');
    await page.getByText(/, 1 with a label/).waitFor();
    await page.keyboard.press('2');
    await page.getByText(/, 2 with a label/).waitFor();
  };

  beforeAll(async () => {
    const samples = 'samples: { path: kept, verdicts: [PASS, REVIEW, NG], random: 0, labels: [good, dent, scratch] }';
    line = await InspectedLine.open(browser, { name: '冲压-8', more: [samples], parts: PARTS });
  });
  afterAll(async () => {
    await line?.close();
    await browser.close();
  });

  test('parts come in by themselves, number keys label and go on, undo takes back, and a restart keeps it', async () => {
    const { page, faults } = await line.page();
    await page.getByRole('link', { name: 'Samples' }).click();
    await page.getByText('No part was worth keeping yet').waitFor();
    await checkScreen(page, 'samples, empty');
    await line.feed(PARTS);
    await soon(() => page.locator('.sample-rows li').count(), { timeout: 90_000 }).toBe(PARTS);
    await soon(() => drawn(page, '.sample-pad canvas')).toBe(1);

    await page.keyboard.press('1');
    await soon(() => labels(page)).toEqual(['good', '–', '–', '–', '–', '–']);
    await soon(() => page.locator('.sample-rows [aria-current=true] .row-part').textContent()).toBe('P-000004');
    await page.keyboard.press('2');
    await soon(() => labels(page)).toEqual(['good', 'dent', '–', '–', '–', '–']);
    await page.getByRole('button', { name: 'scratch' }).click();
    await soon(() => labels(page)).toEqual(['good', 'dent', 'scratch', '–', '–', '–']);
    // The next part has the same buttons, and the keyboard stays at the one that was pressed.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('3 scratch');
    await page.keyboard.press('u');
    await soon(() => labels(page)).toEqual(['good', 'dent', '–', '–', '–', '–']);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('0');
    await soon(() => labels(page)).toEqual(['good', '–', '–', '–', '–', '–']);
    await page.keyboard.press('2');
    await page.getByText('6 parts kept, 2 with a label').waitFor();
    await keepLooks(page, 'samples');
    // Number keys belong to the labels here; brackets change the screen.
    expect(await page.locator('nav a[aria-current=page]').textContent()).toBe('Samples');
    await page.keyboard.press(']');
    await soon(() => page.locator('nav a[aria-current=page]').textContent()).not.toBe('Samples');
    await page.close();
    expect(faults).toEqual([]);

    await line.restart();
    const again = await line.page();
    await again.page.getByRole('link', { name: 'Samples' }).click();
    await again.page.getByText('6 parts kept, 2 with a label').waitFor();
    await again.page.getByRole('button', { name: 'Labelled', exact: true }).click();
    await soon(async () => new Set(await labels(again.page))).toEqual(new Set(['dent', 'good']));
    await again.page.getByRole('link', { name: 'Thresholds' }).click();
    const escape = again.page.getByRole('row', { name: /Escape/ });
    await soon(() => escape.textContent()).toMatch(/(0%|100%) [01] of 1/);
    // Parts that are judged meanwhile come into the histogram by themselves.
    await line.feed(PARTS * 2);
    await again.page.getByText(`Scores of the last ${PARTS * 2} parts`).waitFor({ timeout: 90_000 });
    await again.page.getByText(`of the last ${PARTS * 2} verdicts would have changed`).waitFor();
    const rates = again.page.locator('table.rates');
    expect(await rates.evaluate((it) => it.clientWidth - (it.parentElement as Element).clientWidth)).toBe(0);
    await keepLooks(again.page, 'thresholds');
    await again.page.getByLabel('NG from').last().fill('1.2');
    await again.page.getByLabel('PASS below').last().fill('1.1');
    await soon(() => escape.textContent()).toContain('100% 1 of 1 (');
    expect(await again.page.locator('.mark-good, .mark-defective').count()).toBe(2);
    await checkScreen(again.page, 'thresholds with labels');
    await again.page.close();
  }, 300_000);

  test.each(['Export folders', 'Export COCO'])('%s gives the pictures as the station has them', async (button) => {
    const { page, faults } = await line.page();
    await labelled(page);
    const [download] = await Promise.all([
      page.waitForEvent('download', { timeout: 90_000 }),
      page.getByRole('button', { name: button }).click(),
    ]);
    const saved = await download.path();
    const files = unzipSync(await readFile(saved));
    const isCoco = button.endsWith('COCO');
    expect(Object.keys(files).length).toBe(3);
    expect(Object.keys(files).some((path) => path === (isCoco ? 'annotations.json' : 'samples.jsonl'))).toBe(true);
    const kept = await readdir(join(line.folder, 'kept'));
    for (const [path, bytes] of Object.entries(files).filter(([each]) => each.endsWith('.png'))) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      expect(path.startsWith(isCoco ? 'images/' : 'test/')).toBe(true);
      expect(kept).toContain(name);
      expect(Buffer.from(bytes).equals(await readFile(join(line.folder, 'kept', name)))).toBe(true);
    }
    await page.getByText(/^Saved as 冲压-8-/).waitFor();
    await page.close();
    expect(faults).toEqual([]);
  });

  testLooks(() => line, { screen: 'samples', canvases: '.sample-pad canvas', count: 1 });

  test('a viewer sees all and labels nothing', async () => {
    await line.restart('--role', 'viewer');
    const { page } = await line.page();
    await page.getByRole('link', { name: 'Samples' }).click();
    await page.getByText('needs the role Engineer; this link has Viewer').waitFor();
    expect(await page.getByRole('button', { name: 'scratch' }).isDisabled()).toBe(true);
    await page.keyboard.press('3');
    await page.waitForTimeout(300);
    expect((await labels(page)).every((label) => label === '–')).toBe(true);
    await page.close();
  });
});
