// The Inspector's renderer in a real Chromium, over its real WebSocket: how smooth, how soon, how busy.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encodePicture } from '@kerf/cli';
import { type InspectorAddress, serveInspector } from '@kerf/cli/inspect';
import type { Browser, Page } from 'playwright';
import { startChromium } from '../support/chromium.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './bench.ts';
import { BenchService } from './inspector/bench-service.ts';

const IN_PAGE = fileURLToPath(new URL('./inspector/in-page.js', import.meta.url));
const GRAPH_NODES = 2_000;
const RESULTS = 1_000_000;
const PART_MS = 1_000 / 30;
const LIVE_MS = 10_000;
const AGES_MS = 5_000;
const SCROLL_MS = 4_000;
const OPENINGS = 7;
const MAX_KIB = 350;

export const inspector: Bench = {
  name: 'inspector',
  summary: 'the renderer in Chromium: panning, a long list, the first screen, a live view with its overlay',
  async *run({ only }: BenchOptions) {
    const started = await startChromium();
    if (started.browser === null) throw new Error(started.reason);
    const { browser } = started;
    const service = new BenchService({ graphNodes: GRAPH_NODES, results: RESULTS, picture: await picture() });
    const host = '127.0.0.1';
    const keys = new Map([['viewer', 'bench'] as const]);
    const served = await serveInspector([service], { host, hosts: [host], port: 0, tls: null, keys, onError });
    const { url } = served.addresses[0] as InspectorAddress;
    try {
      const parts: Readonly<Record<string, () => AsyncIterable<BenchRow>>> = {
        size: () => loadedSize(browser, url),
        first: () => firstScreen(browser, url, service),
        live: () => liveView(browser, url, service),
        ages: () => unmarkedAges(browser, url, service),
        graph: () => panning(browser, url),
        list: () => longList(browser, url),
      };
      for (const [name, part] of Object.entries(parts)) if (only === null || only === name) yield* part();
    } finally {
      await served.close();
      await browser.close();
    }
  },
};

function onError(error: unknown): void {
  throw error;
}

/** Noise over a slope: as much as a JPEG of a textured surface holds. */
async function picture(): Promise<Uint8Array> {
  const [width, height] = [1_920, 1_080];
  const data = new Uint8Array(width * height * 3);
  let seed = 1;
  for (let at = 0; at < data.length; at++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    data[at] = 90 + (((at / 3) % width) * 60) / width + (seed % 24);
  }
  return encodePicture({ width, height, data }, { format: 'jpeg', quality: 85 });
}

function row(name: string, value: number, unit: string, goal: string, met: boolean): BenchRow {
  return { bench: 'inspector', case: name, value, unit, against: null, ratio: null, goal, met };
}

/** All that the page and its workers load, each file by itself; ONNX Runtime is not among it. */
async function* loadedSize(browser: Browser, url: string): AsyncIterable<BenchRow> {
  const page = await browser.newPage();
  const files = new Map<string, number>();
  page.on('response', (response) => {
    if (response.url().startsWith('http')) files.set(response.url(), response.status());
  });
  await page.goto(url);
  await page.getByRole('link', { name: 'Cut' }).click();
  await page.locator('.graph-frame[aria-busy="false"] canvas').waitFor();
  await page.close();
  let bytes = 0;
  for (const [file, status] of files) {
    if (status !== 200) throw new Error(`${file} was answered with ${status}`);
    bytes += gzipSync(new Uint8Array(await (await fetch(file)).arrayBuffer())).byteLength;
  }
  const kibibytes = bytes / 1_024;
  yield row(`what the page loads, ${files.size} files`, kibibytes, 'KiB gzip', `<= ${MAX_KIB}`, kibibytes <= MAX_KIB);
}

/** From the address to a verdict and its picture, each time with nothing kept. */
async function* firstScreen(browser: Browser, url: string, service: BenchService): AsyncIterable<BenchRow> {
  const times: number[] = [];
  const feeding = setInterval(() => service.showPart(), 100);
  try {
    for (let opening = 0; opening < OPENINGS; opening++) {
      const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
      const page = await context.newPage();
      await page.addInitScript({ path: IN_PAGE });
      await page.goto(url, { waitUntil: 'commit' });
      times.push(await page.evaluate(() => (globalThis as unknown as InPage).benchFirstMs));
      await context.close();
    }
  } finally {
    clearInterval(feeding);
  }
  const ms = median(times);
  yield row('first meaningful screen', ms, 'ms', '<= 1500 ms', ms <= 1_500);
}

async function* liveView(browser: Browser, url: string, service: BenchService): AsyncIterable<BenchRow> {
  const page = await open(browser, url, 'line');
  const metrics = await page.context().newCDPSession(page);
  await metrics.send('Performance.enable');
  const busySeconds = async (): Promise<number> => {
    const { metrics: all } = await metrics.send('Performance.getMetrics');
    return all.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  };
  const feeding = setInterval(() => service.showPart(), PART_MS);
  try {
    await page.waitForTimeout(1_500);
    const drawn = (): Promise<number> => page.evaluate(() => (globalThis as unknown as InPage).benchDrawn);
    const [drawnBefore, before, startedMs] = [await drawn(), await busySeconds(), performance.now()];
    await page.waitForTimeout(LIVE_MS);
    const elapsed = (performance.now() - startedMs) / 1_000;
    const share = ((await busySeconds()) - before) / elapsed;
    const perSecond = ((await drawn()) - drawnBefore) / elapsed;
    yield row('1080p at 30 parts/s with mask: main thread busy', 100 * share, '%', '<= 30 %', share <= 0.3);
    yield row('parts drawn of those at 30 a second', perSecond, '/s', '>= 27', perSecond >= 27);
  } finally {
    clearInterval(feeding);
    await page.close();
  }
}

/** The greatest age that stands on the screen without its mark, as it goes and under what goes wrong. */
async function* unmarkedAges(browser: Browser, url: string, service: BenchService): AsyncIterable<BenchRow> {
  const page = await open(browser, url, 'line');
  // Until the clocks of page and station are known to each other.
  await page.waitForTimeout(1_500);
  const painter = page.workers().find((worker) => worker.url().includes('station-worker'));
  const cases: readonly (readonly [name: string, heldMs: number, hangMs: number])[] = [
    ['as parts come', 0, 0],
    ['held back by the link for up to 400 ms', 400, 0],
    ['painter hangs for 300 ms every second', 0, 300],
  ];
  try {
    for (const [name, heldMs, hangMs] of cases) {
      const feeding = setInterval(() => service.showPart(Math.random() * heldMs), PART_MS);
      // The last one may outlive the page.
      const hanging = setInterval(() => void painter?.evaluate(hang, hangMs).catch(() => {}), 1_000);
      const { ms, share } = await page.evaluate(
        (forMs) => (globalThis as unknown as InPage).benchUnmarked(forMs),
        AGES_MS,
      );
      clearInterval(feeding);
      clearInterval(hanging);
      yield row(`age without its mark: ${name}`, ms, 'ms', '<= 100 ms', ms <= 100);
      yield { ...row(`without a mark: ${name}`, 100 * share, '% of frames', '', true), goal: null, met: null };
    }
  } finally {
    await page.close();
  }
}

/** Runs in the worker. */
function hang(forMs: number): void {
  const end = performance.now() + forMs;
  while (performance.now() < end);
}

async function* panning(browser: Browser, url: string): AsyncIterable<BenchRow> {
  const page = await open(browser, url, 'cut');
  try {
    const startedMs = performance.now();
    await page.locator('.graph-frame[aria-busy="false"] canvas').waitFor({ timeout: 120_000 });
    const layoutMs = performance.now() - startedMs;
    yield row(`layout of ${GRAPH_NODES} nodes, in a worker`, layoutMs, 'ms', '<= 5000 ms', layoutMs <= 5_000);
    for (const [name, zoom] of [
      ['as it opens', 0],
      ['as small as it goes', 20],
    ] as const) {
      for (let step = 0; step < zoom; step++) await page.getByRole('button', { name: 'Smaller' }).click();
      const { perSecond } = await framesWhile(page, '.graph-canvas', 'wheel');
      yield row(`a graph of ${GRAPH_NODES} nodes pans, ${name}`, perSecond, 'frames/s', '>= 30', perSecond >= 30);
    }
  } finally {
    await page.close();
  }
}

async function* longList(browser: Browser, url: string): AsyncIterable<BenchRow> {
  const page = await open(browser, url, 'results');
  try {
    await page.evaluate((part) => (globalThis as unknown as InPage).benchFill(part), `P-${RESULTS - 1}`);
    const { perSecond, worstMs } = await framesWhile(page, '.results-list .rows', 'scroll');
    const name = `a list of ${RESULTS.toLocaleString('en')} results scrolls`;
    yield row(name, perSecond, 'frames/s', '>= 30', perSecond >= 30);
    yield row(`${name}: longest frame`, worstMs, 'ms', '<= 200 ms', worstMs <= 200);
    const rows = await page.locator('.results-list .rows li').count();
    yield row(`${name}: rows in the document`, rows, 'rows', '<= 60', rows <= 60);
  } finally {
    await page.close();
  }
}

async function open(browser: Browser, url: string, screen: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
  await page.addInitScript(() =>
    localStorage.setItem('kerf-inspector-settings', JSON.stringify({ language: 'en', theme: 'light' })),
  );
  await page.addInitScript({ path: IN_PAGE });
  await page.goto(`${url}#${screen}`);
  return page;
}

interface InPage {
  readonly benchDrawn: number;
  readonly benchFirstMs: Promise<number>;
  benchUnmarked(forMs: number): Promise<{ ms: number; share: number }>;
  benchFill(lastPart: string): Promise<null>;
  benchFrames(selector: string, motion: 'wheel' | 'scroll', forMs: number): Promise<Frames>;
}

interface Frames {
  readonly perSecond: number;
  readonly worstMs: number;
}

function framesWhile(page: Page, selector: string, motion: 'wheel' | 'scroll'): Promise<Frames> {
  return page.evaluate(([where, how, forMs]) => (globalThis as unknown as InPage).benchFrames(where, how, forMs), [
    selector,
    motion,
    SCROLL_MS,
  ] as const);
}
