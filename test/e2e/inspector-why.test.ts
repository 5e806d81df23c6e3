// Why, beyond the record, in a real Chromium against a real cloud: what crossed as pictures, and what other placements say.
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng } from '@kerf/edge-runtime/node';
import { datasetParts, modelFile } from '@kerf/models';
import { strFromU8, unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import {
  checkScreen,
  type Inspecting,
  keepLooks,
  openPage,
  soon,
  startInspect,
  stopInspect,
} from './support/inspecting.ts';
import { openWorkshop, type Workshop } from './support/workshop.ts';

const CUT = '/quarter/quarter.3/Relu_output_0';

const started = await startChromium();

describe.skipIf(started.browser === null)(`why${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let workshop: Workshop;
  let url = '';
  let running: Inspecting | null = null;

  /** A line of its own folder, with one part judged, and its result open. */
  async function openWhy(
    name: string,
    model: string,
    hasCloud: boolean,
    ...args: string[]
  ): Promise<{ page: Page; faults: string[] }> {
    const folder = join(workshop.folder, name);
    await mkdir(join(folder, 'in'), { recursive: true });
    const id = model.endsWith('.onnx') ? 'whole' : 'part';
    const { state } = workshop;
    const station = {
      format: 'kerf-station/1',
      station: name,
      source: { kind: 'folder', path: 'in', partId: '^[^.]+', whenRead: 'delete' },
      model: { path: model, resident: false },
      cloud: hasCloud ? { url, model: id, tokenFile: '../token', ca: join(state, 'dev-cert.pem') } : null,
      task: { kind: 'anomaly' },
      deadline: '30 s',
      sinks: [{ kind: 'json-lines', path: 'results.jsonl' }],
    };
    await writeFile(join(folder, 'line.yaml'), JSON.stringify(station));
    running = await startInspect(folder, ...args);
    const opened = await openPage(browser, running.url);
    await opened.page.getByText('Waiting for the first part').waitFor();
    await copyFile(join(workshop.folder, 'part.png'), join(folder, 'in/.part'));
    await rename(join(folder, 'in/.part'), join(folder, 'in/P-1.png'));
    await opened.page.locator('.recent-part').first().click();
    await opened.page.locator('.why canvas').first().waitFor();
    return opened;
  }

  async function close(page: Page): Promise<void> {
    await page.close();
    if (running !== null) await stopInspect(running);
    running = null;
  }

  beforeAll(async () => {
    workshop = await openWorkshop();
    await copyFile(modelFile('surface-v1'), join(workshop.models, 'whole.onnx'));
    await workshop.split(modelFile('surface-v1'), [CUT], 'part');
    const { port } = await workshop.serve(0);
    url = `wss://127.0.0.1:${port}`;
    await writeFile(join(workshop.folder, 'token'), await workshop.token());
    for await (const { picture } of datasetParts({ split: 'demo', count: 1, goodShare: 0 })) {
      await writeFile(join(workshop.folder, 'part.png'), await encodePng(picture.image));
    }
  });
  afterAll(async () => {
    if (running !== null) await stopInspect(running);
    await browser.close();
    await workshop.remove();
  });

  const row = (page: Page, name: string): Promise<string | null> => page.getByRole('row', { name }).textContent();

  test('a split: what crossed, this device alone, and why the cloud alone is no choice', async () => {
    const { page, faults } = await openWhy('split', join(workshop.models, 'part'), true);
    await page.getByText('The activation at the cut').click();
    await page.getByText('This is what crossed to the cloud for this part').waitFor();
    await page.getByText(`float32 [1, 64, 96, 96] · 48 of 64 channels`).waitFor();
    const painted = (): Promise<number> =>
      page.locator('.channels canvas').evaluateAll(
        (all) =>
          all.filter((one) => {
            const canvas = one as HTMLCanvasElement;
            const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
            return data.some((value, at) => at % 4 === 0 && value > 200) && canvas.width === 96;
          }).length,
      );
    await soon(painted).toBe(48);
    await page.getByRole('button', { name: 'Ask device and cloud alone' }).click();
    await soon(() => row(page, 'This device alone')).toMatch(/(PASS|REVIEW|NG).* ms.*0 B ↑ 0 B ↓/);
    expect(await row(page, 'The cloud alone')).toContain('The cloud holds the rest of the model behind the cut');
    const scores = async (name: string): Promise<string | undefined> =>
      /\d\.\d{3}/.exec((await row(page, name)) ?? '')?.[0];
    expect(await scores('This device alone')).toBe(await scores('As it ran: split'));
    await checkScreen(page, 'why');
    await keepLooks(page, 'why', true);
    await close(page);
    expect(faults).toEqual([]);
  });

  test('a whole model in the cloud: both alone say the same, and the cloud costs bytes', async () => {
    const { page, faults } = await openWhy('whole', join(workshop.models, 'whole.onnx'), true);
    const ask = page.getByRole('button', { name: 'Ask device and cloud alone' });
    const stop = page.getByRole('button', { name: 'Stop' });
    await ask.click();
    await stop.click();
    await page.getByText('It was stopped.').waitFor();
    await ask.click();
    await soon(() => row(page, 'The cloud alone')).toMatch(/(PASS|REVIEW|NG).* ms.*(KB|MB) ↑/);
    const said = async (name: string): Promise<string | undefined> =>
      /[A-Z]+\d\.\d{3}/.exec((await row(page, name)) ?? '')?.[0];
    expect(await said('The cloud alone')).toBe(await said('This device alone'));
    await page.getByText('The activation at the cut').click();
    await page.getByText('The model is not cut and ran as a whole').waitFor();

    await page.getByText('Full record').click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save record, picture and trace' }).click();
    const files = unzipSync(await readFile(await (await download).path()));
    expect(Object.keys(files).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'picture.png',
      'record.json',
      'trace.json',
    ]);
    const record = JSON.parse(strFromU8(files['record.json'] ?? new Uint8Array())) as {
      partId: string;
      spans: unknown[];
    };
    expect(record.partId).toBe('P-1');
    const { traceEvents } = JSON.parse(strFromU8(files['trace.json'] ?? new Uint8Array())) as {
      traceEvents: unknown[];
    };
    expect(traceEvents.length).toBe(record.spans.length);
    expect(Buffer.from(files['picture.png'] ?? []).equals(await readFile(join(workshop.folder, 'part.png')))).toBe(
      true,
    );
    await close(page);
    expect(faults).toEqual([]);
  });

  test('without a cloud it says so; a viewer may look and not run', async () => {
    const { page, faults } = await openWhy('alone', join(workshop.models, 'whole.onnx'), false, '--role', 'viewer');
    expect(await page.getByRole('button', { name: 'Ask device and cloud alone' }).isDisabled()).toBe(true);
    await page.getByText('The activation at the cut').click();
    await soon(() => page.locator('.channels canvas').count()).toBe(48);
    await close(page);
    expect(faults).toEqual([]);
  });
});
