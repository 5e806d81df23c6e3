// Small networks with seeded weights, and how far an edited model's answers are from the whole's.
import {
  type BuildModel,
  type BuildNode,
  buildModel,
  concatChunks,
  editModel,
  type ModelEdit,
  type ModelGraph,
  numberOfDType,
  openModel,
} from '@kerf/onnx';
import {
  elementCount,
  float16Value,
  float32Tensor,
  type OrtModule,
  seededRandom,
  type Tensor,
  type TensorMap,
  typedView,
} from '@kerf/protocol';
import { bytesHost, valueSpecs } from '../../src/index.ts';
import { cpu } from '../models.ts';

/** Values in [-spread, spread). */
export function randomTensor(shape: readonly number[], seed: number, spread = 1): Tensor {
  const random = seededRandom(seed);
  return float32Tensor(
    shape,
    Float32Array.from({ length: elementCount(shape) }, () => (random() * 2 - 1) * spread),
  );
}

const conv = (from: string, weights: string, bias: string, to: string): BuildNode => ({
  op: 'Conv',
  inputs: [from, weights, bias],
  outputs: [to],
  attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
});

/** A residual block between two convolutions, a resize, a concat and a matrix: x float32[1, 3, 16, 16] -> y [1, 10]. */
export function convNet(more: Partial<BuildModel> = {}): ModelGraph {
  const weight = (name: string, shape: readonly number[], seed: number, spread = 0.25) => ({
    name,
    tensor: randomTensor(shape, seed, spread),
  });
  return openModel(
    buildModel({
      nodes: [
        conv('x', 'w0', 'b0', 'c0'),
        { op: 'Relu', inputs: ['c0'], outputs: ['r0'] },
        conv('r0', 'w1', 'b1', 'c1'),
        { op: 'Add', inputs: ['c1', 'r0'], outputs: ['a1'] },
        { op: 'Relu', inputs: ['a1'], outputs: ['r1'] },
        { op: 'MaxPool', inputs: ['r1'], outputs: ['p1'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
        conv('p1', 'w2', 'b2', 'c2'),
        { op: 'Clip', inputs: ['c2', 'zero', 'six'], outputs: ['r2'] },
        { op: 'GlobalAveragePool', inputs: ['r2'], outputs: ['g'] },
        { op: 'Flatten', inputs: ['g'], outputs: ['f'] },
        { op: 'Gemm', inputs: ['f', 'wg', 'bg'], outputs: ['z'], attributes: { transB: 1 } },
        { op: 'Sigmoid', inputs: ['z'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3, 16, 16] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, 64] }],
      initializers: [
        weight('w0', [16, 3, 3, 3], 1),
        weight('b0', [16], 2),
        weight('w1', [16, 16, 3, 3], 3),
        weight('b1', [16], 4),
        weight('w2', [32, 16, 3, 3], 5),
        weight('b2', [32], 6),
        weight('wg', [64, 32], 7),
        weight('bg', [64], 8),
        { name: 'zero', tensor: float32Tensor([], Float32Array.of(0)) },
        { name: 'six', tensor: float32Tensor([], Float32Array.of(6)) },
      ],
      ...more,
    }),
  );
}

export const picture = (seed: number): TensorMap => new Map([['x', randomTensor([1, 3, 16, 16], seed)]]);

export function numbersOf(tensor: Tensor | undefined): number[] {
  if (tensor === undefined || tensor.dtype === 'string') return [];
  const values = Array.from(typedView(tensor) as ArrayLike<number | bigint>, Number);
  return tensor.dtype === 'float16' ? values.map(float16Value) : values;
}

export function editedBytes(graph: ModelGraph, edit: ModelEdit): Uint8Array {
  return concatChunks(editModel(graph, edit).chunks);
}

export async function runBytes(ort: OrtModule, bytes: Uint8Array, inputs: TensorMap): Promise<TensorMap> {
  const backend = cpu(ort);
  const model = await backend.load({ bytes });
  try {
    return await model.run(inputs);
  } finally {
    await backend.dispose();
  }
}

/** |edited - whole| / |whole| over all outputs, and the dtypes must be the same. */
export async function distance(ort: OrtModule, graph: ModelGraph, edit: ModelEdit, inputs: TensorMap): Promise<number> {
  const whole = await runBytes(ort, graph.model.bytes, inputs);
  const edited = await runBytes(ort, editedBytes(graph, edit), inputs);
  let difference = 0;
  let size = 0;
  for (const [name, tensor] of whole) {
    const other = edited.get(name);
    if (other?.dtype !== tensor.dtype) return Number.POSITIVE_INFINITY;
    const actual = numbersOf(other);
    numbersOf(tensor).forEach((value, at) => {
      difference += (value - (actual[at] ?? Number.NaN)) ** 2;
      size += value ** 2;
    });
  }
  return Math.sqrt(difference / size);
}

/** Element types as the runtime says them. */
export async function dtypesOf(ort: OrtModule, graph: ModelGraph): Promise<Map<string, number>> {
  const specs = await valueSpecs(graph, { host: bytesHost(), backend: cpu(ort) });
  return new Map(
    [...specs].flatMap(([name, { dtype }]) => (dtype === null ? [] : [[name, numberOfDType(dtype)] as const])),
  );
}
