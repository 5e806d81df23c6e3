// Head in a real Chromium, tail behind a real `kerf serve`, over TLS with a token.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { type KerfServe, startServe } from '../support/kerf-serve.ts';
import type { ServedFolder } from '../support/serve-folder.ts';
import type { BackendPage } from './pages/backend-page.ts';
import { MANIFEST, MODELS, servePage } from './pages/build-page.ts';

declare const page: BackendPage;

describe('a session in a browser', () => {
  let folder = '';
  let cloud: KerfServe;
  let served: ServedFolder;
  let browser: Browser | null = null;
  let reason = '';

  beforeAll(async () => {
    const start = await startChromium();
    browser = start.browser;
    reason = start.reason ?? '';
    if (browser === null) return;
    folder = await mkdtemp(join(tmpdir(), 'kerf-cloud-'));
    const models = join(folder, 'models');
    await mkdir(join(models, 'm'), { recursive: true });
    await writeFile(join(models, 'm', 'head.onnx'), MODELS.head);
    await writeFile(join(models, 'm', 'tail.onnx'), MODELS.tail);
    await writeFile(join(models, 'm', 'split.json'), JSON.stringify(MANIFEST));
    cloud = await startServe({ models, state: join(folder, 'state') });
    served = await servePage();
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await cloud?.stop();
    if (folder !== '') await rm(folder, { recursive: true });
  });

  const split = async (browser: Browser, token: string | null, model: string) => {
    // A browser takes the development certificate only when a person, or this option, says so.
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    try {
      const tab = await context.newPage();
      await tab.goto(served.url);
      await tab.waitForFunction(() => 'page' in globalThis);
      return await tab.evaluate((args) => page.split(args.url, 20, args.token, args.model), {
        url: cloud.url,
        token,
        model,
      });
    } finally {
      await context.close();
    }
  };

  it('splits frames with the cloud', async (context) => {
    if (browser === null) return context.skip(reason);
    const end = await split(browser, cloud.token(), 'm');
    expect(end.state).toEqual({ connected: true });
    const outcome = { kind: 'result', placement: 'split', y: [0, 0, 0, 2, 4, 6, 8, 10] };
    expect(end.outcomes).toEqual(Array.from({ length: 20 }, () => outcome));
  });

  it.for([
    { title: 'without a token', args: null, model: 'm', code: 'UNAUTHENTICATED' },
    { title: 'with a token for another model', args: ['--models', 'other'], model: 'm', code: 'FORBIDDEN' },
    { title: 'for a model that is not there', args: [], model: 'none', code: 'MODEL_NOT_FOUND' },
  ])('ends frames with $code $title', async ({ args, model, code }, context) => {
    if (browser === null) return context.skip(reason);
    const end = await split(browser, args === null ? null : cloud.token(...args), model);
    expect(end.state).toMatchObject({ connected: false, code });
    for (const outcome of end.outcomes) expect(outcome).toMatchObject({ kind: 'failed', code });
  });
});
