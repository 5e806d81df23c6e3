// `kerf calibrate` to `kerf run`: a codec found on pictures of the generator, served, and used over a real socket.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { type CloudProcess, KERF_BIN } from '@kerf/cli';
import { EdgeSession } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder } from '@kerf/edge-runtime/node';
import { writeDataset } from '@kerf/models';
import { buildModel } from '@kerf/onnx';
import { bytesOf, float32Tensor, seededRandom } from '@kerf/protocol';
import { CodedCut, compareTensors, runHead, runTail, splitCodecs } from '@kerf/splitter';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysOf } from './support/json-keys.ts';
import { expectRefusal, jsonLines, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';
import { openWorkshop, type Workshop } from './support/workshop.ts';

interface CalibrationReport {
  readonly cuts: readonly {
    readonly cut: readonly string[];
    readonly folder: string | null;
    readonly measured: readonly { readonly bytesPerFrame: number }[];
  }[];
}

const SIDE = 64;
const CHANNELS = 8;

/** An inspection network with chance weights: what it finds is nonsense, and every step of it is real. */
function network(): Uint8Array {
  const random = seededRandom(5);
  const weights = (...shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return float32Tensor(
      shape,
      Float32Array.from({ length: count }, () => random() - 0.5),
    );
  };
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] };
  return buildModel({
    nodes: [
      { op: 'Conv', inputs: ['image', 'first'], outputs: ['raw'], attributes },
      { op: 'Relu', inputs: ['raw'], outputs: ['features'] },
      { op: 'Conv', inputs: ['features', 'second'], outputs: ['drawn'], attributes },
      { op: 'Sigmoid', inputs: ['drawn'], outputs: ['mask'] },
      { op: 'ReduceMax', inputs: ['mask'], outputs: ['score'], attributes: { axes: [1, 2, 3], keepdims: 0 } },
    ],
    inputs: [{ name: 'image', dtype: 'float32', shape: ['N', 3, SIDE, SIDE] }],
    outputs: [
      { name: 'mask', dtype: 'float32', shape: ['N', 1, SIDE / 4, SIDE / 4] },
      { name: 'score', dtype: 'float32', shape: ['N'] },
    ],
    initializers: [
      { name: 'first', tensor: weights(CHANNELS, 3, 3, 3) },
      { name: 'second', tensor: weights(1, CHANNELS, 3, 3) },
    ],
    metadata: { 'kerf.pass_below': '0.6', 'kerf.ng_above': '0.9' },
  });
}

let shop: Workshop;
let cloud: CloudProcess;
let report: Record<string, unknown>;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: shop.folder, timeoutMs: 110_000 });
const CALIBRATE = ['calibrate', 'model.onnx', '--at', 'features', '--samples', 'parts', '--max-loss', '5'];

beforeAll(async () => {
  shop = await openWorkshop();
  await writeFile(join(shop.folder, 'model.onnx'), network());
  await writeDataset(join(shop.folder, 'parts'), { split: 'test', count: 24 });
  report = jsonOf(await kerf(...CALIBRATE, '--out', 'models/part', '--codecs', 'codecs.json', '--json'));
  cloud = await shop.serve(0);
}, 120_000);
afterAll(() => shop?.remove());

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

function documentedKeys(command: string): string[] {
  const section = page.split(`\n## kerf ${command}\n`)[1]?.split('\n## ')[0] ?? '';
  const code = [...section.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '').join('\n');
  return [...new Set([...code.matchAll(/(?:^|[{;] ?)\s*(\w+)\??:/gm)].map((match) => match[1] as string))].sort();
}

test('the reports have the keys that are documented', async () => {
  expect([...keysOf(report, new Set())].sort()).toEqual(documentedKeys('calibrate'));
  const samples = ['--samples', 'parts', '--limit', '10'];
  const evaluated = jsonOf(await kerf('evaluate', 'model.onnx', ...samples, '--split', 'models/part', '--json'));
  const cascaded = jsonOf(await kerf('evaluate', 'model.onnx', ...samples, '--cascade', 'model.onnx', '--json'));
  expect([...keysOf([evaluated, cascaded], new Set())].sort()).toEqual(documentedKeys('evaluate'));
});

test('levels cross the socket, and the answer is that of decoding here', async () => {
  expect(report).toMatchObject({ cuts: [{ best: expect.stringMatching(/^levels/) }] });
  const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
  const opened = await openSplitFolder(join(shop.models, 'part'), {
    backend,
    withTail: true,
  });
  const { split, head, tables, local } = opened;
  if (local === null) throw new Error('the tail was asked for');
  const random = seededRandom(8);
  const image = float32Tensor([1, 3, SIDE, SIDE], Float32Array.from({ length: 3 * SIDE * SIDE }, random));
  const frame = new Map([['image', image]]);
  const target = await shop.target('part', cloud.port);
  const session = await EdgeSession.open({ split, head, tables, local: null, cloud: target });
  const outcome = await session.infer(frame, { deadlineMs: 20_000 });
  session.close();
  if (outcome.kind !== 'result') throw new Error(outcome.message);
  expect(outcome.placement).toBe('split');
  const rawBytes = CHANNELS * (SIDE / 2) ** 2 * 4;
  expect(outcome.bytesUp).toBeLessThan(rawBytes / 4);
  const codecs = splitCodecs(split.codec, tables);
  const cut = new CodedCut((name) => codecs.get(name) ?? { kind: 'raw' });
  const loaded = { head, tail: local.tail, names: split };
  const front = await runHead(loaded, frame);
  const here = await runTail(loaded, front, cut.send(front.crossing));
  for (const [name, tensor] of here) {
    const there = outcome.outputs.get(name);
    expect(there && bytesOf(there.data)).toEqual(bytesOf(tensor.data));
    expect(compareTensors(tensor, there ?? tensor, { relative: 0, absolute: 0 }).isBitEqual).toBe(true);
  }
  await opened.dispose();
  await backend.dispose();
});

test('kerf run sends it, and says so', async () => {
  await writeFile(join(shop.folder, 'camera.token'), await shop.token());
  const access = ['--ca', 'state/dev-cert.pem', '--token-file', 'camera.token'];
  const args = [
    'run',
    '--model',
    'models/part',
    '--cloud',
    cloud.url,
    ...access,
    '--input',
    'parts/test/good/0002.png',
  ];
  const ran = await kerf(...args, '--json');
  expect(ran.status, ran.stderr).toBe(0);
  const summary = jsonLines(ran.stdout).find(({ kind }) => kind === 'summary');
  expect(summary).toMatchObject({ frames: 1, failed: 0, codec: expect.stringMatching(/^levels: .* bit per value, /) });
});

test('every cut of a chain gets its own codec, and kerf run --chain sends each cut in it', async () => {
  const at = ['--at', 'features', '--at', 'drawn'];
  jsonOf(await kerf('chain', 'model.onnx', ...at, '--out', 'models/parts', '--json'));
  const samples = ['--samples', 'parts', '--max-loss', '5'];
  const chained = jsonOf<CalibrationReport>(
    await kerf('calibrate', 'model.onnx', '--chain', 'models/parts', ...samples, '--codec', 'levels', '--json'),
  );
  expect(chained.cuts.map(({ cut, folder }) => [cut, folder])).toEqual([
    [['features'], 'models/parts'],
    [['drawn'], 'models/parts'],
  ]);
  const tables = (await readdir(join(shop.models, 'parts'))).filter((name) => name.endsWith('.klt'));
  expect(tables).toHaveLength(2);
  expect((await kerf('verify', 'model.onnx', 'models/parts')).status).toBe(0);

  await writeFile(join(shop.folder, 'camera.token'), await shop.token());
  const access = ['--cloud', cloud.url, '--ca', 'state/dev-cert.pem', '--token-file', 'camera.token'];
  const run = ['run', '--chain', 'models/parts', ...access, '--input', 'parts/test/good/0002.png', '--json'];
  for (const [index, { measured }] of chained.cuts.entries()) {
    const route = `cut-${index + 1}`;
    const ran = await kerf(...run, '--repeat', '8', '--route', route, '--out', route);
    expect(ran.status, ran.stderr).toBe(0);
    const frames = jsonLines(ran.stdout).filter((line) => line['route'] === route && line['placement'] === 'split');
    expect(frames.length, ran.stdout).toBeGreaterThan(4);
    const usual = measured[0]?.bytesPerFrame ?? 0;
    for (const { bytesUp } of frames) expect(bytesUp).toBeLessThan(usual * 1.5 + 600);
  }
  // A device that holds a part of it, in words; the table of routes is the report.
  const short = await kerf(...run.filter((word) => word !== '--json'), '--resident', '1', '--no-raw-input');
  expect(short.status, short.stderr).toBe(0);
  expect(short.stdout).toMatch(/^cut-1 +1 +0 +[\d.]+ ms/m);
  expect(short.stdout).toMatch(/^cloud +0 +0 +- +the input 'image' must not leave the device$/m);
  expect(short.stdout).toMatch(/sent as cut-1 levels: .* bit per value/);
});

test.each([
  [['--chain', 'models/parts', '--model', 'models/part'], /leave one out/],
  [['--model', 'models/parts'], /holds a chain: name it with --chain/],
  [['--model', 'models/part', '--route', 'edge'], /--route says something of a chain/],
  [['--chain', 'models/parts', '--no-fallback'], /--resident/],
  [['--chain', 'models/parts', '--send', 'png'], /--send must be one of/],
  [['--chain', 'models/parts', '--route', 'cut-9'], /there is no route 'cut-9'; routes are edge/],
  [['--chain', 'models/parts', '--resident', '1'], /no route is left/],
])('kerf run %j is refused with what to do', async (args, message) => {
  expect(expectRefusal(await kerf('run', ...args, '--input', 'x.png'), 2, 'INVALID_ARGUMENT')).toMatch(message);
});

test('Ctrl-C ends a calibration with one line, and nothing written', async () => {
  const args = [KERF_BIN, ...CALIBRATE, '--out', 'never'];
  const child = spawn(process.execPath, args, { cwd: shop.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += String(chunk);
    if (!child.killed && stderr.includes('what an error in each channel moves')) child.kill('SIGINT');
  });
  const [status] = (await once(child, 'close')) as [number | null];
  expect(status).toBe(130);
  expect(stderr).toMatch(/kerf: CANCELLED: the calibration was interrupted; nothing was written\n$/);
  expect(existsSync(join(shop.folder, 'never'))).toBe(false);
});

test('Ctrl-C in its first moments ends it with one line too', async () => {
  // The process that does the work has begun, and has not read its first file.
  const begun = "if (process.env.KERF_ISOLATED) { require('fs').writeSync(2, 'begun'); for (;;); }";
  await writeFile(join(shop.folder, 'begun.cjs'), begun);
  const child = spawn(process.execPath, [KERF_BIN, ...CALIBRATE, '--out', 'never'], {
    cwd: shop.folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '--require ./begun.cjs' },
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += String(chunk);
    if (stderr === 'begun') child.kill('SIGINT');
  });
  expect((await once(child, 'close'))[0]).toBe(130);
  expect(stderr).toBe('begunkerf: CANCELLED: kerf calibrate was interrupted\n');
});
