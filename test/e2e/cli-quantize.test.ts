// `kerf quantize` as users run it: every form, what it writes, what it refuses.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildNode, buildModel, metadataOf } from '@kerf/onnx';
import { openModelFile, writeTensorFile } from '@kerf/onnx/node';
import { elementCount, float32Tensor, seededRandom, type Tensor } from '@kerf/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysOf } from './support/json-keys.ts';
import { expectRefusal, type Ran, runKerf } from './support/run-kerf.ts';
import { openWorkshop, type Workshop } from './support/workshop.ts';

let shop: Workshop;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: shop.folder });

function random(shape: readonly number[], seed: number, spread: number): Tensor {
  const draw = seededRandom(seed);
  return float32Tensor(
    shape,
    Float32Array.from({ length: elementCount(shape) }, () => (draw() * 2 - 1) * spread),
  );
}

/** Three convolutions and a matrix: x float32[1, 3, 24, 24] -> logits float32[1, 4]. */
function classifier(opset = 17): Uint8Array {
  const conv = (from: string, at: number, to: string): BuildNode => ({
    op: 'Conv',
    inputs: [from, `w${at}`, `b${at}`],
    outputs: [to],
    attributes: { pads: [1, 1, 1, 1] },
  });
  const weights = [
    [32, 3, 3, 3],
    [32, 32, 3, 3],
    [64, 32, 3, 3],
  ].flatMap((shape, at) => [
    { name: `w${at}`, tensor: random(shape, at + 1, 0.2) },
    { name: `b${at}`, tensor: random([shape[0] ?? 1], at + 11, 0.2) },
  ]);
  return buildModel({
    nodes: [
      conv('x', 0, 'c0'),
      { op: 'Relu', inputs: ['c0'], outputs: ['r0'] },
      conv('r0', 1, 'c1'),
      { op: 'Relu', inputs: ['c1'], outputs: ['r1'] },
      conv('r1', 2, 'c2'),
      { op: 'Relu', inputs: ['c2'], outputs: ['r2'] },
      { op: 'GlobalAveragePool', inputs: ['r2'], outputs: ['g'] },
      { op: 'Flatten', inputs: ['g'], outputs: ['f'] },
      { op: 'MatMul', inputs: ['f', 'wm'], outputs: ['logits'] },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3, 24, 24] }],
    outputs: [{ name: 'logits', dtype: 'float32', shape: [1, 4] }],
    initializers: [...weights, { name: 'wm', tensor: random([64, 4], 21, 1) }],
    opsets: { '': opset },
    metadata: { 'kerf.task': 'class' },
  });
}

beforeAll(async () => {
  shop = await openWorkshop();
  await writeFile(join(shop.folder, 'part.onnx'), classifier());
  await writeFile(join(shop.folder, 'old.onnx'), classifier(11));
  const double = buildModel({
    nodes: [{ op: 'Tanh', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float64', shape: [2, 8] }],
    outputs: [{ name: 'y', dtype: 'float64', shape: [2, 8] }],
  });
  await writeFile(join(shop.folder, 'double.onnx'), double);
  const samples = join(shop.folder, 'samples');
  await mkdir(samples);
  for (let at = 0; at < 24; at++) {
    await writeTensorFile(join(samples, `${at}.pb`), { name: 'x', tensor: random([1, 3, 24, 24], 100 + at, 1) });
  }
});
afterAll(() => shop?.remove());

interface Report {
  readonly bytesRatio: number;
  readonly nodes: number | null;
  readonly at: string[] | null;
  readonly loss: { readonly lossPoints: number; readonly metric: string };
  readonly quantized: { readonly file: string } | null;
  readonly samples: { readonly madeUp: boolean; readonly calibration: number; readonly test: number };
}

async function report(...args: string[]): Promise<Report> {
  const { stdout, stderr, status } = await kerf('quantize', 'part.onnx', ...args, '--json');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Report;
}

test.each([
  ['fp16', 0.6, 1],
  ['weights', 0.35, 3],
  ['dynamic', 0.35, 3],
  ['static', 0.4, 5],
] as const)('%s is smaller, near, and noted in the file', async (form, ratio, points) => {
  const found = await report('--form', form, '--samples', 'samples', '--out', `${form}.onnx`);
  expect(found.bytesRatio).toBeLessThan(ratio);
  expect(found.loss.metric).toBe('closeness of outputs');
  expect(found.loss.lossPoints).toBeLessThan(points);
  expect(found.samples).toMatchObject({ madeUp: false, calibration: 12, test: 12 });
  const notes = metadataOf((await openModelFile(join(shop.folder, `${form}.onnx`))).graph.model);
  expect(notes.get('kerf.task')).toBe('class');
  expect(notes.get('kerf.quantized')).toContain(form === 'fp16' ? 'float16' : form);
});

test('a form that needs no samples says that its inputs were made up', async () => {
  const { stdout, status } = await kerf('quantize', 'part.onnx', '--form', 'weights', '--out', 'made-up.onnx');
  expect(status).toBe(0);
  expect(stdout).toContain('made up');
});

test('the uint8 cut that it names is one that kerf split takes', async () => {
  const found = await report('--cut-only', '--at', 'r1', '--samples', 'samples', '--per-channel', '--out', 'cut.onnx');
  expect(found.at).toEqual(['r1/uint8']);
  const { stdout, status } = await kerf('split', 'cut.onnx', '--at', 'r1/uint8', '--out', 'cut-split', '--json');
  expect(status).toBe(0);
  expect(stdout).toContain('"dtype":"uint8"');
  expect((await kerf('verify', 'cut.onnx', 'cut-split')).status).toBe(0);
});

test('what cannot keep the limit is not written, and the exit status says so', async () => {
  const args = ['--form', 'static', '--samples', 'samples', '--max-loss', '0', '--out', 'never.onnx'];
  const { status, stdout } = await kerf('quantize', 'part.onnx', ...args);
  expect(status).toBe(1);
  expect(stdout).toContain('nothing: no int8 form keeps the limit of loss');
  expect(await readdir(shop.folder)).not.toContain('never.onnx');
});

test('a file that is there stays, unless forced', async () => {
  await writeFile(join(shop.folder, 'mine.onnx'), 'mine');
  const args = ['quantize', 'part.onnx', '--form', 'weights', '--out', 'mine.onnx'];
  expectRefusal(await kerf(...args), 1, 'FILE_EXISTS');
  expect(await readFile(join(shop.folder, 'mine.onnx'), 'utf8')).toBe('mine');
  expect((await kerf(...args, '--force')).status).toBe(0);
  expectRefusal(await kerf('quantize', 'mine.onnx', '--form', 'fp16', '--out', 'again.onnx'), 2, 'INVALID_ARGUMENT');
});

const REFUSED: readonly (readonly [readonly string[], 1 | 2, string, RegExp])[] = [
  [['part.onnx'], 2, 'INVALID_ARGUMENT', /--form/],
  [['part.onnx', '--form', 'fp16', '--cut-only', '--at', 'r1'], 2, 'INVALID_ARGUMENT', /--cut-only/],
  [['part.onnx', '--form', 'fp16', '--max-loss', '1'], 2, 'INVALID_ARGUMENT', /max-loss/],
  [['part.onnx', '--form', 'static'], 2, 'INVALID_ARGUMENT', /--samples DIR is needed/],
  [['part.onnx', '--form', 'weights', '--out', 'part.onnx'], 2, 'INVALID_ARGUMENT', /itself/],
  [['part.onnx', '--cut-only', '--at', 'r9', '--samples', 'samples'], 2, 'INVALID_ARGUMENT', /r9/],
  [['part.onnx', '--cut-only', '--at', 'w1', '--samples', 'samples'], 2, 'INVALID_ARGUMENT', /constant/],
  [['part.onnx', '--form', 'static', '--samples', 'samples', '--limit', '6'], 1, 'SAMPLES_UNUSABLE', /at least 8/],
  [['part.onnx', '--form', 'static', '--samples', 'nowhere'], 1, 'FILE_NOT_FOUND', /nowhere/],
  [['old.onnx', '--form', 'static', '--samples', 'samples'], 1, 'MODEL_UNSUPPORTED', /operator set 11/],
  [['double.onnx', '--form', 'fp16'], 1, 'MODEL_UNSUPPORTED', /nothing to convert/],
  [
    ['part.onnx', '--form', 'fp16', '--out', 'no/folder.onnx'],
    1,
    'FILE_NOT_FOUND',
    /'no\/folder.onnx' cannot be written: its folder is not there/,
  ],
];

test('bad input is refused in one line that says what is wrong', async () => {
  const before = await readdir(shop.folder);
  const ran = await Promise.all(REFUSED.map(([args]) => kerf('quantize', ...args)));
  for (const [at, [args, status, code, message]] of REFUSED.entries()) {
    const said = ran[at];
    if (said === undefined) throw new Error(`${args.join(' ')} did not run`);
    // Progress goes to standard error too, ahead of the one line.
    const line = said.stderr
      .split('\n')
      .filter((text) => text.startsWith('kerf: '))
      .join('\n');
    expect(expectRefusal({ ...said, stderr: `${line}\n` }, status, code)).toMatch(message);
  }
  expect(await readdir(shop.folder)).toEqual(before);
});

test('the keys of its JSON are those of docs/cli.md', async () => {
  const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  const section = page.split('\n## kerf quantize\n')[1]?.split('\n## ')[0] ?? '';
  const code = section.split('```ts\n')[1]?.split('```')[0] ?? '';
  const documented = new Set([...code.matchAll(/(?:^|[{;] ?)\s*(\w+)\??:/gm)].map((match) => match[1] as string));
  const args = ['--form', 'static', '--samples', 'samples', '--max-loss', '0', '--out', 'never.onnx', '--json'];
  const limited = JSON.parse((await kerf('quantize', 'part.onnx', ...args)).stdout) as Report;
  const written = await report('--form', 'static', '--samples', 'samples', '--out', 'keys.onnx');
  expect([...keysOf([limited, written], new Set())].sort()).toEqual([...documented].sort());
});
