// Tests of one describe block -> tests that share a Chromium, or are skipped with the reason why there is none.
import type { Browser } from 'playwright';
import { afterAll, beforeAll, it } from 'vitest';
import { startChromium } from './chromium.ts';

export type BrowserTest = (title: string, body: (browser: Browser) => Promise<void>) => void;

/** To be called inside the describe block: the browser starts before its tests and is closed after them. */
export function browserTest(options: { readonly webgpu?: boolean } = {}): BrowserTest {
  let browser: Browser | null = null;
  let reason = '';
  beforeAll(async () => {
    const start = await startChromium(options);
    browser = start.browser;
    reason = start.reason ?? '';
  });
  afterAll(() => browser?.close());
  return (title, body) => {
    it(title, async (context) => {
      if (browser === null) return context.skip(reason);
      await body(browser);
    });
  };
}
