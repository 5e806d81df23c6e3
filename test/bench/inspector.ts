// The Inspector's renderer in a real Chromium, over its real WebSocket: how smooth, how soon, how busy.
import { encodePicture } from '@kerf/cli';
import { type InspectorAddress, serveInspector } from '@kerf/cli/inspect';
import type { Browser, Page } from 'playwright';
import { startChromium } from '../support/chromium.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './bench.ts';
import { BenchService } from './inspector/bench-service.ts';

const GRAPH_NODES = 2_000;
const RESULTS = 1_000_000;
const PART_MS = 1_000 / 30;
const LIVE_MS = 10_000;
const SCROLL_MS = 4_000;
const OPENINGS = 7;

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
    const served = await serveInspector(service, { host, hosts: [host], port: 0, tls: null, keys, onError });
    const { url } = served.addresses[0] as InspectorAddress;
    try {
      const parts: Readonly<Record<string, () => AsyncIterable<BenchRow>>> = {
        first: () => firstScreen(browser, url, service),
        live: () => liveView(browser, url, service),
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

/** From the address to a verdict and its picture, each time with nothing kept. */
async function* firstScreen(browser: Browser, url: string, service: BenchService): AsyncIterable<BenchRow> {
  const times: number[] = [];
  const feeding = setInterval(() => service.showPart(), 100);
  try {
    for (let opening = 0; opening < OPENINGS; opening++) {
      const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
      const page = await context.newPage();
      const startedMs = performance.now();
      await page.goto(url, { waitUntil: 'commit' });
      await page.waitForFunction(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.line-picture canvas');
        return (
          document.querySelector('.tile[data-verdict="PASS"], .tile[data-verdict="NG"]') && canvas?.width === 1_920
        );
      });
      times.push(performance.now() - startedMs);
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
    await countDrawn(page);
    const [before, startedMs] = [await busySeconds(), performance.now()];
    await page.waitForTimeout(LIVE_MS);
    const elapsed = (performance.now() - startedMs) / 1_000;
    const share = ((await busySeconds()) - before) / elapsed;
    const drawn = await page.evaluate(() => (globalThis as unknown as { drawn: number }).drawn);
    yield row('1080p at 30 parts/s with mask: main thread busy', 100 * share, '%', '<= 30 %', share <= 0.3);
    yield row('parts drawn of those at 30 a second', drawn / elapsed, '/s', '>= 27', drawn / elapsed >= 27);
  } finally {
    clearInterval(feeding);
    await page.close();
  }
}

/** Counts pictures as they are put on the live view's canvas. */
async function countDrawn(page: Page): Promise<void> {
  await page.evaluate(() => {
    const scope = globalThis as unknown as { drawn: number };
    scope.drawn = 0;
    const { prototype } = CanvasRenderingContext2D;
    const draw = Reflect.get(prototype, 'drawImage') as (...args: unknown[]) => void;
    Reflect.set(prototype, 'drawImage', function counted(this: CanvasRenderingContext2D, ...args: unknown[]) {
      if (args[0] instanceof ImageBitmap) scope.drawn++;
      draw.apply(this, args);
    });
  });
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
    const list = page.locator('.results-list .rows');
    await list.waitFor();
    await page.waitForFunction(
      (wanted) => {
        const element = document.querySelector('.results-list .rows');
        if (element === null) return false;
        element.scrollTop = element.scrollHeight;
        return [...element.querySelectorAll('.row-part')].at(-1)?.textContent === `P-${wanted - 1}`;
      },
      RESULTS,
      { timeout: 300_000 },
    );
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
  await page.goto(`${url}#${screen}`);
  return page;
}

/** Frames of the page while every one of them moves something: a wheel that pans, or a finger that scrolls and jumps. */
async function framesWhile(
  page: Page,
  selector: string,
  motion: 'wheel' | 'scroll',
): Promise<{ readonly perSecond: number; readonly worstMs: number }> {
  return page.evaluate(
    async ({ where, how, forMs }) => {
      const element = document.querySelector(where);
      if (element === null) throw new Error(`the page has no ${where}`);
      const move = (turn: number): void => {
        if (how === 'wheel') {
          const deltaY = turn % 120 < 60 ? 40 : -40;
          element.dispatchEvent(new WheelEvent('wheel', { deltaY, deltaX: 3, bubbles: true, cancelable: true }));
        } else {
          element.scrollTop = turn % 30 === 0 ? Math.random() * element.scrollHeight : element.scrollTop + 60;
        }
      };
      const times: number[] = [];
      await new Promise<void>((resolve) => {
        const next = (now: number): void => {
          times.push(now);
          if (now - (times[0] ?? now) > forMs) {
            resolve();
            return;
          }
          move(times.length);
          requestAnimationFrame(next);
        };
        requestAnimationFrame(next);
      });
      const gaps = times.slice(1).map((time, at) => time - (times[at] ?? time));
      const elapsed = (times.at(-1) ?? 0) - (times[0] ?? 0);
      return { perSecond: (1_000 * gaps.length) / elapsed, worstMs: Math.max(...gaps) };
    },
    { where: selector, how: motion, forMs: SCROLL_MS },
  );
}
