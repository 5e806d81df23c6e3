// The live view in a real Chromium: painted in a worker, and never older than it says.
import { decodePicture, encodePicture, startLinkShaper } from '@kerf/cli';
import { type ServedInspector, serveInspector } from '@kerf/cli/inspect';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NEW_MS } from '../../apps/inspector/src/renderer/pictures/age-mark.ts';
import { BenchService } from '../bench/inspector/bench-service.ts';
import { startChromium } from '../support/chromium.ts';
import { type OpenPage, openPage, soon } from './support/inspecting.ts';

const started = await startChromium();
const CANVAS = '.line-picture canvas';
/** More than nobody may see unmarked, less than anybody waits for. */
const HELD_MS = 150;

/** What the page hears of its painter, as it hears it. */
interface Heard {
  readonly kind: 'painted';
  readonly ageMs: number;
  readonly isMarked: boolean;
}

describe.skipIf(started.browser === null)(`the live view${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let service: BenchService;
  let served: ServedInspector;

  beforeAll(async () => {
    const [width, height] = [1_920, 1_080];
    const grey = { width, height, data: new Uint8Array(width * height * 3).fill(120) };
    const picture = await encodePicture(grey, { format: 'jpeg', quality: 80 });
    service = new BenchService({ graphNodes: 9, results: 9, picture });
    const host = '127.0.0.1';
    const keys = new Map([['viewer', 'live'] as const]);
    const onError = (error: unknown): void => {
      throw error;
    };
    served = await serveInspector([service], { host, hosts: [host], port: 0, tls: null, keys, onError });
  });
  afterAll(async () => {
    await served?.close();
    await browser.close();
  });

  /** Keeps what the page's workers say. */
  const listen = async (page: Page): Promise<void> => {
    await page.addInitScript(() => {
      const heard: unknown[] = [];
      Object.assign(globalThis, { heard });
      const add = Reflect.get(Worker.prototype, 'addEventListener') as Worker['addEventListener'];
      Worker.prototype.addEventListener = function listening(this: Worker, kind: string, listener: never) {
        add.call(this, kind, listener);
        add.call(this, kind, (event) => heard.push((event as MessageEvent).data));
      } as typeof add;
    });
  };

  /** The Line screen, once the clocks of page and station are known to each other. */
  const address = (): string => served.addresses[0]?.url ?? '';

  async function openLine(url = address()): Promise<OpenPage & { readonly heard: () => Promise<Heard[]> }> {
    const opened = await openPage(browser, url, {}, {}, listen);
    const { page } = opened;
    await page.getByRole('heading', { name: 'bench', exact: true }).waitFor();
    await page.waitForTimeout(700);
    const heard = (): Promise<Heard[]> =>
      page.evaluate(() =>
        (globalThis as unknown as { heard: { kind: string; ageMs: number | null }[] }).heard.filter(
          ({ kind, ageMs }) => kind === 'painted' && ageMs !== null,
        ),
      ) as Promise<Heard[]>;
    return { ...opened, heard };
  }

  const marked = (page: Page) => page.locator(CANVAS).getAttribute('data-marked');

  /** Black pixels of the corner where the age stands; the picture has none. */
  async function blackInCorner(page: Page): Promise<number> {
    const { data, width, height } = await decodePicture(await page.locator(CANVAS).screenshot());
    const channels = data.length / (width * height);
    let black = 0;
    for (let y = 0; y < height / 12; y++) {
      for (let x = Math.floor(width * 0.9); x < width - 8; x++) {
        if ((data[(y * width + x) * channels] ?? 255) < 30) black++;
      }
    }
    return black;
  }

  test('a frame that was held back is marked from its first pixel, a new one when it has stood too long', async () => {
    const { page, faults, heard } = await openLine();
    service.showPart(HELD_MS);
    await soon(() => marked(page)).toBe('true');
    const [first] = await heard();
    expect(first).toMatchObject({ isMarked: true });
    expect(first?.ageMs).toBeGreaterThanOrEqual(HELD_MS);
    expect(await blackInCorner(page)).toBeGreaterThan(100);

    for (let part = 0; part < 10; part++) {
      service.showPart();
      await page.waitForTimeout(60);
    }
    // Nothing more comes: the last one must get its mark by itself.
    await soon(async () => (await heard()).at(-1)?.isMarked).toBe(true);
    expect(await blackInCorner(page)).toBeGreaterThan(100);
    const all = await heard();
    expect(all.length).toBeGreaterThan(3);
    for (const { ageMs, isMarked } of all) expect(isMarked, `${ageMs} ms`).toBe(ageMs > NEW_MS);
    await page.close();
    expect(faults).toEqual([]);
  });

  test('what is marked on a part is red where it is NG and nowhere else, and its class has a name', async () => {
    const { page, faults } = await openLine();
    const red = async (): Promise<number> => {
      const { data, width, height } = await decodePicture(await page.locator(CANVAS).screenshot());
      const channels = data.length / (width * height);
      let count = 0;
      for (let at = 0; at < data.length; at += channels) {
        if ((data[at] ?? 0) > 180 && (data[at + 1] ?? 0) < 90 && (data[at + 2] ?? 0) < 110) count++;
      }
      return count;
    };
    const seen: Record<string, number> = {};
    for (let part = 0; part < 14 && Object.keys(seen).length < 2; part++) {
      const before = await page
        .locator('.tile .pairs dd')
        .first()
        .textContent({ timeout: 1_000 })
        .catch(() => null);
      service.showPart();
      await soon(() => page.locator('.tile .pairs dd').first().textContent()).not.toBe(before);
      const verdict = (await page.locator('.tile').getAttribute('data-verdict')) ?? '';
      seen[verdict] ??= await red();
    }
    expect(seen['NG']).toBeGreaterThan(100);
    expect(seen['PASS']).toBe(0);
    expect(await page.locator('.tile .pairs').textContent()).toContain('Classscratch 0.700');
    await page.close();
    expect(faults).toEqual([]);
  });

  test('over a thin link the picture is made smaller, and the page says so', async () => {
    const grey = { width: 320, height: 180, data: new Uint8Array(320 * 180 * 3).fill(120) };
    const bytes = await encodePicture(grey, { format: 'jpeg', quality: 60 });
    service.preview = async (picture, { longerSide }) => ({ ...picture, bytes, reducedTo: longerSide });
    const link = await startLinkShaper({
      target: { host: '127.0.0.1', port: Number(new URL(address()).port) },
      uplinkBitsPerSecond: 1e9,
      downlinkBitsPerSecond: 1.2e6,
      roundTripMs: 20,
    });
    try {
      const { page, faults } = await openLine(address().replace(/:\d+/, `:${link.port}`));
      const note = page.getByText(/the picture is reduced from 1,920 to \d{3} pixels/);
      const line = setInterval(() => service.showPart(), 200);
      await note.waitFor().finally(() => clearInterval(line));
      await page.close();
      expect(faults).toEqual([]);
    } finally {
      delete service.preview;
      await link.close();
    }
  });

  test('where the painter hangs, the page says so', async () => {
    const { page, faults } = await openLine();
    service.showPart();
    await page.locator(`${CANVAS}[data-drawn="true"]`).waitFor();
    const painter = page.workers().find((one) => one.url().includes('station-worker'));
    service.showPart();
    const hanging = painter?.evaluate(() => {
      const end = performance.now() + 3_000;
      while (performance.now() < end);
    });
    await page.getByText('The picture stands still').waitFor();
    await hanging;
    await page.getByText('The picture stands still').waitFor({ state: 'detached' });
    await page.close();
    expect(faults).toEqual([]);
  });

  test('a page that nobody sees decodes nothing, and comes back with a mark and then the newest part', async () => {
    const { page, heard } = await openLine();
    service.showPart();
    await page.locator(`${CANVAS}[data-drawn="true"]`).waitFor();
    const see = (hidden: boolean): Promise<void> =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await see(true);
    await soon(async () => (await heard()).at(-1)?.isMarked).toBe(true);
    await page.waitForTimeout(300);
    const before = (await heard()).length;
    for (let part = 0; part < 5; part++) {
      service.showPart();
      await page.waitForTimeout(40);
    }
    expect(await heard()).toHaveLength(before);
    expect(await blackInCorner(page)).toBeGreaterThan(100);
    await see(false);
    await soon(async () => (await heard()).length).toBeGreaterThan(before);
    await page.close();
  });
});
