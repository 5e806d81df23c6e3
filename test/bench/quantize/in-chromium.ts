// A quantised model and its source -> how long a run of each takes in Chromium, and whether it answers there as in Node.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { build } from 'esbuild';
import { startChromium } from '../../support/chromium.ts';
import { serveFolder } from '../../support/serve-folder.ts';
import type { PairedTimes } from '../bench.ts';
import { madeUpInput, valuesOf } from './made-up-input.ts';
import type { TimedPage } from './page.ts';

export interface ChromiumTimes extends PairedTimes {
  readonly version: string;
  /** Largest difference of an output from that of the same model in onnxruntime-node. */
  readonly furthest: number;
}

/** @returns the reason where no Chromium starts. */
export async function timeInChromium(
  ours: string,
  theirs: string,
  shape: readonly number[],
  rounds: number,
): Promise<ChromiumTimes | string> {
  const { browser, reason } = await startChromium();
  if (browser === null) return reason;
  const folder = await mkdtemp(join(tmpdir(), 'kerf-quantize-page-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><script type="module" src="page.js"></script>');
  await bundle(folder);
  const ort = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-web')), 'ort-wasm-simd-threaded.wasm');
  const site = await serveFolder(folder, {
    '/ours.onnx': ours,
    '/theirs.onnx': theirs,
    '/ort/ort-wasm-simd-threaded.wasm': ort,
  });
  try {
    const page = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => 'timeInPage' in globalThis);
    const { answer, ...times }: TimedPage = await page.evaluate(
      ([size, count]) => globalThis.timeInPage('/ours.onnx', '/theirs.onnx', size, count),
      [shape, rounds] as const,
    );
    return { ...times, version: browser.version(), furthest: await furthestFromNode(ours, shape, answer) };
  } finally {
    await browser.close();
    await site.close();
    await rm(folder, { recursive: true });
  }
}

async function furthestFromNode(
  file: string,
  shape: readonly number[],
  answer: Readonly<Record<string, readonly number[]>>,
): Promise<number> {
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  try {
    const here = valuesOf(await (await backend.load({ path: file })).run(madeUpInput(shape)));
    return Math.max(
      ...Object.entries(here).flatMap(([name, values]) =>
        values.map((value, at) => Math.abs(value - (answer[name]?.[at] ?? Number.NaN))),
      ),
    );
  } finally {
    await backend.dispose();
  }
}

async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('./page.ts', import.meta.url))],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@kerf/source'],
    minify: true,
    logLevel: 'error',
  });
}
