// The screen Record and replay in a real Chromium: a station is recorded, judged again by another model, and compared.
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePng } from '@kerf/edge-runtime/node';
import { datasetParts, modelFile } from '@kerf/models';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import {
  checkScreen,
  drawn,
  type Inspecting,
  keepPicture,
  LOOKS,
  openPage,
  soon,
  startInspect,
  stopInspect,
} from './support/inspecting.ts';

const PARTS = 6;

const started = await startChromium();

describe.skipIf(started.browser === null)(`record and replay${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let folder = '';
  let running: Inspecting;

  async function startLine(model: string, ...more: string[]): Promise<void> {
    const station = [
      'format: kerf-station/1',
      'station: line-4',
      'source: { kind: folder, path: in, partId: "(P-[0-9]+)", whenRead: delete }',
      `model: { path: ${JSON.stringify(modelFile(model))} }`,
      'task: { kind: anomaly }',
      'deadline: 20 s',
      'sinks: [{ kind: json-lines, path: results.jsonl }]',
      ...more,
    ];
    await writeFile(join(folder, 'line.yaml'), `${station.join('\n')}\n`);
    running = await startInspect(folder);
  }

  async function feed(): Promise<void> {
    for (let part = 0; part < PARTS; part++) {
      await copyFile(join(folder, `part-${part}.png`), join(folder, 'in/.part'));
      await rename(join(folder, 'in/.part'), join(folder, `in/P-${part}.png`));
    }
  }

  const openReplay = async (page: Page): Promise<void> => page.getByRole('link', { name: 'Replay' }).click();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-replayed-'));
    await mkdir(join(folder, 'in'));
    let index = 0;
    for await (const { picture } of datasetParts({ split: 'demo', count: PARTS })) {
      await writeFile(join(folder, `part-${index++}.png`), await encodePng(picture.image));
    }
    await startLine('surface-v1');
  });
  afterAll(async () => {
    await stopInspect(running);
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('records from the page, and the same model judges it again bit for bit', async () => {
    const { page, faults } = await openPage(browser, running.url);
    await openReplay(page);
    await page.getByText('There is no session yet').waitFor();
    await checkScreen(page, 'sessions, empty');
    await page.getByRole('button', { name: 'Start recording' }).click();
    await page.getByText('Recording: 0 parts').waitFor();
    await feed();
    const results = async (): Promise<number> =>
      (await readFile(join(folder, 'results.jsonl'), 'utf8').catch(() => '')).split('\n').length - 1;
    await soon(results).toBe(PARTS);
    await page.getByRole('button', { name: 'Stop recording' }).click();
    await page.getByText('Nothing is being recorded').waitFor();
    expect((await readdir(join(folder, 'sessions'))).length).toBe(1);
    await page.getByRole('button', { name: 'Judge the first again' }).click();
    await page.getByText(`Judged again: ${PARTS} equal bit for bit, 0 not, 0 could not be compared.`).waitFor();
    await page.getByText(`${PARTS} parts are in both: 0 with another verdict, 0 with another score.`).waitFor();
    await soon(() => page.locator('.side-by-side canvas').count()).toBe(2);
    await page.close();
    expect(faults).toEqual([]);
  });

  test('another model: changed verdicts come first, and both pictures are there', async () => {
    await stopInspect(running);
    // Nothing passes: every verdict that was another one than NG has changed.
    await startLine('surface-lite', 'thresholds: { passBelow: 0, ngAbove: 0 }');
    const { page, faults } = await openPage(browser, running.url);
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
      .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset['changed']));
    expect(flags).toEqual(Array.from({ length: PARTS }, (_, at) => String(at < changed)));
    await page.locator('.pair-rows button').nth(1).click();
    await soon(() => drawn(page, '.side-by-side canvas')).toBe(2);
    await page.close();
    expect(faults).toEqual([]);
  });

  test.each(LOOKS)('%s, %s, %i pixels wide: fit for use', async (language, theme, width, height, gloves) => {
    const { page, faults } = await openPage(browser, running.url, { language, theme, gloves }, { width, height });
    await page.locator('nav a[href="#sessions"]').click();
    await soon(() => drawn(page, '.side-by-side canvas')).toBe(2);
    await checkScreen(page, 'sessions', gloves);
    await keepPicture(page, `replay-${language}-${theme}`);
    await page.close();
    expect(faults).toEqual([]);
  });
});
