// A video of the generator is what a browser's camera shows: the same parts, frame after frame.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { videoFrames, writeVideo } from '@kerf/models';
import { expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { serveFolder } from '../support/serve-folder.ts';

/** One part, which lies still: any frame that the camera gives is a frame of it. */
const OPTIONS = { station: 'fixture', seconds: 1, framesPerSecond: 10, goodShare: 0 } as const;

test('Chromium plays it as a camera', async ({ skip }) => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-camera-'));
  const path = join(folder, 'parts.y4m');
  await writeVideo(path, OPTIONS);
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>camera</title>');
  const { browser, reason } = await startChromium({}, [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${path}`,
  ]);
  const site = await serveFolder(folder);
  try {
    if (browser === null) return skip(reason);
    const page = await browser.newPage();
    await page.goto(site.url);
    const [width, height, ...pixels] = await page.evaluate(capture);
    expect([width, height]).toEqual([384, 384]);
    const frames = videoFrames({ ...OPTIONS, framesPerSecond: 1 });
    const { value: first } = await frames.next();
    // Chroma has half the resolution; brightness is what carries the picture.
    let difference = 0;
    for (let at = 0; at < pixels.length; at += 3) {
      difference += Math.abs(luma(pixels, at) - luma(first!.image.data, at)) / (pixels.length / 3);
    }
    expect(difference).toBeLessThan(6);
  } finally {
    await site.close();
    await browser?.close();
    await rm(folder, { recursive: true });
  }
});

function luma(rgb: ArrayLike<number>, at: number): number {
  return 0.299 * rgb[at]! + 0.587 * rgb[at + 1]! + 0.114 * rgb[at + 2]!;
}

/** Runs in the page: width, height, and the RGB values of one frame. */
async function capture(): Promise<number[]> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 384, height: 384 } });
  const video = document.createElement('video');
  video.srcObject = stream;
  video.muted = true;
  await video.play();
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d')!;
  context.drawImage(video, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const values = [canvas.width, canvas.height];
  for (let at = 0; at < data.length; at += 4) values.push(data[at]!, data[at + 1]!, data[at + 2]!);
  return values;
}
