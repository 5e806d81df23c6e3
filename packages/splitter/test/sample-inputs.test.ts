// Inputs made up until a model runs: shapes, dtypes, given values, and what is refused.

import { type BuildInitializer, type BuildModel, type BuildNode, openModel } from '@kerf/onnx';
import { float32Tensor, makeTensor, systemClock, type Tensor, type TensorMap, typedView } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { expectation } from '../src/expectation.ts';
import { findInputs, mergeSpec, type SampleOptions } from '../src/index.ts';
import { bytesOf, cpu, float } from './models.ts';

async function sampler(
  nodes: readonly BuildNode[],
  more: Partial<BuildModel> = {},
  options: Partial<SampleOptions> = {},
) {
  const bytes = bytesOf(nodes, more);
  const graph = openModel(bytes);
  const loaded = await cpu(ort).load({ bytes }, { optimizationLevel: 'disabled' });
  const specs = loaded.inputs.map((spec) => mergeSpec(graph, spec.name, spec));
  return await findInputs(loaded, { specs, clock: systemClock, ...options });
}

const identity = (from: string, to: string): BuildNode => ({ op: 'Identity', inputs: [from], outputs: [to] });
const reshape = (sizes: number[]): readonly BuildInitializer[] => [
  {
    name: 'sizes',
    tensor: makeTensor('int64', [sizes.length], new Uint8Array(BigInt64Array.from(sizes.map(BigInt)).buffer)),
  },
];
const shapeOf = (inputs: TensorMap, name: string) => inputs.get(name)?.shape;

describe('shapes', () => {
  test('the batch is 1, the other dimensions are given or found', async () => {
    const model = { inputs: [float('x', ['batch', 3, 'H', 'W'])], outputs: [{ name: 'y' }] };
    const bound = await sampler([identity('x', 'y')], model, { dims: { H: 5, W: 7 } });
    expect(shapeOf(bound.sample(0), 'x')).toEqual([1, 3, 5, 7]);
    expect(shapeOf((await sampler([identity('x', 'y')], model)).sample(0), 'x')).toEqual([1, 3, 64, 64]);
  });

  test('a size that the graph insists on is found', async () => {
    const model = { inputs: [float('x', [1, 'n'])], outputs: [{ name: 'y' }], initializers: reshape([1, 320]) };
    const found = await sampler([{ op: 'Reshape', inputs: ['x', 'sizes'], outputs: ['y'] }], model);
    expect(shapeOf(found.sample(0), 'x')).toEqual([1, 320]);
  });

  test('dimensions that must differ are found', async () => {
    const model = {
      inputs: [float('x', [1, 'n']), float('h', [2, 'm'])],
      outputs: [{ name: 'y' }, { name: 'z' }],
      initializers: [
        ...reshape([1, 512]),
        { name: 'two', tensor: makeTensor('int64', [2], new Uint8Array(BigInt64Array.of(2n, 1n).buffer)) },
      ],
    };
    const nodes = [
      { op: 'Reshape', inputs: ['x', 'sizes'], outputs: ['y'] },
      { op: 'Reshape', inputs: ['h', 'two'], outputs: ['z'] },
    ];
    const found = (await sampler(nodes, model)).sample(0);
    expect([shapeOf(found, 'x'), shapeOf(found, 'h')]).toEqual([
      [1, 512],
      [2, 1],
    ]);
  });

  test('a symbol has one size wherever it stands', async () => {
    const model = { inputs: [float('x', ['n', 'k']), float('v', ['k', 'n'])], outputs: [{ name: 'y' }] };
    const found = (await sampler([{ op: 'MatMul', inputs: ['x', 'v'], outputs: ['y'] }], model)).sample(0);
    expect(shapeOf(found, 'x')?.toReversed()).toEqual(shapeOf(found, 'v'));
  });

  test('an input of unknown rank and a scalar are tried', async () => {
    const model = { inputs: [{ name: 'x', dtype: 'float32' as const }, float('s', [])], outputs: [{ name: 'y' }] };
    const found = (await sampler([{ op: 'Mul', inputs: ['x', 's'], outputs: ['y'] }], model)).sample(0);
    expect(shapeOf(found, 's')).toEqual([]);
    const four = { inputs: [{ name: 'x', dtype: 'float32' as const }], outputs: [{ name: 'y' }] };
    const pool = await sampler([{ op: 'GlobalAveragePool', inputs: ['x'], outputs: ['y'] }], four);
    expect(shapeOf(pool.sample(0), 'x')).toEqual([1, 3, 64, 64]);
  });
});

describe('values', () => {
  const numbers = (tensor: Tensor | undefined) =>
    [...(typedView(tensor as Tensor & { dtype: 'int64' }) as unknown as Iterable<number | bigint>)].map(Number);

  test('every dtype is made, the same for the same seed and another for another run', async () => {
    const dtypes = [
      'float32',
      'float64',
      'float16',
      'int8',
      'int16',
      'int32',
      'int64',
      'uint8',
      'uint16',
      'uint32',
      'uint64',
      'bool',
      'string',
    ] as const;
    const model = {
      inputs: dtypes.map((dtype) => ({ name: dtype, dtype, shape: [1, 40] })),
      outputs: dtypes.map((dtype) => ({ name: `${dtype} out` })),
    };
    const found = await sampler(
      dtypes.map((dtype) => identity(dtype, `${dtype} out`)),
      model,
      { seed: 4 },
    );
    expect(found.sample(1)).toEqual(found.sample(1));
    for (const dtype of dtypes) {
      expect(found.sample(0).get(dtype)?.dtype).toBe(dtype);
      expect(found.sample(0).get(dtype)).not.toEqual(found.sample(1).get(dtype));
      expect(found.outputs.get(`${dtype} out`)?.data).toEqual(found.sample(0).get(dtype)?.data);
    }
  });

  test('integers go by their names, and get small enough to index with', async () => {
    const int = (name: string, shape: number[]) => ({ name, dtype: 'int64' as const, shape });
    const names = ['attention_mask', 'token_type_ids', 'position_ids', 'sr'];
    const model = {
      inputs: names.map((name) => int(name, [1, 3])),
      outputs: names.map((name) => ({ name: `${name}!` })),
    };
    const found = (
      await sampler(
        names.map((name) => identity(name, `${name}!`)),
        model,
      )
    ).sample(0);
    expect(names.map((name) => numbers(found.get(name)))).toEqual([
      [1, 1, 1],
      [0, 0, 0],
      [0, 1, 2],
      [16_000, 16_000, 16_000],
    ]);
    const table = { name: 'table', tensor: float32Tensor([2, 1], Float32Array.of(1, 2)) };
    const lookup = { inputs: [int('ids', [1, 16])], outputs: [{ name: 'y' }], initializers: [table] };
    const ids = numbers(
      (await sampler([{ op: 'Gather', inputs: ['table', 'ids'], outputs: ['y'] }], lookup)).sample(0).get('ids'),
    );
    expect(ids.every((id) => id < 2)).toBe(true);
  });

  test('given inputs are used and bind nothing else', async () => {
    const model = { inputs: [float('x', ['n', 'k']), float('v', ['k'])], outputs: [{ name: 'y' }] };
    const inputs = new Map([['x', float32Tensor([2, 3], new Float32Array(6))]]);
    const nodes = [{ op: 'MatMul', inputs: ['x', 'v'], outputs: ['y'] }];
    const found = (await sampler(nodes, model, { inputs, dims: { k: 3 } })).sample(0);
    expect(found.get('x')).toBe(inputs.get('x'));
    expect(shapeOf(found, 'v')).toEqual([3]);
  });
});

describe('refuses', () => {
  test('a dimension that no input has, with those there are', async () => {
    const model = { inputs: [float('x', ['batch', 'H'])], outputs: [{ name: 'y' }] };
    await expect(sampler([identity('x', 'y')], model, { dims: { h: 3 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/'h'; there are 'batch', 'H'/),
    });
  });

  test('a model that nothing runs on, within its time and with the first reason', async () => {
    const model = { inputs: [float('x', [1, 'n'])], outputs: [{ name: 'y' }], initializers: reshape([1, 12_345]) };
    await expect(sampler([{ op: 'Reshape', inputs: ['x', 'sizes'], outputs: ['y'] }], model)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/give its dimensions or real inputs.*ONNX Runtime failed/),
    });
  });

  test('an input that no memory holds is refused with its size', async () => {
    const model = { inputs: [float('x', [1, 2 ** 20, 'n'])], outputs: [{ name: 'y' }] };
    const sampled = sampler([identity('x', 'y')], model, { dims: { n: 2 ** 20 } });
    await expect(sampled).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("the input 'x' of float32[1, 1048576, 1048576] is larger than what is made up"),
    });
  });

  test('given inputs that do not fit', async () => {
    const inputs = new Map([['x', float32Tensor([3], new Float32Array(3))]]);
    await expect(sampler([identity('x', 'y')], {}, { inputs })).rejects.toMatchObject({ code: 'TENSOR_MISMATCH' });
  });
});

describe('what the runtime cannot hand over', () => {
  test('a sequence among the outputs is said to be the reason, not the sizes', async () => {
    const model = { inputs: [float('x', [4, 'n'])], outputs: [{ name: 'parts' }, { name: 'y' }] };
    const nodes = [{ op: 'SplitToSequence', inputs: ['x'], outputs: ['parts'] }, identity('x', 'y')];
    await expect(sampler(nodes, model)).rejects.toThrow(/'parts' is not a tensor but a sequence/);
  });

  test('a type that JavaScript has no tensors of is named', async () => {
    const cast = { op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: 16 } };
    const bytes = bytesOf([cast], { inputs: [float('x', [2])], outputs: [{ name: 'y' }] });
    await expect(cpu(ort).load({ bytes })).rejects.toThrow(/an input or output is bfloat16/);
  });
});

test('random numbers are a reason not to expect equal bits', () => {
  const nodes = [{ op: 'RandomNormalLike', inputs: ['x'], outputs: ['noise'] }, identity('noise', 'y')];
  const bytes = bytesOf(nodes, { inputs: [float('x', [2])], outputs: [{ name: 'y' }] });
  const { isBitEqual, reasons } = expectation(openModel(bytes), [], 'onnxruntime-node/cpu', 'disabled');
  expect(isBitEqual).toBe(false);
  expect(reasons.join()).toMatch(/RandomNormalLike draws random numbers/);
});
