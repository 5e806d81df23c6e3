// A station in a real Chromium: the same core as in Node, with the browser's pictures and ONNX Runtime's WASM.
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type ServedFolder, serveFolder } from '../support/serve-folder.ts';
import { bundlePage } from './pages/bundle-page.ts';
import type { StationPage } from './pages/station-page.ts';

declare const page: StationPage;

const image = [1, 3, 16, 16];
/** The mask is the mean over colours, the score its largest value. */
const MODEL = buildModel({
  nodes: [
    { op: 'ReduceMean', inputs: ['image'], outputs: ['mask'], attributes: { axes: [1], keepdims: 1 } },
    { op: 'ReduceMax', inputs: ['mask'], outputs: ['score'], attributes: { axes: [1, 2, 3], keepdims: 0 } },
  ],
  inputs: [{ name: 'image', dtype: 'float32', shape: image }],
  outputs: [
    { name: 'mask', dtype: 'float32', shape: [1, 1, 16, 16] },
    { name: 'score', dtype: 'float32', shape: [1] },
  ],
});

let folder = '';
let served: ServedFolder | null = null;
let browser: Browser | null = null;
let reason = '';

beforeAll(async () => {
  const start = await startChromium();
  browser = start.browser;
  reason = start.reason ?? '';
  if (browser === null) return;
  folder = await mkdtemp(join(tmpdir(), 'kerf-page-'));
  await bundlePage('station-page.ts', folder);
  const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const files = ['ort-wasm-simd-threaded.wasm', 'ort-wasm-simd-threaded.mjs'];
  served = await serveFolder(folder, Object.fromEntries(files.map((file) => [`/ort/${file}`, join(ort, file)])));
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
  if (folder !== '') await rm(folder, { recursive: true });
});

it('judges pictures in a browser', async (context) => {
  if (browser === null || served === null) return context.skip(reason);
  const tab = await browser.newPage();
  await tab.goto(served.url);
  await tab.waitForFunction(() => 'page' in globalThis);
  const records = await tab.evaluate((model) => page.run(model), [...MODEL]);
  expect(records.map(({ partId, verdict, placement }) => [partId, verdict, placement])).toEqual([
    ['good', 'PASS', 'edge'],
    ['bad', 'NG', 'edge'],
    ['bad-jpeg', 'NG', 'edge'],
    ['broken', 'NO_READ', 'none'],
  ]);
  for (const { spans, totalMs } of records) {
    expect(spans.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBeCloseTo(totalMs, 3);
  }
  expect(records[1]?.mask).not.toBeNull();
});
