// The browser entry under Vite, as docs/edge-runtime.md shows it: worker by `?worker`, ONNX Runtime's files found by Vite.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type ServedFolder, serveFolder } from '../support/serve-folder.ts';
import { MODELS } from './pages/build-page.ts';

const MAIN = `
import { browserBackend } from '@kerf/edge-runtime/browser';
import KerfWorker from '@kerf/edge-runtime/browser-worker?worker';
import { float32Tensor, typedView } from '@kerf/protocol';

globalThis.run = async () => {
  const { backend, provider } = await browserBackend({ prefer: 'wasm', createWorker: () => new KerfWorker() });
  const bytes = new Uint8Array(await (await fetch('whole.onnx')).arrayBuffer());
  const model = await backend.load({ bytes });
  const outputs = await model.run(new Map([['x', float32Tensor([1, 3], Float32Array.of(-1, 1, 2))]]));
  await backend.dispose();
  return { provider, y: [...typedView(outputs.get('y'))] };
};
`;

let folder = '';
let served: ServedFolder;
beforeAll(async () => {
  // Below the repository, so that packages are found as in a user's project.
  const parent = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
  await mkdir(parent, { recursive: true });
  folder = await mkdtemp(join(parent, 'kerf-vite-'));
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><title>kerf</title><script type="module" src="/main.js"></script>',
  );
  await writeFile(join(folder, 'main.js'), MAIN);
  await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: { outDir: 'out', target: 'es2022' },
  });
  await writeFile(join(folder, 'out', 'whole.onnx'), MODELS.whole);
  served = await serveFolder(join(folder, 'out'));
});
afterAll(async () => {
  await served?.close();
  if (folder !== '') await rm(folder, { recursive: true });
});

it('bundles the worker and the WebAssembly files, and runs', async (context) => {
  const assets = await readdir(join(folder, 'out', 'assets'));
  expect(assets.some((name) => name.endsWith('.wasm'))).toBe(true);
  const { browser, reason } = await startChromium();
  if (browser === null) return context.skip(reason);
  try {
    const page = await browser.newPage();
    await page.goto(served.url);
    await page.waitForFunction(() => 'run' in globalThis);
    const end = await page.evaluate(() => (globalThis as never as { run(): Promise<unknown> }).run());
    expect(end).toEqual({ provider: 'wasm', y: [0, 2, 4] });
  } finally {
    await browser.close();
  }
});
