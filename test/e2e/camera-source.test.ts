// A browser's camera as a source, in Chromium with a camera that plays a file: pictures, a pulled plug, and scanned codes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeVideo } from '@kerf/models';
import { expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { serveFolder } from '../support/serve-folder.ts';
import { bundlePage } from './pages/bundle-page.ts';
import type { CameraReport } from './pages/camera-page.ts';

declare const watchCamera: () => Promise<CameraReport>;
declare const scanParts: (count: number) => Promise<CameraReport>;

test('pictures, the return after a loss, and a picture for each scanned code', async ({ skip }) => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-camera-'));
  const path = join(folder, 'parts.y4m');
  await writeVideo(path, { station: 'conveyor', seconds: 2, framesPerSecond: 10, goodShare: 0 });
  await bundlePage('camera-page.ts', folder);
  const { browser, reason } = await startChromium({}, [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${path}`,
  ]);
  const site = await serveFolder(folder);
  try {
    if (browser === null) return skip(reason);
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('pageerror', (error) => said.push(error.message));
    await page.goto(site.url);
    await page.waitForFunction(() => 'watchCamera' in globalThis);
    const watched = await page.evaluate(() => watchCamera());
    expect(watched.sizes.every(([width, height]) => width > 0 && height > 0)).toBe(true);
    expect(watched.brightness).toBeGreaterThan(5);
    expect(watched.states.filter((kind) => kind !== 'starting')).toEqual(
      expect.arrayContaining(['running', 'lost', 'stopped']),
    );
    expect(watched.states.at(-1)).toBe('stopped');
    const { seen, captured, dropped, recoveries } = watched.counters as Record<string, number>;
    expect(recoveries).toBeGreaterThan(0);
    expect(seen).toBe(captured! + dropped!);

    const scanning = page.evaluate(() => scanParts(2));
    await page.waitForFunction(() => document.title === 'ready');
    for (const code of ['PART-1', 'PART-2']) {
      await page.keyboard.type(code);
      await page.keyboard.press('Enter');
    }
    const scanned = await scanning;
    expect(scanned.partIds).toEqual(['PART-1', 'PART-2']);
    expect(scanned.counters['missed']).toBe(0);
    expect(said).toEqual([]);
  } finally {
    await site.close();
    await browser?.close();
    await rm(folder, { recursive: true });
  }
});
