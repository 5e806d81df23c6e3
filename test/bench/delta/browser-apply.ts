// An old file, a delta and the new file -> how fast Chromium makes the one of the others; a text says why it cannot be told.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startChromium } from '../../support/chromium.ts';
import { serveFolder } from '../../support/serve-folder.ts';
import type { PageTimes } from './apply-page.ts';

export async function browserApplySpeed(old: string, delta: string, fresh: string): Promise<number | string> {
  const { browser, reason } = await startChromium();
  if (browser === null) return reason;
  const folder = mkdtempSync(join(tmpdir(), 'kerf-apply-page-'));
  const site = await serveFolder(folder, { '/old': old, '/delta': delta });
  try {
    await build({
      entryPoints: [fileURLToPath(new URL('apply-page.ts', import.meta.url))],
      outfile: join(folder, 'page.js'),
      bundle: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['@kerf/source'],
      logLevel: 'error',
    });
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="page.js"></script>');
    const page = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => 'applyDelta' in window);
    const times: PageTimes = await page.evaluate(() => window.applyDelta('/old', '/delta'));
    const wanted = createHash('sha256').update(readFileSync(fresh)).digest('hex');
    if (times.sha256 !== wanted) throw new TypeError('Chromium makes other bytes than Node of the same delta');
    return times.megabytesPerSecond;
  } finally {
    await browser.close();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
}
