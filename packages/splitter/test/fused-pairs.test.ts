// What fusedValues says against what ONNX Runtime does: cut at the value, do head and tail run more kernels than the whole?
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type BuildInitializer,
  type BuildNode,
  type BuildValue,
  buildModel,
  concatChunks,
  openModel,
} from '@kerf/onnx';
import { bytesOf as bytes, type DType, float32Tensor, makeTensor, seededRandom } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesHost, extractSide, fusedValues, planCut, splitModel } from '../src/index.ts';
import { cpu } from './models.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'kerf-fused-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const backend = cpu(ort);

/** Operators that no kernel of their own stands for, or that only change a layout. */
const FREE = /^(Reorder|Reshape$|Identity$)/;

/** Kernels of a model at the level at which users run it. */
async function kernels(model: Uint8Array, free: RegExp): Promise<string[]> {
  const file = path.join(folder, 'optimised.onnx');
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'all',
    optimizedModelFilePath: file,
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  await session.release();
  const { nodes } = openModel(new Uint8Array(readFileSync(file)));
  return nodes.map((node) => node.record.opType).filter((op) => !FREE.test(op) && !free.test(op));
}

interface Row {
  readonly nodes: readonly BuildNode[];
  readonly inputs: readonly BuildValue[];
  readonly weights: readonly BuildInitializer[];
  readonly opset?: number;
  readonly free?: RegExp;
}

/** Kernels of the whole, and of head and tail, and what fusedValues says of the cut. */
async function observe(row: Row, cut: readonly string[]) {
  const model = buildModel({
    nodes: row.nodes,
    inputs: row.inputs,
    outputs: [{ name: 'y' }],
    initializers: row.weights,
    opsets: { '': row.opset ?? 17 },
  });
  const graph = openModel(model);
  const split = await splitModel(planCut(graph, cut), backend, bytesHost());
  const free = row.free ?? /^$/;
  const whole = await kernels(model, free);
  const parts: string[] = [];
  for (const side of [split.head, split.tail]) {
    parts.push(...(await kernels(concatChunks(extractSide(graph, side, 'unused').chunks), free)));
  }
  const said = cut.map((name) => fusedValues(graph).get(name)).find((text) => text !== undefined) ?? null;
  return { said, costs: parts.length - whole.length, kernels: `${whole.join(' ')} | ${parts.join(' ')}` };
}

const random = seededRandom(1);
const float = (name: string, ...shape: (number | string)[]): BuildValue => ({ name, dtype: 'float32', shape });
const filled = (name: string, ...shape: number[]): BuildInitializer => ({
  name,
  tensor: float32Tensor(
    shape,
    Float32Array.from({ length: shape.reduce((all, size) => all * size, 1) }, () => random() + 0.1),
  ),
});
const number = (name: string, value: number): BuildInitializer => ({
  name,
  tensor: float32Tensor([], Float32Array.of(value)),
});
const raw = (name: string, dtype: DType, shape: number[], values: ArrayBufferView): BuildInitializer => ({
  name,
  tensor: makeTensor(dtype, shape, bytes(values)),
});
const whole = (name: string, ...values: number[]): BuildInitializer =>
  raw(name, 'int64', [values.length], BigInt64Array.from(values.map(BigInt)));
const node = (op: string, inputs: string[], output: string, attributes: BuildNode['attributes'] = {}): BuildNode => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});
const conv = (from: string, to: string, weights = 'k'): BuildNode =>
  node('Conv', [from, weights, 'b'], to, { pads: [1, 1, 1, 1] });
const norm = (from: string, to: string): BuildNode =>
  node('BatchNormalization', [from, 'scale', 'bias', 'mean', 'variance'], to);

const image = [float('x', 1, 16, 8, 8)];
const convWeights = [filled('k', 16, 16, 3, 3), filled('k2', 16, 16, 3, 3), filled('b', 16)];
const normWeights = ['scale', 'bias', 'mean', 'variance'].map((name) => filled(name, 16));
const picture = (nodes: BuildNode[], ...weights: BuildInitializer[]): Row => ({
  nodes,
  inputs: image,
  weights: [...convWeights, ...weights],
});
const bounds = [number('low', 0), number('high', 6)];
const rows = (shape: (number | string)[], nodes: BuildNode[], ...weights: BuildInitializer[]): Row => ({
  nodes,
  inputs: [float('x', ...shape)],
  weights,
});
const matrix = filled('w', 8, 32);
const line = filled('line', 32);
const alpha = { alpha: { float: 0.1 } };
const half = number('half', 0.5);
const channels = filled('c', 1, 16, 1, 1);

/** The table of the pairs, both ways: what is fused, and its neighbours that are not. */
const FUSED: Record<string, [Row, ...string[]]> = {
  'Conv and Relu': [picture([conv('x', 'v'), node('Relu', ['v'], 'y')]), 'v'],
  'Conv and Sigmoid': [picture([conv('x', 'v'), node('Sigmoid', ['v'], 'y')]), 'v'],
  'Conv and Tanh': [picture([conv('x', 'v'), node('Tanh', ['v'], 'y')]), 'v'],
  'Conv and LeakyRelu': [picture([conv('x', 'v'), node('LeakyRelu', ['v'], 'y', alpha)]), 'v'],
  'Conv and HardSigmoid': [picture([conv('x', 'v'), node('HardSigmoid', ['v'], 'y')]), 'v'],
  'Conv and Clip': [picture([conv('x', 'v'), node('Clip', ['v', 'low', 'high'], 'y')], ...bounds), 'v'],
  'Conv and Clip with attributes': [
    { ...picture([conv('x', 'v'), node('Clip', ['v'], 'y', { min: { float: 0 }, max: { float: 6 } })]), opset: 9 },
    'v',
  ],
  'Conv and Relu, weights computed': [
    {
      ...picture([node('Conv', ['x', 'kx'], 'v'), node('Relu', ['v'], 'y')]),
      inputs: [...image, float('kx', 16, 16, 3, 3)],
    },
    'v',
  ],
  'Conv and BatchNormalization': [picture([conv('x', 'v'), norm('v', 'y')], ...normWeights), 'v'],
  'Conv, BatchNormalization, Relu: first': [
    picture([conv('x', 'v'), norm('v', 'n'), node('Relu', ['n'], 'y')], ...normWeights),
    'v',
  ],
  'Conv, BatchNormalization, Relu: second': [
    picture([conv('x', 'v'), norm('v', 'n'), node('Relu', ['n'], 'y')], ...normWeights),
    'n',
  ],
  'Conv and Mul by channel': [picture([conv('x', 'v'), node('Mul', ['v', 'c'], 'y')], channels), 'v'],
  'Conv and Mul by a number': [picture([conv('x', 'v'), node('Mul', ['v', 'half'], 'y')], half), 'v'],
  'Conv and Add by channel': [picture([conv('x', 'v'), node('Add', ['v', 'c'], 'y')], filled('c', 16, 1, 1)), 'v'],
  'Conv and a residual Add': [picture([conv('x', 'r', 'k2'), conv('r', 'v'), node('Add', ['v', 'r'], 'y')]), 'v', 'r'],
  'Conv and a residual Add, other way round': [
    picture([conv('x', 'r', 'k2'), conv('r', 'v'), node('Add', ['r', 'v'], 'y')]),
    'v',
    'r',
  ],
  'Conv, residual Add, Relu': [
    picture([conv('x', 'r', 'k2'), conv('r', 'v'), node('Add', ['v', 'r'], 's'), node('Relu', ['s'], 'y')]),
    's',
  ],
  'Conv, BatchNormalization, residual Add': [
    picture([conv('x', 'r', 'k2'), conv('r', 'v'), norm('v', 'n'), node('Add', ['n', 'r'], 'y')], ...normWeights),
    'n',
    'r',
  ],
  'BatchNormalization and Relu behind a convolution': [
    picture(
      [
        conv('x', 'r'),
        node('MaxPool', ['r'], 'p', { kernel_shape: [2, 2] }),
        norm('p', 'v'),
        node('Relu', ['v'], 'a'),
        conv('a', 'y', 'k2'),
      ],
      ...normWeights,
    ),
    'v',
  ],
  ...Object.fromEntries(
    [
      'Relu',
      'Sigmoid',
      'Tanh',
      'LeakyRelu',
      'HardSigmoid',
      'Elu',
      'Softplus',
      'Softsign',
      'ThresholdedRelu',
      'Selu',
    ].map((op): [string, [Row, string]] => [
      `Gemm and ${op}`,
      [rows([4, 8], [node('Gemm', ['x', 'w', 'line'], 'v'), node(op, ['v'], 'y')], matrix, line), 'v'],
    ]),
  ),
  'Gemm and Transpose': [rows([4, 8], [node('Gemm', ['x', 'w'], 'v'), node('Transpose', ['v'], 'y')], matrix), 'v'],
  'Transpose and Gemm': [
    rows([4, 8], [node('Transpose', ['x'], 'v'), node('Gemm', ['v', 'w'], 'y')], filled('w', 4, 32)),
    'v',
  ],
  'Transpose and MatMul': [
    rows(
      [2, 4, 8],
      [node('Transpose', ['x'], 'v', { perm: [0, 2, 1] }), node('MatMul', ['v', 'w'], 'y')],
      filled('w', 4, 32),
    ),
    'v',
  ],
  'MatMul and Add': [
    rows([4, 8], [node('MatMul', ['x', 'w'], 'v'), node('Add', ['line', 'v'], 'y')], matrix, line),
    'v',
  ],
  'MatMul and Add, open batch': [
    rows(['n', 8], [node('MatMul', ['x', 'w'], 'v'), node('Add', ['v', 'line'], 'y')], matrix, line),
    'v',
  ],
  'MatMul and Add, three dimensions': [
    rows([2, 4, 8], [node('MatMul', ['x', 'w'], 'v'), node('Add', ['v', 'line'], 'y')], matrix, line),
    'v',
  ],
  'MatMul, Add, Relu': [
    rows(
      [4, 8],
      [node('MatMul', ['x', 'w'], 'v'), node('Add', ['v', 'line'], 's'), node('Relu', ['s'], 'y')],
      matrix,
      line,
    ),
    's',
  ],
  'MatMul and BatchNormalization': [
    rows([4, 8], [node('MatMul', ['x', 'w'], 'v'), norm('v', 'y')], filled('w', 8, 16), ...normWeights),
    'v',
  ],
  'MatMul and Mul': [
    rows([2, 4, 8], [node('MatMul', ['x', 'w'], 'v'), node('Mul', ['v', 'half'], 'y')], matrix, half),
    'v',
  ],
  'MatMul and Div': [
    rows([2, 4, 8], [node('MatMul', ['x', 'w'], 'v'), node('Div', ['v', 'half'], 'y')], matrix, half),
    'v',
  ],
  'Mul and MatMul': [
    rows([4, 8], [node('Mul', ['x', 'half'], 'v'), node('MatMul', ['v', 'w'], 'y')], matrix, half),
    'v',
  ],
  'Pad and Conv': [
    picture([node('Pad', ['x', 'pads'], 'v'), node('Conv', ['v', 'k'], 'y')], whole('pads', 0, 0, 1, 1, 0, 0, 1, 1)),
    'v',
  ],
  'Pad and MaxPool': [
    picture(
      [node('Pad', ['x', 'pads'], 'v'), node('MaxPool', ['v'], 'y', { kernel_shape: [2, 2] })],
      whole('pads', 0, 0, 1, 1, 0, 0, 1, 1),
    ),
    'v',
  ],
  'Pad and AveragePool': [
    picture(
      [
        node('Pad', ['x', 'pads'], 'v'),
        node('AveragePool', ['v'], 'y', { kernel_shape: [2, 2], count_include_pad: 1 }),
      ],
      whole('pads', 0, 0, 1, 1, 0, 0, 1, 1),
    ),
    'v',
  ],
  'Relu and Clip': [rows([4, 8], [node('Relu', ['x'], 'v'), node('Clip', ['v', 'low', 'high'], 'y')], ...bounds), 'v'],
  'bias and Gelu': [
    { ...rows([2, 4, 32], [node('Add', ['x', 'line'], 'v'), node('Gelu', ['v'], 'y')], line), opset: 20 },
    'v',
  ],
  'sum and LayerNormalization': [
    {
      nodes: [node('Add', ['x', 'z'], 'v'), node('LayerNormalization', ['v', 'gain', 'line'], 'y')],
      inputs: [float('x', 2, 4, 32), float('z', 2, 4, 32)],
      weights: [line, filled('gain', 32)],
    },
    'v',
  ],
  'bias, sum and LayerNormalization': [
    {
      nodes: [
        node('Add', ['x', 'line'], 'v'),
        node('Add', ['v', 'z'], 's'),
        node('LayerNormalization', ['s', 'gain'], 'y'),
      ],
      inputs: [float('x', 2, 4, 32), float('z', 2, 4, 32)],
      weights: [line, filled('gain', 32)],
    },
    'v',
  ],
};

const APART: Record<string, [Row, ...string[]]> = {
  'Conv and Elu': [picture([conv('x', 'v'), node('Elu', ['v'], 'y')]), 'v'],
  'Conv and HardSwish': [picture([conv('x', 'v'), node('HardSwish', ['v'], 'y')]), 'v'],
  'Conv and Clip with a bound that is computed': [
    { ...picture([conv('x', 'v'), node('Clip', ['v', 'low'], 'y')]), inputs: [...image, float('low')] },
    'v',
  ],
  'Conv and Mul by a whole map': [
    picture([conv('x', 'v'), node('Mul', ['v', 'c'], 'y')], filled('c', 1, 16, 8, 8)),
    'v',
  ],
  'Conv and Mul, other way round': [picture([conv('x', 'v'), node('Mul', ['c', 'v'], 'y')], channels), 'v'],
  'Conv and Add of a number': [picture([conv('x', 'v'), node('Add', ['v', 'half'], 'y')], half), 'v'],
  'Conv and Add of the input': [picture([conv('x', 'v'), node('Add', ['v', 'x'], 'y')]), 'v'],
  'Conv, computed weights, BatchNormalization': [
    {
      ...picture([node('Conv', ['x', 'kx'], 'v'), norm('v', 'y')], ...normWeights),
      inputs: [...image, float('kx', 16, 16, 3, 3)],
    },
    'v',
  ],
  'Conv and two users': [picture([conv('x', 'v'), node('Relu', ['v'], 'a'), node('Mul', ['v', 'a'], 'y')]), 'v'],
  'ConvTranspose and BatchNormalization': [
    picture([node('ConvTranspose', ['x', 'k'], 'v'), norm('v', 'y')], ...normWeights),
    'v',
  ],
  'ConvTranspose and Relu': [picture([node('ConvTranspose', ['x', 'k'], 'v'), node('Relu', ['v'], 'y')]), 'v'],
  'BatchNormalization and Relu': [picture([norm('x', 'v'), node('Relu', ['v'], 'y')], ...normWeights), 'v'],
  'Relu and Conv': [picture([node('Relu', ['x'], 'v'), conv('v', 'y')]), 'v'],
  'Gemm and Clip': [
    rows([4, 8], [node('Gemm', ['x', 'w'], 'v'), node('Clip', ['v', 'low', 'high'], 'y')], matrix, ...bounds),
    'v',
  ],
  'MatMul and Relu': [rows([4, 8], [node('MatMul', ['x', 'w'], 'v'), node('Relu', ['v'], 'y')], matrix), 'v'],
  'MatMul and Add, three open dimensions': [
    rows(['n', 'm', 8], [node('MatMul', ['x', 'w'], 'v'), node('Add', ['v', 'line'], 'y')], matrix, line),
    'v',
  ],
  'MatMul and Mul by a vector': [
    rows([4, 8], [node('MatMul', ['x', 'w'], 'v'), node('Mul', ['v', 'line'], 'y')], matrix, line),
    'v',
  ],
  'Transpose of heads and MatMul': [
    rows(
      [1, 4, 2, 8],
      [node('Transpose', ['x'], 'v', { perm: [0, 2, 1, 3] }), node('MatMul', ['v', 'w'], 'y')],
      matrix,
    ),
    'v',
  ],
  'Add and Relu': [rows([4, 32], [node('Add', ['x', 'line'], 'v'), node('Relu', ['v'], 'y')], line), 'v'],
  'bias and LayerNormalization': [
    rows(
      [2, 4, 32],
      [node('Add', ['x', 'line'], 'v'), node('LayerNormalization', ['v', 'gain'], 'y')],
      line,
      filled('gain', 32),
    ),
    'v',
  ],
};

describe('fused', () => {
  test.each(Object.entries(FUSED))('%s', async (_, [row, ...cut]) => {
    const { said, costs, kernels: seen } = await observe(row, cut);
    expect(costs, seen).toBeGreaterThan(0);
    expect(said, seen).not.toBeNull();
  });
});

describe('not fused', () => {
  test.each(Object.entries(APART))('%s', async (_, [row, ...cut]) => {
    const { said, costs, kernels: seen } = await observe(row, cut);
    expect(costs, seen).toBe(0);
    expect(said, seen).toBeNull();
  });
});

describe('spelt-out operators', () => {
  const mean = (from: string, to: string): BuildNode => node('ReduceMean', [from], to, { axes: [-1] });
  const numbers = [number('two', 2), number('tiny', 1e-5), number('root', Math.SQRT2), number('one', 1), half];
  const start = node('Softplus', ['x'], 'r');
  const group = (nodes: BuildNode[]): Row => rows([2, 4, 32], [start, ...nodes], ...numbers, line, filled('gain', 32));
  const layerNorm = group([
    mean('r', 'm'),
    node('Sub', ['r', 'm'], 'd'),
    node('Pow', ['d', 'two'], 'p'),
    mean('p', 'v'),
    node('Add', ['v', 'tiny'], 'vt'),
    node('Sqrt', ['vt'], 's'),
    node('Div', ['d', 's'], 'n'),
    node('Mul', ['n', 'gain'], 'g'),
    node('Add', ['g', 'line'], 'y'),
  ]);
  const rms = group([
    node('Pow', ['r', 'two'], 'p'),
    mean('p', 'v'),
    node('Add', ['v', 'tiny'], 'vt'),
    node('Sqrt', ['vt'], 's'),
    node('Div', ['r', 's'], 'n'),
    node('Mul', ['gain', 'n'], 'y'),
  ]);
  const gelu = group([
    node('Div', ['r', 'root'], 'd'),
    node('Erf', ['d'], 'e'),
    node('Add', ['e', 'one'], 'e1'),
    node('Mul', ['r', 'e1'], 'g'),
    node('Mul', ['g', 'half'], 'y'),
  ]);
  const geluOther = group([
    node('Mul', ['r', 'half'], 'h'),
    node('Div', ['r', 'root'], 'd'),
    node('Erf', ['d'], 'e'),
    node('Add', ['e', 'one'], 'e1'),
    node('Mul', ['h', 'e1'], 'y'),
  ]);
  const silu = group([node('Sigmoid', ['r'], 'g'), node('Mul', ['g', 'r'], 'y')]);
  const quickGelu = group([node('Mul', ['r', 'half'], 'h'), node('Sigmoid', ['h'], 'g'), node('Mul', ['r', 'g'], 'y')]);
  test.each([
    ['LayerNormalization', layerNorm, [['d'], ['d', 'p'], ['d', 'v'], ['d', 'vt'], ['d', 's'], ['n'], ['g']]],
    ['RMSNormalization', rms, [['r', 'p'], ['r', 'v'], ['r', 's'], ['n']]],
    ['Gelu', gelu, [['r', 'd'], ['r', 'e'], ['r', 'e1'], ['g']]],
    [
      'Gelu',
      geluOther,
      [
        ['h', 'd'],
        ['h', 'e'],
        ['h', 'e1'],
      ],
    ],
    ['QuickGelu', silu, [['r', 'g']]],
    [
      'QuickGelu',
      quickGelu,
      [
        ['r', 'h'],
        ['r', 'g'],
      ],
    ],
  ] as const)('%s', async (name, row, cuts) => {
    for (const cut of cuts) {
      const { said, costs, kernels: seen } = await observe(row, cut);
      expect(costs, seen).toBeGreaterThan(0);
      expect(said, `${cut.join()}: ${seen}`).toBe(`a spelt-out ${name}`);
    }
    const before = await observe(row, ['r']);
    expect([before.said, before.costs], before.kernels).toEqual([null, 0]);
  });
});

describe('quantised', () => {
  const grid = (name: string, scale: number, zero: number): BuildInitializer[] => [
    number(`${name}s`, scale),
    raw(`${name}z`, 'uint8', [], Uint8Array.of(zero)),
  ];
  const quantise = (from: string, to: string): BuildNode => node('QuantizeLinear', [from, 'is', 'iz'], to);
  const restore = (from: string, to: string, by = 'i'): BuildNode =>
    node('DequantizeLinear', [from, `${by}s`, `${by}z`], to);
  const weights = [
    ...grid('i', 0.02, 7),
    ...grid('w', 0.01, 100),
    raw(
      'gq',
      'uint8',
      [8, 32],
      Uint8Array.from({ length: 256 }, (_, at) => at % 251),
    ),
    whole('zero', 0),
    whole('one', 1),
    whole('sixteen', 16),
    whole('flat', 1, -1),
    raw('scales', 'float32', [4], Float32Array.of(1, 1, 2, 2)),
    raw(
      'kq',
      'uint8',
      [16, 16, 3, 3],
      Uint8Array.from({ length: 2304 }, (_, at) => at % 251),
    ),
    raw(
      'mq',
      'uint8',
      [8, 8],
      Uint8Array.from({ length: 64 }, (_, at) => at * 3),
    ),
  ];
  /** x quantised to `a`, restored to `d`, through `middle` to `v`, quantised to `q`, restored to y. */
  const between = (...middle: BuildNode[]): Row => ({
    ...picture([quantise('x', 'a'), restore('a', 'd'), ...middle, quantise('v', 'q'), restore('q', 'y')], ...weights),
    free: /^Transpose$/,
  });
  const convolution = [restore('kq', 'k_', 'w'), node('Conv', ['d', 'k_'], 'v')];
  const product = [restore('mq', 'm_', 'w'), node('MatMul', ['d', 'm_'], 'v')];
  const operators: [string, Row][] = [
    ['Conv', between(...convolution)],
    ['MatMul', between(...product)],
    ['Sigmoid', between(node('Sigmoid', ['d'], 'v'))],
    ['LeakyRelu', between(node('LeakyRelu', ['d'], 'v', alpha))],
    ['Softmax', between(node('Softmax', ['d'], 'v', { axis: 1 }))],
    ['AveragePool', between(node('AveragePool', ['d'], 'v', { kernel_shape: [2, 2] }))],
    ['GlobalAveragePool', between(node('GlobalAveragePool', ['d'], 'v'))],
    ['Add', between(node('Add', ['d', 'd'], 'v'))],
    ['Mul', between(node('Mul', ['d', 'd'], 'v'))],
    ['Concat', between(node('Concat', ['d', 'd'], 'v', { axis: 1 }))],
    ['MaxPool', between(node('MaxPool', ['d'], 'v', { kernel_shape: [2, 2] }))],
    ['Transpose', { ...between(node('Transpose', ['d'], 'v', { perm: [0, 2, 3, 1] })), free: /^$/ }],
    ['Squeeze', between(node('Squeeze', ['d', 'zero'], 'v'))],
    ['Unsqueeze', between(node('Unsqueeze', ['d', 'zero'], 'v'))],
    ['Flatten', between(node('Flatten', ['d'], 'v'))],
    ['Reshape', between(node('Reshape', ['d', 'flat'], 'v'))],
    ['Gather', between(node('Gather', ['d', 'zero'], 'v'))],
    ['Split', between(node('Split', ['d', 'sixteen'], 'v', { axis: 1 }))],
    ['Slice', between(node('Slice', ['d', 'zero', 'one'], 'v'))],
    ['DepthToSpace', between(node('DepthToSpace', ['d'], 'v', { blocksize: 2 }))],
    ['Resize', between(node('Resize', ['d', '', 'scales'], 'v'))],
    ['Gemm', { ...between(restore('gq', 'g_', 'w'), node('Gemm', ['d', 'g_'], 'v')), inputs: [float('x', 4, 8)] }],
  ];
  test.each(operators)('%s: floats are inside, integers are not', async (_, row) => {
    for (const cut of ['d', 'v']) {
      const inside = await observe(row, [cut]);
      expect(inside.costs, inside.kernels).toBeGreaterThan(0);
      expect(inside.said, inside.kernels).not.toBeNull();
    }
    for (const cut of ['a', 'q']) {
      const outside = await observe(row, [cut]);
      expect([outside.said, outside.costs], outside.kernels).toEqual([null, 0]);
    }
  });

  test.each(['Exp', 'Erf', 'Tanh', 'HardSigmoid', 'Sqrt', 'Elu'])('%s has no integer kernel', async (op) => {
    for (const cut of ['d', 'v']) {
      const { said, costs, kernels: seen } = await observe(between(node(op, ['d'], 'v')), [cut]);
      expect([said, costs], seen).toEqual([null, 0]);
    }
  });

  test('a MatMul of integers that gives floats', async () => {
    const row = picture(
      [quantise('x', 'a'), restore('a', 'd'), restore('mq', 'm_', 'w'), node('MatMul', ['d', 'm_'], 'y')],
      ...weights,
    );
    expect((await observe(row, ['d'])).costs).toBeGreaterThan(0);
    expect((await observe(row, ['d'])).said).toBe('DequantizeLinear and MatMul');
    expect((await observe(row, ['a'])).said).toBeNull();
  });

  test('dynamic quantisation around MatMulInteger', async () => {
    const row = rows(
      [4, 8],
      [
        { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['a', 's', 'z'] },
        node('MatMulInteger', ['a', 'mq', 'z', 'wz'], 'm'),
        node('Cast', ['m'], 'c', { to: 1 }),
        node('Mul', ['s', 'ws'], 'ss'),
        node('Mul', ['c', 'ss'], 'y'),
      ],
      ...weights,
    );
    for (const cut of [
      ['a', 's', 'z'],
      ['m', 's'],
      ['c', 'ss'],
    ]) {
      const { said, costs, kernels: seen } = await observe(row, cut);
      expect(costs, seen).toBeGreaterThan(0);
      expect(said).toBe('a spelt-out quantised MatMul');
    }
  });
});
