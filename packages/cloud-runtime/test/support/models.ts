// Small models in a temporary folder, made in code.

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BuildModel, type BuildNode, buildModel } from '@kerf/onnx';
import {
  type Dimension,
  float32Tensor,
  makeTensor,
  SPLIT_FORMAT,
  type SplitManifest,
  type Tensor,
} from '@kerf/protocol';
import { afterAll } from 'vitest';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-cloud-test-'));
  folders.push(folder);
  return folder;
}

export const int64 = (...values: number[]): Tensor =>
  makeTensor('int64', [values.length], new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer));

export function floats(shape: number[], of: (index: number) => number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return float32Tensor(
    shape,
    Float32Array.from({ length: count }, (_, index) => of(index)),
  );
}

/** One input `x`, one output `y`, float32. */
export function oneToOne(nodes: BuildNode[], shape: Dimension[], more: Partial<BuildModel> = {}): BuildModel {
  return {
    nodes,
    inputs: [{ name: 'x', dtype: 'float32', shape }],
    outputs: [{ name: 'y', dtype: 'float32', shape: more.outputs?.[0]?.shape ?? shape }],
    ...more,
  };
}

/** `y = relu(x * w)` with a 64x64 weight: rows are independent. */
export const rowsModel = (): BuildModel =>
  oneToOne(
    [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['y'] },
    ],
    ['N', 64],
    { initializers: [{ name: 'w', tensor: floats([64, 64], (i) => Math.fround(Math.sin(i) / 8)) }] },
  );

/** `y = x + mean over the first axis of x`: a symbolic first axis, and rows that are not independent. */
export const mixingModel = (): BuildModel =>
  oneToOne(
    [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['m'], attributes: { axes: [0], keepdims: 1 } },
      { op: 'Add', inputs: ['x', 'm'], outputs: ['y'] },
    ],
    ['N', 64],
  );

/** `y = x`, of any size. */
export const identityModel = (shape: Dimension[] = ['N', 'M']): BuildModel =>
  oneToOne([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], shape);

/** Runs for a long time: `count` products of two 1024x1024 matrices. */
export const slowModel = (count: number): BuildModel =>
  oneToOne(
    Array.from({ length: count }, (_, index) => ({
      op: 'MatMul',
      inputs: [index === 0 ? 'x' : `h${index}`, 'w'],
      outputs: [index === count - 1 ? 'y' : `h${index + 1}`],
    })),
    [1024, 1024],
    { initializers: [{ name: 'w', tensor: floats([1024, 1024], (i) => Math.fround(Math.sin(i) / 512)) }] },
  );

export function writeModel(folder: string, id: string, model: BuildModel): string {
  const path = join(folder, id, 'model.onnx');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, buildModel({ opset: 13, ...model } as BuildModel));
  return path;
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A folder as `kerf split` writes it, whose head does nothing. */
export function writeTail(folder: string, id: string, model: BuildModel): { pair: string; tailPath: string } {
  const dir = join(folder, id);
  mkdirSync(dir, { recursive: true });
  const tail = buildModel({ opset: 13, ...model } as BuildModel);
  const head = buildModel(identityModel());
  const pair = sha(Buffer.concat([head, tail]));
  const part = (file: string, bytes: Uint8Array): SplitManifest['tail'] => ({
    file,
    sha256: sha(bytes),
    bytes: bytes.byteLength,
    nodes: 1,
    externalData: null,
  });
  const manifest: SplitManifest = {
    format: SPLIT_FORMAT,
    source: { file: 'model.onnx', sha256: sha(head), bytes: 1 },
    cut: ['x'],
    headInputs: ['x'],
    headOutputs: ['x'],
    tailInputs: ['x'],
    tailOutputs: ['y'],
    modelInputs: ['x'],
    modelOutputs: ['y'],
    tensors: [],
    codec: { kind: 'raw' },
    head: part('head.onnx', head),
    tail: part('tail.onnx', tail),
    pair,
    createdBy: 'test',
  };
  writeFileSync(join(dir, 'head.onnx'), head);
  writeFileSync(join(dir, 'tail.onnx'), tail);
  writeFileSync(join(dir, 'split.json'), JSON.stringify(manifest));
  return { pair, tailPath: join(dir, 'tail.onnx') };
}

/** `x` times itself, `count` times over: fast for a small matrix, slow for a large one. */
export const powerModel = (count: number): BuildModel =>
  oneToOne(
    Array.from({ length: count }, (_, index) => ({
      op: 'MatMul',
      inputs: [index === 0 ? 'x' : `h${index}`, 'x'],
      outputs: [index === count - 1 ? 'y' : `h${index + 1}`],
    })),
    ['N', 'N'],
  );

/** NHWC pixels, as an image becomes. */
export const pixelsModel = (): BuildModel => identityModel([1, 'H', 'W', 3]);
