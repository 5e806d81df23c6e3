// The screen Record and replay in a real Chromium: a station is recorded, judged again by another model, and compared.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { InspectedLine, testLooks } from './support/inspected-line.ts';
import { checkScreen, drawn, keepLooks, soon } from './support/inspecting.ts';

const PARTS = 6;

const started = await startChromium();

describe.skipIf(started.browser === null)(`record and replay${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let line: InspectedLine;

  const openReplay = async (page: Page): Promise<void> => page.getByRole('link', { name: 'Replay' }).click();

  beforeAll(async () => {
    line = await InspectedLine.open(browser, { name: '二号线', parts: PARTS });
  });
  afterAll(async () => {
    await line?.close();
    await browser.close();
  });

  test('records from the page, and the same model judges it again bit for bit', async () => {
    const { page, faults } = await line.page();
    await openReplay(page);
    await page.getByText('There is no session yet').waitFor();
    await checkScreen(page, 'sessions, empty');
    await page.getByRole('button', { name: 'Start recording' }).click();
    await page.getByText('Recording: 0 parts').waitFor();
    await line.feed(PARTS);
    await soon(async () => (await line.results()).length).toBe(PARTS);
    await page.getByRole('button', { name: 'Stop recording' }).click();
    await page.getByText('Nothing is being recorded').waitFor();
    expect((await readdir(join(line.folder, 'sessions'))).length).toBe(1);
    await page.getByRole('button', { name: 'Judge the first again' }).click();
    await page.getByText(`Judged again: ${PARTS} equal bit for bit, 0 not, 0 could not be compared.`).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Judge the first again');
    await page.getByText(`${PARTS} parts are in both: 0 with another verdict, 0 with another score.`).waitFor();
    await soon(() => page.locator('.side-by-side canvas').count()).toBe(2);
    await page.close();
    expect(faults).toEqual([]);
  });

  test('another model: changed verdicts come first, and both pictures are there', async () => {
    // Nothing passes: every verdict that was another one than NG has changed.
    await line.configure({ model: 'surface-lite', more: ['thresholds: { passBelow: 0, ngAbove: 0 }'] });
    await line.restart();
    const { page, faults } = await line.page();
    await openReplay(page);
    const first = page.locator('select').first();
    await first.locator('option').nth(1).waitFor({ state: 'attached' });
    const names = await first
      .locator('option')
      .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    await first.selectOption(names.find((name) => !name.includes('.replay-')) ?? '');
    await page.getByRole('button', { name: 'Judge it by today’s thresholds' }).click();
    await page.getByText(`Judged again: 0 equal bit for bit, ${PARTS} not`).waitFor();
    const said = page.getByText(/parts are in both: \d with another verdict/);
    await soon(async () =>
      Number(/(\d) with another verdict/.exec((await said.textContent()) ?? '')?.[1]),
    ).toBeGreaterThan(0);
    const changed = Number(/(\d) with another verdict/.exec((await said.textContent()) ?? '')?.[1]);
    const flags = await page
      .locator('.pair-rows button')
      .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset['flagged']));
    expect(flags).toEqual(Array.from({ length: PARTS }, (_, at) => String(at < changed)));
    await page.locator('.pair-rows button').nth(1).click();
    await soon(() => drawn(page, '.side-by-side canvas')).toBe(2);
    await keepLooks(page, 'replay');
    await page.close();
    expect(faults).toEqual([]);
  });

  testLooks(() => line, { screen: 'sessions', name: 'replay', canvases: '.side-by-side canvas', count: 2 });
});
