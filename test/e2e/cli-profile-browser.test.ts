// `kerf profile --browser` as a process, its page in a real Chromium: the profile that comes back, and what is refused.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { encodeNpy, KERF_BIN } from '@kerf/cli';
import { buildModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { float32Tensor } from '@kerf/protocol';
import { type DeviceProfile, parseDeviceProfile, plan, statedLink } from '@kerf/splitter';
import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { browserTest } from '../support/browser-test.ts';
import { jsonOf, runKerf } from './support/run-kerf.ts';

const SIZE = 64;
const weights = float32Tensor([SIZE, SIZE], new Float32Array(SIZE * SIZE).fill(0.01));
const row = (name: string) => ({ name, dtype: 'float32' as const, shape: [1, SIZE] });

/** Two products with a maximum between: a few places to cut at. */
const SMALL = buildModel({
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['a'] },
    { op: 'Relu', inputs: ['a'], outputs: ['b'] },
    { op: 'MatMul', inputs: ['b', 'w'], outputs: ['c'] },
    { op: 'Sigmoid', inputs: ['c'], outputs: ['y'] },
  ],
  inputs: [row('x')],
  outputs: [row('y')],
  initializers: [{ name: 'w', tensor: weights }],
});
const CUSTOM = buildModel({
  nodes: [{ op: 'Foo', domain: 'com.acme', inputs: ['x'], outputs: ['y'] }],
  inputs: [row('x')],
  outputs: [row('y')],
  opsets: { '': 17, 'com.acme': 1 },
});

const DATA_FILE = 'outside.data';
/** Its weights lie in a file of their own; the size of its input is open. */
const OUTSIDE = buildModel({
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['a'] },
    { op: 'Relu', inputs: ['a'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [null, SIZE] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [null, SIZE] }],
  initializers: [{ name: 'w', tensor: weights, external: { location: DATA_FILE } }],
});

let folder = '';
const children: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-e2e-'));
  await writeFile(join(folder, 'small.onnx'), SMALL);
  await writeFile(join(folder, 'custom.onnx'), CUSTOM);
  await writeFile(join(folder, 'outside.onnx'), OUTSIDE);
  await writeFile(join(folder, DATA_FILE), weights.data);
  await writeFile(join(folder, 'frame.npy'), encodeNpy(float32Tensor([3, SIZE], new Float32Array(3 * SIZE))));
});
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGTERM')));
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

/** Starts the command and waits for the address. */
async function serve(model: string, ...args: string[]): Promise<Served> {
  const line = [KERF_BIN, 'profile', model, '--browser', '--budget', '1s', ...args];
  const child = spawn(process.execPath, line, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, ...said }));
  const url = await new Promise<string>((resolve, reject) => {
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (data) => {
        said[name] += String(data);
        const found = /https?:\/\/\S+(?=\n)/.exec(said[name]);
        if (found !== null) resolve(found[0]);
      });
    }
    void ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { url, child, ended };
}

/** Opens the page and waits until it has ended. @returns what its first card says. */
async function openPage(browser: Browser, url: string): Promise<{ page: Page; text: string; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  await page.waitForSelector('[data-state=done], [data-state=failed]', { timeout: 100_000 });
  const text = await page.locator('#status').innerText();
  return { page, text, complaints };
}

const written = async (name: string): Promise<DeviceProfile> =>
  parseDeviceProfile(JSON.parse(await readFile(join(folder, name), 'utf8')));

describe.each([
  { title: 'without a GPU', webgpu: false },
  { title: 'with WebGPU', webgpu: true },
])('a browser $title', ({ webgpu }) => {
  const test = browserTest({ webgpu });

  if (webgpu) {
    test('is profiled with WebGPU', async (browser) => {
      const { url, ended } = await serve('small.onnx', '--out', 'gpu.json', '--provider', 'webgpu');
      const { text, complaints } = await openPage(browser, url);
      expect(text).toContain('gpu.json');
      expect(await ended).toMatchObject({ status: 0 });
      const profile = await written('gpu.json');
      expect(profile).toMatchObject({ provider: 'webgpu', threads: null, crossing: null });
      expect(profile.segments.length).toBeGreaterThan(0);
      expect(complaints).toEqual([]);
    });
    return;
  }

  test('gives a profile that is written, summarised and taken by the planner', async (browser) => {
    const { url, ended } = await serve('small.onnx', '--provider', 'wasm', '--name', 'tablet 3', '--out', 'edge.json');
    const { page, text, complaints } = await openPage(browser, url);
    expect(text).toMatch(/^Done[^]*edge\.json/);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await page.locator('#cuts tr').count()).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    const { status, stdout } = await ended;
    expect(status).toBe(0);
    expect(stdout).toContain('profile written to edge.json');
    const edge = await written('edge.json');
    expect(edge).toMatchObject({ provider: 'wasm', threads: 1, crossing: null, device: { name: 'tablet 3' } });
    expect(edge.versions).toHaveProperty('onnxruntime-web');
    expect(edge.segments.length).toBeGreaterThan(0);
    const node = ['profile', 'small.onnx', '--no-crossing', '--budget', '500ms', '--json'];
    const cloud = parseDeviceProfile(jsonOf(await runKerf(node, { cwd: folder })));
    const { graph } = await openModelFile(join(folder, 'small.onnx'));
    const link = statedLink({ uplinkBitsPerSecond: 20e6, roundTripMs: 40 });
    expect(plan(graph, { edge, cloud, link })).toMatchObject({ outcome: 'planned' });
  });

  test('measures a model with external data on a given frame', async (browser) => {
    const { url, ended } = await serve('outside.onnx', '--provider', 'wasm', '--input', 'frame.npy', '--out', 'o.json');
    const { text } = await openPage(browser, url);
    expect(text).toMatch(/^Done/);
    expect(await ended).toMatchObject({ status: 0 });
    expect(await written('o.json')).toMatchObject({ inputShapes: { x: [3, SIZE] } });
  });

  test('falls back to WASM and says so', async (browser) => {
    const { url, ended } = await serve('small.onnx', '--out', 'auto.json');
    const { text } = await openPage(browser, url);
    expect(text).toMatch(/WebAssembly, because WebGPU cannot be used here/);
    expect((await ended).stdout).toMatch(/WebAssembly, because WebGPU cannot be used there: .*WebGPU/);
    expect(await written('auto.json')).toMatchObject({ provider: 'wasm' });
  });

  test('ends with the reason when it must be WebGPU', async (browser) => {
    const { url, ended } = await serve('small.onnx', '--provider', 'webgpu', '--out', 'none.json');
    const { text } = await openPage(browser, url);
    expect(text).toMatch(/WebGPU/);
    const { status, stderr } = await ended;
    expect(status).toBe(1);
    expect(stderr).toMatch(/^kerf: BACKEND_UNAVAILABLE: in the browser: .*WebGPU/m);
    await expect(readFile(join(folder, 'none.json'))).rejects.toThrow('ENOENT');
  });

  test('refuses a model that its runtime lacks an operator for, on the page and in the terminal', async (browser) => {
    const { url, ended } = await serve('custom.onnx', '--provider', 'wasm');
    const { text } = await openPage(browser, url);
    expect(text).toMatch(/Foo/);
    const { status, stderr } = await ended;
    expect(status).toBe(1);
    expect(stderr).toMatch(/^kerf: MODEL_UNSUPPORTED: in the browser: .*Foo/m);
  });
});

it('answers nothing without the secret, and refuses a wrong profile without ending', async () => {
  const { url, child, ended } = await serve('small.onnx', '--out', 'wrong.json');
  const { origin, pathname } = new URL(url);
  for (const path of ['/', '/favicon.ico', '/aaaa-bbbb-cccc/', `${pathname.slice(0, -2)}/model`]) {
    expect((await fetch(origin + path)).status, path).toBe(404);
  }
  const beyond = await Promise.all(['nothing', 'ort/../model', '../model'].map((path) => fetch(`${url}${path}%00`)));
  expect(beyond.map(({ status }) => status)).toEqual([404, 404, 404]);
  expect((await fetch(`${url}profile`)).status).toBe(405);
  const page = await fetch(url);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  const post = (path: string, body: string) => fetch(`${url}${path}`, { method: 'POST', body });
  expect(await (await post('profile', '{"profile":{}}')).json()).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(await (await post('profile', 'null')).json()).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect((await post('progress', 'x'.repeat(100_000))).status).toBe(413);
  expect(child.exitCode).toBe(null);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ status: 130, stderr: expect.stringMatching(/^kerf: CANCELLED: /m) });
});
