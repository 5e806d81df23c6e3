// Activations, pictures and codecs -> how long they take in Chromium, which must make the same bytes as Node.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ActivationCodec, encodeActivation, type RgbImage, type Tensor, writeLevelTable } from '@kerf/protocol';
import { build } from 'esbuild';
import type { Page } from 'playwright';
import { startChromium } from '../../support/chromium.ts';
import { serveFolder } from '../../support/serve-folder.ts';
import type * as browserSide from './browser-side.ts';
import { type CodecRequest, hashOf, type Timed, type TimeImageRequest, type TimeRequest } from './browser-side.ts';

type PageSide = typeof browserSide;

export interface BrowserTimes {
  readonly version: string;
  /** @throws {TypeError} when the bytes are not those of Node. */
  codec(codec: ActivationCodec, activations: readonly Tensor[]): Promise<Timed>;
  image(pictures: readonly RgbImage[], type: TimeImageRequest['type'], quality: number): Promise<Omit<Timed, 'sha256'>>;
  close(): Promise<void>;
}

/** @returns null where no Chromium starts. */
export async function browserTimes(rounds: number): Promise<BrowserTimes | null> {
  const { browser } = await startChromium();
  if (browser === null) return null;
  const folder = await mkdtemp(join(tmpdir(), 'kerf-rate-page-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>rate</title>');
  const site = await serveFolder(folder);
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.addScriptTag({ content: await bundled() });
  let files = 0;
  const stored = async (bytes: Uint8Array): Promise<string> => {
    const name = `${files++}.bin`;
    await writeFile(join(folder, name), bytes);
    return name;
  };
  return {
    version: browser.version(),
    codec: (codec, activations) => timedCodec(page, stored, rounds, codec, activations),
    async image(pictures, type, quality) {
      const [{ width, height }] = pictures as [RgbImage];
      const names = await Promise.all(pictures.map((picture) => stored(withAlpha(picture))));
      const request: TimeImageRequest = { files: names, width, height, type, quality, rounds };
      return await page.evaluate(
        (given) => (globalThis as unknown as { kerfRate: PageSide }).kerfRate.timeImage(given),
        request,
      );
    },
    async close() {
      await browser.close();
      await site.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function timedCodec(
  page: Page,
  stored: (bytes: Uint8Array) => Promise<string>,
  rounds: number,
  codec: ActivationCodec,
  activations: readonly Tensor[],
): Promise<Timed> {
  const names = await Promise.all(activations.map(({ data }) => stored(data)));
  const asked: CodecRequest =
    codec.kind === 'levels'
      ? { kind: 'levels', id: codec.table.id, file: await stored(writeLevelTable(codec.table)) }
      : codec;
  const request: TimeRequest = { codec: asked, files: names, shape: activations[0]!.shape, rounds };
  const timed = await page.evaluate(
    (given) => (globalThis as unknown as { kerfRate: PageSide }).kerfRate.timeCodec(given),
    request,
  );
  const here = await hashOf(activations.map((tensor) => encodeActivation(tensor, codec).bytes));
  if (here !== timed.sha256) throw new TypeError(`Chromium codes '${codec.kind}' to other bytes than Node`);
  return timed;
}

async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./browser-side.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'kerfRate',
    platform: 'browser',
    conditions: ['@kerf/source', 'browser'],
    minify: true,
    logLevel: 'silent',
  });
  return `${outputFiles[0]!.text}\nglobalThis.kerfRate = kerfRate;`;
}

function withAlpha({ data, width, height }: RgbImage): Uint8Array {
  const pixels = new Uint8Array(width * height * 4).fill(255);
  for (let at = 0; at < width * height; at++) pixels.set(data.subarray(at * 3, at * 3 + 3), at * 4);
  return pixels;
}

/** The charts of a page, one below the other, as PNG. @returns null where no Chromium starts. */
export async function pictureOfCharts(html: string): Promise<Uint8Array | null> {
  const { browser } = await startChromium();
  if (browser === null) return null;
  try {
    const page = await browser.newPage({
      viewport: { width: 900, height: 900 },
      colorScheme: 'light',
      deviceScaleFactor: 1.5,
    });
    await page.setContent(html);
    // What is no chart goes; the rest is one picture.
    await page.addStyleTag({ content: 'header,.scroll,section:last-child,.note{display:none}.figure{margin:0}' });
    return await page.locator('main').screenshot({ type: 'png' });
  } finally {
    await browser.close();
  }
}
