// A real Chromium on the GPU of this machine: is WebGPU right there, and how much faster than WebAssembly?
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { KERF_BIN } from '@kerf/cli';
import { parseDeviceProfile } from '@kerf/splitter';
import type { Browser } from 'playwright';
import type { BackendPage } from '../../e2e/pages/backend-page.ts';
import { servePage } from '../../e2e/pages/build-page.ts';
import { startChromium } from '../../support/chromium.ts';
import type { BenchRow } from '../bench.ts';

declare const page: BackendPage;

const FIRST_ADDRESS = /https?:\/\/\S+(?=\n)/;

/** Says on the console why there are no rows, where there is no browser or no GPU for it. */
export async function* measureBrowserGpu(model: string, full: boolean): AsyncIterable<BenchRow> {
  const { browser, reason } = await startChromium({ webgpu: 'hardware' });
  if (browser === null) return console.log(`  no browser: ${reason}`);
  try {
    const adapter = await adapterOf(browser);
    console.log(`  Chromium ${browser.version()}, WebGPU adapter: ${adapter ?? 'none'}`);
    if (adapter === null) return;
    yield await quantised(browser);
    const budget = full ? '60s' : '15s';
    const wasm = await profileIn(browser, model, 'wasm', budget);
    const webgpu = await profileIn(browser, model, 'webgpu', budget);
    yield {
      ...row('surface in Chromium, WebGPU', webgpu, 'ms'),
      against: `WebAssembly there, one thread (${wasm.toFixed(1)} ms)`,
      ratio: webgpu / wasm,
    };
  } finally {
    await browser.close();
  }
}

/** What the adapter says of itself; null for none, or one that computes on the CPU. */
async function adapterOf(browser: Browser): Promise<string | null> {
  return inPage(browser, async () => {
    interface Adapter {
      readonly info: { vendor: string; architecture: string; isFallbackAdapter?: boolean };
    }
    const { gpu } = navigator as never as { gpu?: { requestAdapter(): Promise<Adapter | null> } };
    const info = (await gpu?.requestAdapter())?.info;
    if (info === undefined || info.isFallbackAdapter === true || info.architecture === 'swiftshader') return null;
    return `${info.vendor} ${info.architecture}`;
  });
}

async function quantised(browser: Browser): Promise<BenchRow> {
  const there = await inPage(browser, () => page.quantised('webgpu'));
  const here = await inPage(browser, () => page.quantised('wasm'));
  const wrong = there.y.filter((value, at) => value !== here.y[at]).length;
  const right = there.provider === 'webgpu' && wrong === 0;
  return { ...row('a quantised cut on the GPU, values unlike WASM', wrong, 'values'), goal: '= 0', met: right };
}

async function inPage<T>(browser: Browser, body: () => Promise<T>): Promise<T> {
  const served = await servePage();
  const tab = await browser.newPage();
  try {
    await tab.goto(served.url);
    await tab.waitForFunction(() => 'page' in globalThis);
    return await tab.evaluate(body);
  } finally {
    await tab.close();
    await served.close();
  }
}

/** As a user does it: `kerf profile MODEL --browser`, and its page opened. @returns milliseconds of the whole model. */
async function profileIn(browser: Browser, model: string, provider: string, budget: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
  const out = join(folder, 'profile.json');
  const line = [
    'profile',
    model,
    '--browser',
    '--provider',
    provider,
    '--budget',
    budget,
    '--dim',
    'N=1',
    '--out',
    out,
  ];
  const child = spawn(process.execPath, [KERF_BIN, ...line], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    let said = '';
    const ended = once(child, 'close');
    const url = await new Promise<string>((resolve, reject) => {
      const listen = (data: Buffer): void => {
        said += data.toString('utf8');
        const found = FIRST_ADDRESS.exec(said);
        if (found !== null) resolve(found[0]);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      void ended.then(() => reject(new Error(said)));
    });
    const tab = await browser.newPage();
    await tab.goto(url);
    await ended;
    await tab.close();
    const { wholeMs } = parseDeviceProfile(JSON.parse(await readFile(out, 'utf8')));
    return wholeMs ?? Number.NaN;
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

function row(name: string, value: number, unit: string): BenchRow {
  return { bench: 'gpu', case: name, value, unit, against: null, ratio: null, goal: null, met: null };
}
