// Splits as files: what is written, what is refused, and that verification finds every kind of tampering.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BuildModel, type BuildNode, buildModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { float32Tensor, KerfError, parseSplitManifest, bytesOf as viewBytes } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSplit, verifySplit, writeSplit } from '../src/node.ts';
import { add, bytesOf, cpu, diamond, float, relu } from './models.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-test-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const backend = cpu(ort);
const inRoot = (...parts: string[]) => path.join(root, ...parts);

async function split(bytes: Uint8Array, cut: readonly string[], options: { force?: boolean; folder?: string } = {}) {
  await writeFile(inRoot('model.onnx'), bytes);
  const model = await openModelFile(inRoot('model.onnx'));
  return await writeSplit({
    model,
    cut,
    folder: options.folder ?? inRoot('out'),
    backend,
    force: options.force ?? false,
  });
}

async function verify(options: Partial<Parameters<typeof verifySplit>[0]> = {}) {
  return await verifySplit({ model: inRoot('model.onnx'), folder: inRoot('out'), backend, ...options });
}

test('writes head, tail and a manifest that fits them', async () => {
  const { manifest } = await split(bytesOf(diamond), ['b']);
  expect((await readdir(inRoot('out'))).toSorted()).toEqual(['head.onnx', 'split.json', 'tail.onnx']);
  expect(parseSplitManifest(JSON.parse(await readFile(inRoot('out', 'split.json'), 'utf8')))).toEqual(manifest);
  expect(manifest).toMatchObject({ cut: ['b'], headOutputs: ['b'], tailOutputs: ['y'], modelInputs: ['x'] });
  expect([manifest.head.nodes, manifest.tail.nodes]).toEqual([2, 4]);
  expect(manifest.tensors.find((tensor) => tensor.name === 'b')).toEqual({ name: 'b', dtype: 'float32', shape: [2] });
  expect((await openSplit(inRoot('out'))).head.graph.inputs).toEqual(['x']);
  expect(await verify({ runs: 5 })).toMatchObject({
    runs: 5,
    bitEqualRuns: 5,
    verdict: 'bit-equal',
    expected: 'bit-equal',
  });
});

test('a split that cannot be written to its end leaves nothing of itself, and says why', async () => {
  await mkdir(inRoot('out', 'tail.onnx'), { recursive: true });
  await expect(split(bytesOf(diamond), ['b'], { force: true })).rejects.toThrow(
    /tail.onnx' cannot be written: a folder has its name/,
  );
  expect(await readdir(inRoot('out'))).toEqual(['tail.onnx']);
});

test('one that is not wanted any more, at whatever step, leaves nothing', async () => {
  await writeFile(inRoot('model.onnx'), bytesOf(diamond));
  const model = await openModelFile(inRoot('model.onnx'));
  const stoppedAt = async (step: number): Promise<boolean> => {
    let left = step;
    const check = (): Promise<void> =>
      left-- > 0 ? Promise.resolve() : Promise.reject(new KerfError('CANCELLED', 'nobody wants it'));
    const made = writeSplit({ model, cut: ['b'], folder: inRoot('out'), backend, check });
    return await made.then(
      () => false,
      (error: unknown) => KerfError.is(error) && error.code === 'CANCELLED',
    );
  };
  let steps = 0;
  for (; await stoppedAt(steps); steps++) expect(await readdir(root)).toEqual(['model.onnx']);
  expect(steps).toBeGreaterThan(2);
  expect(existsSync(inRoot('out', 'split.json'))).toBe(true);
});

test('the same split twice is the same pair; another cut is another', async () => {
  const first = await split(bytesOf(diamond), ['b']);
  expect((await split(bytesOf(diamond), ['b'])).manifest.pair).toBe(first.manifest.pair);
  expect((await split(bytesOf(diamond), ['a'])).manifest.pair).not.toBe(first.manifest.pair);
});

test('file names never come from tensor names', async () => {
  const evil = '../../evil';
  await split(bytesOf([relu('x', evil), relu(evil, 'y')]), [evil]);
  expect((await readdir(inRoot('out'))).toSorted()).toEqual(['head.onnx', 'split.json', 'tail.onnx']);
  expect(existsSync(path.join(root, '..', 'evil'))).toBe(false);
});

test('symbolic dimensions survive on both sides', async () => {
  const model = { inputs: [float('x', ['batch', 2])], outputs: [{ name: 'y' }] };
  const { manifest } = await split(bytesOf([relu('x', 'a'), add('a', 'w', 'y')], model), ['a']);
  expect(manifest.tensors.find((tensor) => tensor.name === 'a')?.shape).toEqual(['batch', 2]);
  expect(await verify({ dims: { batch: 3 } })).toMatchObject({ verdict: 'bit-equal', inputs: [{ shape: [3, 2] }] });
});

test('external data goes into files of their own', async () => {
  await writeFile(inRoot('w.bin'), viewBytes(Float32Array.of(9, 9, 0.5, -4)));
  const outside = {
    name: 'w',
    tensor: float32Tensor([2], new Float32Array(2)),
    external: { location: 'w.bin', offset: 8 },
  };
  const { manifest } = await split(bytesOf(diamond, { initializers: [outside] }), ['c', 'b']);
  expect((await readdir(inRoot('out'))).toSorted()).toEqual([
    'head.onnx',
    'head.onnx.data',
    'split.json',
    'tail.onnx',
    'tail.onnx.data',
  ]);
  expect(manifest.tail.externalData?.bytes).toBe(8);
  expect((await verify()).verdict).toBe('bit-equal');
  await writeFile(inRoot('out', 'tail.onnx.data'), viewBytes(Float32Array.of(0.5, 4)));
  await expect(verify()).rejects.toMatchObject({
    code: 'PAIR_MISMATCH',
    message: expect.stringContaining('tail.onnx.data'),
  });
});

test('bodies, functions, several inputs and outputs, left-out inputs', async () => {
  const branch = (op: string) => ({
    graph: { nodes: [{ op, inputs: ['a', 'w'], outputs: ['t'] }], outputs: [float('t')] },
  });
  const nodes: BuildNode[] = [
    { op: 'Clip', inputs: ['x', '', 'limit'], outputs: ['a'] },
    { op: 'ReduceMax', inputs: ['x2'], outputs: ['m'], attributes: { keepdims: 0 } },
    { op: 'Greater', inputs: ['m', 'limit'], outputs: ['c'] },
    { op: 'Twice', domain: 'f', inputs: ['a'], outputs: ['z'] },
    { op: 'If', inputs: ['c'], outputs: ['i'], attributes: { then_branch: branch('Add'), else_branch: branch('Mul') } },
    add('i', 'z', 'y'),
  ];
  const more: Partial<BuildModel> = {
    inputs: [float('x'), float('x2')],
    outputs: [float('y'), float('a'), float('x2')],
    initializers: [
      { name: 'w', tensor: float32Tensor([2], Float32Array.of(2, 3)) },
      { name: 'limit', tensor: float32Tensor([], Float32Array.of(0.3)) },
    ],
    opsets: { '': 17, f: 1 },
    functions: [{ domain: 'f', name: 'Twice', inputs: ['p'], outputs: ['q'], nodes: [add('p', 'p', 'q')] }],
  };
  for (const cut of [['a'], ['a', 'c'], ['z', 'a', 'c'], ['i', 'z']]) {
    await split(bytesOf(nodes, more), cut);
    expect(await verify({ runs: 4 }), cut.join()).toMatchObject({ verdict: 'bit-equal', bitEqualRuns: 4 });
  }
});

describe('refuses', () => {
  test('a folder with other files, unless forced; accepts a former split', async () => {
    await mkdir(inRoot('out'));
    await writeFile(inRoot('out', 'notes.txt'), 'mine');
    await expect(split(bytesOf(diamond), ['b'])).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await split(bytesOf(diamond), ['b'], { force: true });
    expect(existsSync(inRoot('out', 'notes.txt'))).toBe(true);
    await split(bytesOf(diamond), ['a']);
    expect((await openSplit(inRoot('out'))).manifest.cut).toEqual(['a']);
  });

  test('not a folder where a run was broken off, at whatever file: that is cleared away', async () => {
    for (const there of [[], ['head.onnx'], ['head.onnx', 'tail.onnx', 'split.json.tmp']]) {
      await mkdir(inRoot('out', '.kerf-split-broken'), { recursive: true });
      await writeFile(inRoot('out', '.kerf-split-broken', 'tail.onnx'), 'half of it');
      for (const name of there) await writeFile(inRoot('out', name), 'whole');
      await split(bytesOf(diamond), ['b']);
      expect((await readdir(inRoot('out'))).sort()).toEqual(['head.onnx', 'split.json', 'tail.onnx']);
      await rm(inRoot('out'), { recursive: true });
    }
  });

  test('a file where the folder should be, and a folder that would lose the model', async () => {
    await writeFile(inRoot('out'), '');
    await expect(split(bytesOf(diamond), ['b'])).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await writeFile(inRoot('head.onnx'), bytesOf(diamond));
    const model = await openModelFile(inRoot('head.onnx'));
    const attempt = writeSplit({ model, cut: ['b'], folder: root, backend, force: true });
    await expect(attempt).rejects.toMatchObject({ code: 'FILE_EXISTS', message: expect.stringContaining('head.onnx') });
    expect(new Uint8Array(await readFile(inRoot('head.onnx')))).toEqual(bytesOf(diamond));
  });

  test('what the runtime refuses, with its reason and nothing written', async () => {
    const clash = bytesOf([
      relu('x', 'a'),
      { op: 'Cast', inputs: ['a'], outputs: ['b'], attributes: { to: 7 } },
      add('a', 'b', 'c'),
      relu('c', 'y'),
    ]);
    const error = await split(clash, ['c']).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringMatching(/bound to different types/),
    });
    expect((error as Error).message).not.toMatch(/\n/);
    expect(existsSync(inRoot('out'))).toBe(false);
  });

  test('a value that is no tensor, though the model does not say so', async () => {
    const nodes: BuildNode[] = [
      { op: 'SequenceConstruct', inputs: ['x', 'x'], outputs: ['s'] },
      { op: 'ConcatFromSequence', inputs: ['s'], outputs: ['y'], attributes: { axis: 0 } },
    ];
    await expect(split(bytesOf(nodes, { outputs: [{ name: 'y' }] }), ['s'])).rejects.toMatchObject({
      code: 'CUT_TYPE_UNSUPPORTED',
    });
  });

  test('a 4-bit value, which the runtime knows but cannot hand over', async () => {
    const model = buildModel({
      irVersion: 10,
      opsets: { '': 21 },
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 4] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, 4] }],
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['q'], attributes: { to: 22 } },
        { op: 'Cast', inputs: ['q'], outputs: ['y'], attributes: { to: 1 } },
      ],
    });
    await expect(split(model, ['q'])).rejects.toMatchObject({ code: 'CUT_TYPE_UNSUPPORTED' });
  });

  test('a cut that cannot be, before anything is loaded', async () => {
    await expect(split(bytesOf(diamond), ['c'])).rejects.toMatchObject({ code: 'CUT_NOT_SEPARATING' });
    expect(existsSync(inRoot('out'))).toBe(false);
  });
});

describe('verification', () => {
  test('refuses a split of another model', async () => {
    await split(bytesOf(diamond), ['b']);
    await writeFile(inRoot('model.onnx'), bytesOf(diamond, { metadata: { version: '2' } }));
    await expect(verify()).rejects.toMatchObject({
      code: 'PAIR_MISMATCH',
      message: expect.stringMatching(/another model/),
    });
  });

  test('refuses a changed file, a changed manifest, and none', async () => {
    await split(bytesOf(diamond), ['b']);
    const tail = inRoot('out', 'tail.onnx');
    const bytes = await readFile(tail);
    await writeFile(tail, Buffer.concat([bytes, Buffer.of(8, 8)]));
    await expect(verify()).rejects.toMatchObject({
      code: 'PAIR_MISMATCH',
      message: expect.stringMatching(/tail.onnx is not/),
    });
    await writeFile(tail, bytes);
    const manifest = await readFile(inRoot('out', 'split.json'), 'utf8');
    const otherCut = JSON.stringify({ ...JSON.parse(manifest), pair: '0'.repeat(64) });
    await writeFile(inRoot('out', 'split.json'), otherCut);
    await expect(verify()).rejects.toMatchObject({
      code: 'PAIR_MISMATCH',
      message: expect.stringMatching(/pair hash/),
    });
    await writeFile(inRoot('out', 'split.json'), 'not json');
    await expect(verify()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    await rm(inRoot('out', 'split.json'));
    await expect(verify()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('finds a head that computes something else', async () => {
    const { manifest } = await split(bytesOf(diamond), ['b']);
    const wrong = buildModel({ nodes: [relu('x', 'b')], inputs: [float('x')], outputs: [float('b')] });
    await writeFile(inRoot('wrong.onnx'), wrong);
    const { sha256, bytes } = await openModelFile(inRoot('wrong.onnx'));
    await writeFile(inRoot('out', 'head.onnx'), wrong);
    const head = { ...manifest.head, sha256, bytes };
    const { pairHash } = await import('../src/index.ts');
    const pair = await pairHash(manifest.source.sha256, manifest.cut, head, manifest.tail);
    await writeFile(inRoot('out', 'split.json'), JSON.stringify({ ...manifest, head, pair }));
    const report = await verify();
    expect(report).toMatchObject({ verdict: 'differs', bitEqualRuns: 0 });
    expect(report.outputs[0]?.maxAbsolute).toBeGreaterThan(0.1);
  });

  test('expects tolerance, with reasons, at other levels and in half precision', async () => {
    await split(bytesOf(diamond), ['b']);
    const all = await verify({ optimizationLevel: 'all' });
    expect(all).toMatchObject({ expected: 'within tolerance', reasons: [expect.stringMatching(/level 'all'/)] });
    const half = { inputs: [{ name: 'x', dtype: 'float16' as const, shape: [2] }], outputs: [{ name: 'y' }] };
    await split(bytesOf([relu('x', 'a'), relu('a', 'y')], half), ['a']);
    expect((await verify()).reasons).toEqual([expect.stringMatching(/float16 in float32/)]);
  });

  test('uses the inputs that are given', async () => {
    await split(bytesOf(diamond), ['b']);
    const inputs = new Map([['x', float32Tensor([2], Float32Array.of(1, 2))]]);
    expect((await verify({ inputs })).verdict).toBe('bit-equal');
    const foreign = new Map([['q', float32Tensor([2], Float32Array.of(1, 2))]]);
    await expect(verify({ inputs: foreign })).rejects.toMatchObject({ code: 'TENSOR_MISMATCH' });
  });
});
