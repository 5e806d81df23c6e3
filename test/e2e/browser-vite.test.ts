// The browser entry under Vite, as docs/edge-runtime.md shows it: worker by `?worker`, ONNX Runtime's files found by Vite.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, createServer } from 'vite';
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

/** Opens `url` and runs the model; null and the reason when there is no browser. */
async function runAt(url: string): Promise<{ end: unknown; reason: null } | { end: null; reason: string }> {
  const { browser, reason } = await startChromium();
  if (browser === null) return { end: null, reason };
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForFunction(() => 'run' in globalThis);
    return { end: await page.evaluate(() => (globalThis as never as { run(): Promise<unknown> }).run()), reason: null };
  } finally {
    await browser.close();
  }
}

it('bundles the worker and the WebAssembly files, and runs', async (context) => {
  const assets = await readdir(join(folder, 'out', 'assets'));
  expect(assets.some((name) => name.endsWith('.wasm'))).toBe(true);
  const { end, reason } = await runAt(served.url);
  if (reason !== null) return context.skip(reason);
  expect(end).toEqual({ provider: 'wasm', y: [0, 2, 4] });
});

it('runs from the development server', async (context) => {
  await mkdir(join(folder, 'public'), { recursive: true });
  await writeFile(join(folder, 'public', 'whole.onnx'), MODELS.whole);
  const server = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    optimizeDeps: { exclude: ['@kerf/edge-runtime', 'onnxruntime-web'] },
    server: {
      host: '127.0.0.1',
      port: 0,
      hmr: false,
      watch: null,
      fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] },
    },
  });
  try {
    await server.listen();
    const { end, reason } = await runAt(server.resolvedUrls?.local[0] ?? '');
    if (reason !== null) return context.skip(reason);
    expect(end).toEqual({ provider: 'wasm', y: [0, 2, 4] });
  } finally {
    await server.close();
  }
});
