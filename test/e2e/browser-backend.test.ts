// The edge in a real Chromium: WASM in a module worker, WebGPU with its self-test, and the way back from one to the other.
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { browserTest } from '../support/browser-test.ts';
import type { ServedFolder } from '../support/serve-folder.ts';
import type { BackendPage } from './pages/backend-page.ts';
import { servePage } from './pages/build-page.ts';

declare const page: BackendPage;

const DOUBLED = [0, 0, 0, 2, 4, 6, 8, 10];

let served: ServedFolder;
beforeAll(async () => {
  served = await servePage();
});
afterAll(() => served.close());

/** Runs `body` in a fresh page of the browser. */
async function inPage<T>(browser: Browser, body: () => Promise<T>): Promise<T> {
  const context = await browser.newContext();
  const tab = await context.newPage();
  const said: string[] = [];
  tab.on('console', (message) => said.push(message.text()));
  tab.on('pageerror', (error) => said.push(error.message));
  try {
    await tab.goto(served.url);
    await tab.waitForFunction(() => 'page' in globalThis);
    return await tab.evaluate(body);
  } catch (error) {
    throw new Error(`in the page: ${said.join('\n')}`, { cause: error });
  } finally {
    await context.close();
  }
}

describe.each([
  { title: 'a browser without a GPU', webgpu: false },
  { title: 'a browser with WebGPU', webgpu: true },
])('$title', ({ webgpu }) => {
  const test = browserTest({ webgpu });

  if (webgpu) {
    test('chooses WebGPU after its self-test, which includes the head against WASM', async (browser) => {
      const adapter = await inPage(
        browser,
        async () =>
          (await (navigator as never as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu?.requestAdapter()) !=
          null,
      );
      expect(adapter, 'the software adapter of this Chromium').toBe(true);
      const end = await inPage(browser, () => page.run({ prefer: 'webgpu' }));
      expect(end).toMatchObject({ provider: 'webgpu', refusal: null, y: DOUBLED, late: 'TENSOR_MISMATCH' });
    });

    test('quantises a cut by ordinary operators to what WASM makes of it, bit for bit', async (browser) => {
      const there = await inPage(browser, () => page.quantised('webgpu'));
      const here = await inPage(browser, () => page.quantised('wasm'));
      expect([there.provider, here.provider]).toEqual(['webgpu', 'wasm']);
      expect(there.y).toEqual(here.y);
      // 256 steps of 0.02, doubled: all of them, the first for what is below, the last for what is beyond.
      expect(new Set(here.y).size).toBeGreaterThan(250);
      for (const [index, value] of here.y.entries()) {
        expect(Math.abs(value - 2 * Math.min(5.1, Math.max(0, index * 0.01 - 0.3)))).toBeLessThan(0.021);
      }
    });

    test('falls back to WASM when the self-test does not end in time', async (browser) => {
      const end = await inPage(browser, () => page.run({ prefer: 'webgpu', selfTestTimeoutMs: 1 }));
      expect(end).toMatchObject({ provider: 'wasm', refusal: { code: 'SELF_TEST_FAILED' }, y: DOUBLED });
    });
  } else {
    test('runs WASM in a module worker', async (browser) => {
      const end = await inPage(browser, () => page.run({ prefer: 'wasm' }));
      expect(end).toMatchObject({
        provider: 'wasm',
        refusal: null,
        y: DOUBLED,
        late: 'TENSOR_MISMATCH',
        isolated: true,
      });
    });

    test('falls back to WASM without an adapter, and says why', async (browser) => {
      const end = await inPage(browser, () => page.run({ prefer: 'webgpu' }));
      expect(end).toMatchObject({ provider: 'wasm', refusal: { code: 'BACKEND_UNAVAILABLE' }, y: DOUBLED });
      expect(end.refusal?.message).toMatch(/WebGPU/);
    });

    test('runs WASM with two threads where the page is isolated', async (browser) => {
      const end = await inPage(browser, () => page.run({ prefer: 'wasm', threads: 2 }));
      expect(end).toMatchObject({ provider: 'wasm', y: DOUBLED });
    });

    test('reports files that are not there', async (browser) => {
      expect(await inPage(browser, () => page.runWithoutFiles())).toEqual({
        code: expect.stringMatching(/BACKEND_UNAVAILABLE|MODEL_UNSUPPORTED/),
      });
    });

    test('keeps the page alive while a model runs', async (browser) => {
      const { tookMs, longestMs } = await inPage(browser, () => page.stallWhileRunning());
      expect(longestMs).toBeLessThan(tookMs / 2);
    });

    test('refuses a split whose files are not its own, or are not there', async (browser) => {
      expect(await inPage(browser, () => page.openWrongSplit())).toEqual(['PAIR_MISMATCH', 'FILE_NOT_FOUND']);
    });
  }
});
