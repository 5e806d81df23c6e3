// Models whose weights are a burden: cut without loading them, into the files that loading them would have given.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type BuildModel,
  type BuildNode,
  buildModel,
  chunksLength,
  concatChunks,
  openModel,
  tensorToProto,
} from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { bytesOf, type DType, makeTensor } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesHost, extractSide, planCut, splitModel, valueSpecs } from '../src/index.ts';
import { fileHost, verifySplit, writeSplit } from '../src/node.ts';
import { cpu, float, graphOf, relu } from './models.ts';

const backend = cpu(ort);
const MIB = 1024 * 1024;

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-test-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const inRoot = (...parts: string[]) => path.join(root, ...parts);

/** A protobuf field around chunks. */
function field(number: number, chunks: readonly Uint8Array[]): Uint8Array[] {
  const head = [number * 8 + 2];
  let length = chunksLength(chunks);
  for (; length > 127; length = Math.floor(length / 128)) head.push((length % 128) | 128);
  return [Uint8Array.from([...head, length]), ...chunks];
}

/** A model whose weights are zeros that take no disk: two products of 100 MiB each, in the model file. */
async function writeZeroModel(more: readonly BuildNode[] = []): Promise<string> {
  const width = 5120;
  const model = buildModel({
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w0'], outputs: ['a'] },
      { op: 'MatMul', inputs: ['a', 'w1'], outputs: ['y'] },
      ...more,
    ],
    inputs: [float('x', [1, width])],
    outputs: [float('y', [1, width])],
  });
  const initializers = ['w0', 'w1'].flatMap((name) =>
    field(5, tensorToProto(name, makeTensor('float32', [width, width], new Uint8Array(width * width * 4)))),
  );
  const handle = await open(inRoot('model.onnx'), 'w');
  let at = 0;
  for (const chunk of [model, ...field(7, initializers)]) {
    if (chunk.byteLength < MIB) await handle.write(chunk, 0, chunk.byteLength, at);
    at += chunk.byteLength;
  }
  await handle.truncate(at);
  await handle.close();
  return inRoot('model.onnx');
}

test('cutting a model takes less memory than its weights', async () => {
  const model = await openModelFile(await writeZeroModel());
  // The runtime itself, before the peak is taken; this test comes first because a process has one peak.
  await splitModel(planCut(graphOf([relu('x', 'a'), relu('a', 'y')]), ['a']), backend, bytesHost());
  const before = process.resourceUsage().maxRSS;
  await writeSplit({ model, cut: ['a'], folder: inRoot('out'), backend });
  expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(100 * MIB);
});

/** float32[width, width] per layer: with two of them beyond 64 MiB. */
const WIDTH = 3000;
const layerBytes = WIDTH * WIDTH * 4;

const weightsOf = (seed: number) =>
  bytesOf(new Float32Array(WIDTH * WIDTH).map((_, at) => (((at + seed) * 7919) % 1000) / 1e5));

/** Product, transposed weights, a shape computed from constants, and one out of the values of a large weight. */
const nodes: readonly BuildNode[] = [
  { op: 'MatMul', inputs: ['x', 'w0'], outputs: ['a'] },
  { op: 'Transpose', inputs: ['w1'], outputs: ['t1'], attributes: { perm: [1, 0] } },
  { op: 'MatMul', inputs: ['a', 't1'], outputs: ['b'] },
  { op: 'NonZero', inputs: ['mask'], outputs: ['places'] },
  { op: 'Shape', inputs: ['places'], outputs: ['found'] },
  { op: 'Concat', inputs: ['found', 'rest'], outputs: ['shape'], attributes: { axis: 0 } },
  { op: 'Reshape', inputs: ['b', 'shape'], outputs: ['c'] },
  { op: 'Sigmoid', inputs: ['c'], outputs: ['y'] },
];

/** Three values of 20,000 are not zero: `c` is float32[1, 3, width / 3]. */
const mask = (): Uint8Array => {
  const values = new Float32Array(20_000);
  for (const at of [5, 77, 19_999]) values[at] = 1;
  return bytesOf(values);
};

async function writeModel(isExternal: boolean): Promise<string> {
  const large = (name: string, seed: number) => ({
    name,
    tensor: makeTensor('float32', [WIDTH, WIDTH], weightsOf(seed)),
    ...(isExternal ? { external: { location: 'w.bin', offset: seed * layerBytes } } : {}),
  });
  const small = (name: string, dtype: DType, data: Uint8Array, shape: number[]) => ({
    name,
    tensor: makeTensor(dtype, shape, data),
  });
  const model: BuildModel = {
    nodes,
    inputs: [float('x', [1, WIDTH])],
    outputs: [{ name: 'y' }],
    initializers: [
      large('w0', 0),
      large('w1', 1),
      small('mask', 'float32', mask(), [20_000]),
      small('rest', 'int64', bytesOf(BigInt64Array.of(-1n)), [1]),
    ],
  };
  await write('model.onnx', [buildModel(model)]);
  if (isExternal) await write('w.bin', [weightsOf(0), weightsOf(1)]);
  return inRoot('model.onnx');
}

async function write(name: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await open(inRoot(name), 'w');
  for (const part of parts) await handle.writeFile(part);
  await handle.close();
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a model of 72 MB', () => {
  test('in one file is cut into the same bytes and types as when it is loaded whole', async () => {
    const model = await openModelFile(await writeModel(false));
    expect(fileHost(model).hollow).toBeDefined();
    const { manifest } = await writeSplit({ model, cut: ['b'], folder: inRoot('out'), backend });
    const graph = openModel(new Uint8Array(await readFile(model.path)));
    const whole = await splitModel(planCut(graph, ['b']), backend, bytesHost());
    expect(manifest.tensors).toEqual(whole.tensors);
    expect(manifest.head.sha256).toBe(sha256(concatChunks(extractSide(graph, whole.head, 'unused').chunks)));
    expect(manifest.tail.sha256).toBe(sha256(concatChunks(extractSide(graph, whole.tail, 'unused').chunks)));
    expect(await verifySplit({ model, folder: inRoot('out'), backend })).toMatchObject({ verdict: 'bit-equal' });
  });

  test('with external data keeps its weights, bit for bit', async () => {
    const model = await openModelFile(await writeModel(true));
    const { manifest } = await writeSplit({ model, cut: ['a'], folder: inRoot('out'), backend });
    expect(manifest.head.externalData).toMatchObject({ bytes: layerBytes, sha256: sha256(weightsOf(0)) });
    expect(manifest.tail.externalData).toMatchObject({ bytes: layerBytes, sha256: sha256(weightsOf(1)) });
    expect(await verifySplit({ model, folder: inRoot('out'), backend })).toMatchObject({ verdict: 'bit-equal' });
  });

  test('has the types that it has when it is loaded whole, also where values give a shape', async () => {
    const model = await openModelFile(await writeModel(false));
    const specs = await valueSpecs(model.graph, { host: fileHost(model), backend });
    const graph = openModel(new Uint8Array(await readFile(model.path)));
    expect(specs).toEqual(await valueSpecs(graph, { host: bytesHost(), backend }));
    expect(specs.get('b')?.shape).toEqual([1, WIDTH]);
  });
});

test('a large model with a node that the runtime lacks is refused, also where no part needs the node', async () => {
  const model = await openModelFile(
    await writeZeroModel([{ op: 'Fold', domain: 'com.microsoft', inputs: ['a'], outputs: ['dead'] }]),
  );
  await expect(writeSplit({ model, cut: ['a'], folder: inRoot('out'), backend })).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: expect.stringMatching(/Fold/),
  });
  expect(existsSync(inRoot('out'))).toBe(false);
});
