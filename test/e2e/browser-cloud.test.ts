// PP-OCR's line classifier with its head in a real Chromium and its tail behind a real `kerf serve`.
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { CloudProcess } from '@kerf/cli';
import { typedView } from '@kerf/protocol';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type ServedFolder, serveFolder } from '../support/serve-folder.ts';
import { bundlePage } from './pages/bundle-page.ts';
import { classifierInput } from './pages/classifier-input.ts';
import type { ClassifierPage, Job } from './pages/classifier-page.ts';
import { REAL } from './support/models.ts';
import { openWorkshop, reference, type Workshop } from './support/workshop.ts';

declare const page: ClassifierPage;

const FRAMES = 12;
const CUT = 'relu_1.tmp_0';

let shop: Workshop;
let cloud: CloudProcess;
let served: ServedFolder;
let browser: Browser | null = null;
let reason = '';

beforeAll(async () => {
  const start = await startChromium();
  browser = start.browser;
  reason = start.reason ?? '';
  if (browser === null) return;
  shop = await openWorkshop();
  await shop.split(REAL.classifier, [CUT], 'classifier');
  cloud = await shop.serve(0, '--preload', 'classifier');
  served = await servePage(join(shop.folder, 'page'), join(shop.models, 'classifier'));
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
  await shop?.remove();
});

/** Page, worker, split and ONNX Runtime's WASM files under one address. */
async function servePage(folder: string, split: string): Promise<ServedFolder> {
  await mkdir(folder);
  await bundlePage('classifier-page.ts', folder);
  const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const files = ['ort-wasm-simd-threaded.wasm', 'ort-wasm-simd-threaded.mjs'];
  return serveFolder(folder, {
    ...Object.fromEntries(files.map((file) => [`/ort/${file}`, join(ort, file)])),
    ...Object.fromEntries(
      ['split.json', 'head.onnx', 'tail.onnx'].map((file) => [`/split/${file}`, join(split, file)]),
    ),
  });
}

async function runInPage(in_: Browser, job: Partial<Job>) {
  // A browser takes the development certificate only when a person, or this option, says so.
  const context = await in_.newContext({ ignoreHTTPSErrors: true });
  const said: string[] = [];
  try {
    const tab = await context.newPage();
    tab.on('console', (message) => said.push(message.text()));
    tab.on('pageerror', (error) => said.push(error.message));
    await tab.goto(served.url);
    await tab.waitForFunction(() => 'page' in globalThis);
    const all = {
      url: cloud.url,
      model: 'classifier',
      token: await shop.token(),
      frames: FRAMES,
      withTail: false,
      ...job,
    };
    return await tab.evaluate((args) => page.run(args), all);
  } catch (error) {
    throw new Error(`in the page: ${said.join('\n')}`, { cause: error });
  } finally {
    await context.close();
  }
}

type Ended = Awaited<ReturnType<typeof runInPage>>;

/** Every frame once, with the numbers of the whole model; WASM's kernels differ in the last bits. */
async function expectAnswers({ answers, unfinishedFrames, outcomes }: Ended): Promise<void> {
  // Frames of calls made at once are answered as they become ready, in any order.
  const byFrame = answers.toSorted(([a], [b]) => a - b);
  expect({ answers: byFrame, unfinishedFrames }).toEqual({
    answers: Array.from({ length: FRAMES }, (_, frame) => [frame, 1]),
    unfinishedFrames: 0,
  });
  const whole = await reference.load({ path: REAL.classifier });
  for (const [frame, outcome] of outcomes.entries()) {
    const expected = await whole.run(new Map([['x', classifierInput(frame)]]));
    if (outcome.kind === 'failed') throw new Error(`${outcome.code}: ${outcome.message}`);
    expect(outcome.outputs.map(({ name }) => name)).toEqual([...expected.keys()]);
    for (const { name, shape, values } of outcome.outputs) {
      const tensor = expected.get(name)!;
      expect(shape).toEqual(tensor.shape);
      for (const [at, value] of (typedView(tensor) as Float32Array).entries())
        expect(Math.abs((values[at] ?? Number.NaN) - value), `frame ${frame}, ${name}[${at}]`).toBeLessThan(1e-4);
    }
  }
  await whole.dispose();
}

test('frames go through the head in a worker and the tail in the cloud', async (context) => {
  if (browser === null) return context.skip(reason);
  const ended = await runInPage(browser, {});
  expect(ended).toMatchObject({ provider: 'wasm', state: { connected: true } });
  await expectAnswers(ended);
  for (const outcome of ended.outcomes)
    expect(outcome).toMatchObject({
      placement: 'split',
      bytesUp: expect.toSatisfy((bytes: number) => bytes > 8 * 12 * 96 * 4),
    });
});

test('a page with the tail finishes frames itself while the cloud refuses it', async (context) => {
  if (browser === null) return context.skip(reason);
  const ended = await runInPage(browser, { withTail: true, token: 'nonsense' });
  expect(ended.state).toMatchObject({ connected: false, code: 'UNAUTHENTICATED' });
  await expectAnswers(ended);
  for (const outcome of ended.outcomes)
    expect(outcome).toMatchObject({ placement: 'edge', fallbackReason: 'UNAUTHENTICATED' });
});

for (const { why, code, token } of [
  { why: 'no token of this cloud', code: 'UNAUTHENTICATED', token: async () => 'nonsense' },
  { why: 'a token that has expired', code: 'TOKEN_EXPIRED', token: () => expired() },
  { why: 'a token for another model', code: 'FORBIDDEN', token: () => shop.token({ models: ['other'] }) },
]) {
  test(`the page sees ${code} with ${why}`, async (context) => {
    if (browser === null) return context.skip(reason);
    const ended = await runInPage(browser, { token: await token() });
    expect(ended.state).toMatchObject({ connected: false, code });
    expect(ended.outcomes).toEqual(Array(FRAMES).fill(expect.objectContaining({ kind: 'failed', code })));
  });
}

async function expired(): Promise<string> {
  const token = await shop.token({ expiresInSeconds: 1 });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return token;
}
