// What every Backend must do; called by the test file of each implementation.

import { buildModel, numberOfDType } from '@kerf/onnx';
import {
  type Backend,
  bytesOf,
  DTYPE_BITS,
  type DType,
  decodeStrings,
  elementCount,
  float32Tensor,
  type LoadedModel,
  makeTensor,
  stringTensor,
  type Tensor,
  typedView,
} from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface BackendTraits {
  /** dtypes that this runtime's API does not carry: a run with one must fail with a code. */
  readonly without?: readonly DType[];
}

/** y = x for one dtype; the 4-bit ones have no Identity, but casts to float and back. */
function identity(dtype: DType): Uint8Array {
  const packed = dtype === 'int4' || dtype === 'uint4';
  const nodes = packed
    ? [
        { op: 'Cast', inputs: ['x'], outputs: ['wide'], attributes: { to: numberOfDType('float32') } },
        { op: 'Cast', inputs: ['wide'], outputs: ['y'], attributes: { to: numberOfDType(dtype) } },
      ]
    : [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }];
  return buildModel({
    nodes,
    inputs: [{ name: 'x', dtype, shape: ['n'] }],
    outputs: [{ name: 'y', dtype, shape: ['n'] }],
    opsets: { '': packed ? 21 : 17 },
    irVersion: packed ? 10 : 8,
  });
}

/** y = a + b over [n, 2] floats, and z = the sum of all of y, a scalar. */
const addModel = buildModel({
  nodes: [
    { op: 'Add', inputs: ['a', 'b:0'], outputs: ['y'] },
    { op: 'ReduceSum', inputs: ['y'], outputs: ['z, total'], attributes: { keepdims: 0 } },
  ],
  inputs: [
    { name: 'a', dtype: 'float32', shape: ['n', 2] },
    { name: 'b:0', dtype: 'float32', shape: ['n', 2] },
  ],
  outputs: [
    { name: 'y', dtype: 'float32', shape: ['n', 2] },
    { name: 'z, total', dtype: 'float32', shape: [] },
  ],
});

/** Bytes that are valid elements of the dtype. */
function sample(dtype: DType, count: number): Tensor {
  if (dtype === 'string')
    return stringTensor(
      [count],
      Array.from({ length: count }, (_, index) => ['', 'größe', '検査'][index % 3]!),
    );
  const length = Math.ceil((count * DTYPE_BITS[dtype]) / 8);
  const bytes = Uint8Array.from({ length }, (_, index) => (dtype === 'bool' ? index % 2 : (index * 29 + 3) & 0x3f));
  return makeTensor(dtype, [count], bytes);
}

/** The same tensor over bytes that start at an odd address. */
function unaligned(tensor: Tensor): Tensor {
  const memory = new Uint8Array(tensor.data.byteLength + 3);
  memory.set(tensor.data, 1);
  return { ...tensor, data: memory.subarray(1, 1 + tensor.data.byteLength) };
}

const pair = (n: number): Map<string, Tensor> =>
  new Map([
    [
      'a',
      float32Tensor(
        [n, 2],
        Float32Array.from({ length: n * 2 }, (_, index) => index),
      ),
    ],
    ['b:0', float32Tensor([n, 2], new Float32Array(n * 2).fill(0.5))],
  ]);

const floats = (tensor: Tensor | undefined): number[] => [...(typedView(tensor!) as Float32Array)];

/** Registers the suite for `name`; `open` makes a backend, or gives the reason why this machine has none. */
export function describeBackend(name: string, open: () => Promise<Backend | string>, traits: BackendTraits = {}): void {
  describe(`backend: ${name}`, () => {
    let opened: Backend | string = '';
    let adder: LoadedModel | null = null;
    beforeAll(async () => {
      opened = await open();
      if (typeof opened !== 'string') adder = await opened.load({ bytes: addModel });
    }, 60_000);
    afterAll(async () => {
      if (typeof opened !== 'string') await opened.dispose();
    });
    const test = (title: string, body: (backend: Backend, model: LoadedModel) => Promise<void>): void => {
      it(title, async (context) => {
        if (typeof opened === 'string') return context.skip(opened);
        if (adder === null) throw new Error('the model of the suite was not loaded');
        await body(opened, adder);
      });
    };

    test('has a name and tells inputs and outputs', async (backend, model) => {
      expect(backend.name).not.toBe('');
      expect(model.inputs).toEqual([
        { name: 'a', dtype: 'float32', shape: ['n', 2] },
        { name: 'b:0', dtype: 'float32', shape: ['n', 2] },
      ]);
      expect(model.outputs.map((spec) => spec.name)).toEqual(['y', 'z, total']);
    });

    for (const dtype of Object.keys(DTYPE_BITS) as DType[]) {
      if (traits.without?.includes(dtype)) {
        test(`refuses ${dtype} with a code`, async (backend) => {
          const model = await backend.load({ bytes: identity(dtype) });
          await expect(model.run(new Map([['x', sample(dtype, 2)]]))).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
          await model.dispose();
        });
        continue;
      }
      test(`carries ${dtype}, from aligned and unaligned bytes, and without elements`, async (backend) => {
        const model = await backend.load({ bytes: identity(dtype) });
        expect(model.inputs[0]?.dtype).toBe(dtype);
        for (const tensor of [sample(dtype, 6), unaligned(sample(dtype, 6)), sample(dtype, 1), sample(dtype, 0)]) {
          const y = (await model.run(new Map([['x', tensor]]))).get('y');
          expect(y).toMatchObject({ dtype, shape: tensor.shape });
          if (dtype === 'string')
            expect(decodeStrings(y!.data, elementCount(y!.shape))).toEqual(
              decodeStrings(tensor.data, elementCount(tensor.shape)),
            );
          expect(Buffer.from(y!.data).equals(Buffer.from(tensor.data)), dtype).toBe(true);
        }
        await model.dispose();
      });
    }

    test('computes, with names that hold anything, and gives scalars', async (_, model) => {
      const outputs = await model.run(pair(2));
      expect(floats(outputs.get('y'))).toEqual([0.5, 1.5, 2.5, 3.5]);
      expect(outputs.get('z, total')).toMatchObject({ dtype: 'float32', shape: [] });
      expect(floats(outputs.get('z, total'))).toEqual([8]);
    });

    test('takes zero rows', async (_, model) => {
      const outputs = await model.run(pair(0));
      expect(outputs.get('y')?.shape).toEqual([0, 2]);
      expect(floats(outputs.get('z, total'))).toEqual([0]);
    });

    test('leaves the inputs as they were', async (_, model) => {
      const inputs = pair(3);
      await model.run(inputs);
      expect(floats(inputs.get('a'))).toEqual([0, 1, 2, 3, 4, 5]);
      expect(inputs.get('a')?.data.byteLength).toBe(24);
    });

    test('gives outputs that later runs do not overwrite', async (_, model) => {
      const first = await model.run(pair(2));
      await model.run(new Map([...pair(2), ['a', float32Tensor([2, 2], new Float32Array(4).fill(100))]]));
      expect(floats(first.get('y'))).toEqual([0.5, 1.5, 2.5, 3.5]);
    });

    test('answers concurrent runs each with its own result', async (_, model) => {
      const runs = Array.from({ length: 16 }, (_, index) => model.run(pair(index + 1)));
      (await Promise.all(runs)).forEach((outputs, index) => expect(outputs.get('y')?.shape).toEqual([index + 1, 2]));
    });

    test('refuses wrong inputs by name, and goes on', async (_, model) => {
      const good = pair(2);
      const a = good.get('a')!;
      const wrong: [Map<string, Tensor>, string][] = [
        [new Map([['a', a]]), "'b:0'"],
        [new Map([...good, ['c', a]]), "'c'"],
        [new Map([...good, ['a', { ...a, dtype: 'int32' as const }]]), "'a'"],
        [new Map([...good, ['a', { ...a, shape: [4] }]]), "'a'"],
        [new Map([...good, ['a', { ...a, shape: [1, 4] }]]), "'a'"],
        [new Map([...good, ['a', { ...a, shape: [3, 2] }]]), 'bytes'],
        [new Map([...good, ['a', { ...a, shape: [-2, 2] }]]), ''],
      ];
      for (const [inputs, said] of wrong) {
        const error: unknown = await model.run(inputs).catch((caught: unknown) => caught);
        expect(error).toMatchObject({ code: 'TENSOR_MISMATCH' });
        expect((error as Error).message).toContain(said);
      }
      expect(floats((await model.run(good)).get('y'))).toEqual([0.5, 1.5, 2.5, 3.5]);
    });

    test('reports a run that the runtime refuses, and goes on', async (_, model) => {
      // Both shapes fit what is declared, but 2 and 3 rows cannot be added.
      const inputs = new Map([...pair(2), ['b:0', pair(3).get('b:0')!]]);
      await expect(model.run(inputs)).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
      expect(floats((await model.run(pair(1))).get('y'))).toEqual([0.5, 1.5]);
    });

    test('refuses what is not a model', async (backend) => {
      const cut = addModel.slice(0, addModel.length - 40);
      for (const bytes of [new Uint8Array(0), Uint8Array.of(1, 2, 3), cut, bytesOf(new Float32Array(100))]) {
        await expect(backend.load({ bytes })).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
      }
    });

    test('refuses a model with an operator that nobody knows', async (backend) => {
      const bytes = buildModel({
        nodes: [{ op: 'NoSuchOperator', inputs: ['x'], outputs: ['y'] }],
        inputs: [{ name: 'x', dtype: 'float32', shape: [1] }],
        outputs: [{ name: 'y', dtype: 'float32', shape: [1] }],
      });
      await expect(backend.load({ bytes })).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
    });

    test('names an output that is no tensor, and cannot be handed out', async (backend) => {
      const bytes = buildModel({
        nodes: [{ op: 'SplitToSequence', inputs: ['x'], outputs: ['parts'] }],
        inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
        outputs: [{ name: 'parts' }],
      });
      const model = await backend.load({ bytes });
      await expect(model.run(new Map([['x', float32Tensor([2], new Float32Array(2))]]))).rejects.toMatchObject({
        code: 'BACKEND_FAILED',
        message: expect.stringContaining("'parts' is not a tensor"),
      });
      await model.dispose();
    });

    test('keeps the bytes of a model that it loads', async (backend) => {
      const bytes = identity('float32');
      const before = bytes.slice();
      await (await backend.load({ bytes })).dispose();
      expect(bytes).toEqual(before);
    });

    test('loads at every optimisation level', async (backend) => {
      for (const optimizationLevel of ['disabled', 'basic', 'extended', 'all'] as const) {
        const model = await backend.load({ bytes: addModel }, { optimizationLevel, threads: 1 });
        expect(floats((await model.run(pair(1))).get('y'))).toEqual([0.5, 1.5]);
        await model.dispose();
      }
    });

    test('closes a model once and for all', async (backend) => {
      const model = await backend.load({ bytes: identity('float32') });
      const x = sample('float32', 2);
      const last = model.run(new Map([['x', x]]));
      await Promise.all([model.dispose(), model.dispose()]);
      expect((await last).get('y')?.shape).toEqual([2]);
      await expect(model.run(new Map([['x', x]]))).rejects.toMatchObject({ code: 'CLOSED' });
      await model.dispose();
    });

    it('closes its models with it', async (context) => {
      const backend = await open();
      if (typeof backend === 'string') return context.skip(backend);
      const model = await backend.load({ bytes: identity('float32') });
      await backend.dispose();
      await expect(model.run(new Map([['x', sample('float32', 1)]]))).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(backend.load({ bytes: identity('float32') })).rejects.toMatchObject({ code: 'CLOSED' });
      await backend.dispose();
    });
  });
}
