// Weights in every form that ONNX has (Constant nodes, initializers, sparse, quantised): every listed cut on the real runtime.
import { type BuildAttribute, type BuildModel, type BuildNode, concatChunks, type ModelGraph } from '@kerf/onnx';
import { type DType, float32Tensor, makeTensor, bytesOf as viewBytes } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type CheckedModel, checkEveryCut, type MadeCut } from './every-cut.ts';
import { add, bytesOf, cpu, float, relu, weight } from './models.ts';
import { messageBytes, numberBytes, textBytes } from './wire.ts';

const backend = cpu(ort);
const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, BuildAttribute> = {},
): BuildNode => ({ op, inputs, outputs, attributes });
const check = (nodes: readonly BuildNode[], more: Partial<BuildModel> = {}) =>
  checkEveryCut(backend, bytesOf(nodes, more));

function cutAt({ cuts }: CheckedModel, ...tensors: string[]): MadeCut {
  const found = cuts.find((cut) => cut.tensors.toSorted().join() === tensors.toSorted().join());
  if (found === undefined)
    throw new Error(`no cut at ${tensors.join()}: ${cuts.map((cut) => cut.tensors.join()).join(' | ')}`);
  return found;
}

const held = ({ initializers }: ModelGraph): string[] => [...initializers].toSorted();
const made = ({ nodes }: ModelGraph): string[] =>
  nodes.filter(({ constant }) => constant).flatMap(({ outputs }) => outputs);

describe('Constant nodes', () => {
  test('of every kind, and what is computed of them, go to each side that needs them', async () => {
    const checked = await check([
      node('Constant', [], ['tensor'], { value: { tensor: float32Tensor([2], Float32Array.of(2, -1)) } }),
      node('Constant', [], ['one float'], { value_float: { float: 0.75 } }),
      node('Constant', [], ['floats'], { value_floats: { floats: [0.5, 3] } }),
      node('Constant', [], ['axes'], { value_ints: [0] }),
      node('Constant', [], ['integer'], { value_int: 2 }),
      node('ConstantOfShape', ['axes'], ['nothing']),
      node('Mul', ['tensor', 'one float'], ['both']),
      node('Cast', ['integer'], ['two'], { to: 1 }),
      add('x', 'both', 'a'),
      node('Mul', ['a', 'two'], ['b']),
      node('ReduceSum', ['b', 'axes'], ['s'], { keepdims: 1 }),
      node('Sum', ['b', 's', 'both', 'floats'], ['y']),
    ]);
    const { head, tail } = cutAt(checked, 'a');
    expect(made(head)).toEqual(['tensor', 'one float', 'both']);
    expect(made(tail)).toEqual(['tensor', 'one float', 'floats', 'axes', 'integer', 'both', 'two']);
    expect(checked.cuts.flatMap(({ tensors }) => tensors)).not.toContain('both');
  });

  test('that are sparse', async () => {
    const sparse = sparseTensor('', [3], [1], 4);
    const constant = concatChunks([
      textBytes(2, 'k'),
      textBytes(4, 'Constant'),
      messageBytes(5, concatChunks([textBytes(1, 'sparse_value'), messageBytes(22, sparse), numberBytes(20, 11)])),
    ]);
    const four = { inputs: [float('x', [4])], outputs: [float('y', [4])] };
    const checked = await check([add('x', 'k', 'a'), relu('a', 'b'), node('Mul', ['b', 'k'], ['y'])], {
      ...four,
      extraFields: [messageBytes(7, messageBytes(1, constant))],
    });
    const { head, tail } = cutAt(checked, 'b');
    expect([made(head), made(tail)]).toEqual([['k'], ['k']]);
  });
});

/** SparseTensorProto of one row: `values` at `indices` of `size` elements. */
function sparseTensor(name: string, values: readonly number[], indices: readonly number[], size: number): Uint8Array {
  const tensor = (dataType: number, data: Uint8Array, own: string): Uint8Array =>
    concatChunks([numberBytes(1, values.length), numberBytes(2, dataType), textBytes(8, own), messageBytes(9, data)]);
  return concatChunks([
    messageBytes(1, tensor(1, viewBytes(Float32Array.from(values)), name)),
    messageBytes(2, tensor(7, viewBytes(BigInt64Array.from(indices.map(BigInt))), '')),
    numberBytes(3, size),
  ]);
}

describe('sparse initializers', () => {
  const sparse = messageBytes(7, messageBytes(15, sparseTensor('s', [5, -2], [0, 3], 4)));
  const four = { inputs: [float('x', [4])], outputs: [float('y', [4])], extraFields: [sparse] };

  test('on one side and on both', async () => {
    const checked = await check(
      [add('x', 's', 'a'), relu('a', 'b'), node('Mul', ['b', 's'], ['c']), relu('c', 'y')],
      four,
    );
    const middle = cutAt(checked, 'b');
    expect([held(middle.head), held(middle.tail)]).toEqual([['s'], ['s']]);
    expect(held(cutAt(checked, 'c').tail)).toEqual([]);
  });

  test('captured by a body', async () => {
    const branch = (op: string): BuildAttribute => ({
      graph: { nodes: [node(op, ['a', 's'], ['t'])], outputs: [float('t', [4])] },
    });
    const checked = await check(
      [
        relu('x', 'a'),
        node('ReduceSum', ['x'], ['total'], { keepdims: 0 }),
        node('Cast', ['total'], ['c'], { to: 9 }),
        node('If', ['c'], ['p'], { then_branch: branch('Add'), else_branch: branch('Mul') }),
        node('Sub', ['p', 'a'], ['y']),
      ],
      four,
    );
    expect(held(cutAt(checked, 'a', 'c').tail)).toEqual(['s']);
  });
});

describe('initializers', () => {
  test('that are inputs too keep being both, on each side that needs them', async () => {
    for (const irVersion of [3, 4, 8]) {
      const checked = await check(
        [add('x', 'v', 'a'), relu('a', 'b'), node('Mul', ['b', 'w'], ['c']), add('c', 'v', 'y')],
        {
          irVersion,
          opsets: { '': 13 },
          inputs: [float('v'), float('x'), float('w')],
          initializers: [weight('w'), weight('v')],
        },
      );
      expect(checked.cuts.map(({ tensors }) => tensors)).toEqual([['a'], ['b'], ['c']]);
      const { head, tail, plan } = cutAt(checked, 'b');
      expect([head.inputs, tail.inputs, plan.headInputs]).toEqual([['x'], ['b'], ['x']]);
      const listed = (graph: ModelGraph) => graph.record.inputs.map(({ name }) => name);
      expect([listed(head), listed(tail)]).toEqual([
        ['x', 'v'],
        ['b', 'v', 'w'],
      ]);
    }
  });

  test('that both sides use are on both, the same bytes', async () => {
    const checked = await check([add('x', 'w', 'a'), relu('a', 'b'), add('b', 'w', 'y')]);
    const { head, tail } = cutAt(checked, 'b');
    const bytes = ({ model, record }: ModelGraph) =>
      record.initializers.map(({ span }) => [...model.bytes.subarray(span.start, span.end)]);
    expect(bytes(head)).toEqual(bytes(tail));
    expect(bytes(head)).toHaveLength(1);
  });
});

describe('quantised models', () => {
  const bytes = (dtype: DType, data: Int8Array | Uint8Array | Uint16Array | Int16Array, shape: number[]) =>
    makeTensor(dtype, shape, viewBytes(data));
  const annotation = (tensor: string, scale: string, zero: string): Uint8Array => {
    const entry = (key: string, name: string) => messageBytes(2, concatChunks([textBytes(1, key), textBytes(2, name)]));
    return messageBytes(
      14,
      concatChunks([textBytes(1, tensor), entry('SCALE_TENSOR', scale), entry('ZERO_POINT_TENSOR', zero)]),
    );
  };
  const q = (from: string, to: string, grid: string, axis?: number) =>
    node('QuantizeLinear', [from, `${grid}s`, `${grid}z`], [to], axis === undefined ? {} : { axis });
  const dq = (from: string, to: string, grid: string, axis?: number) =>
    node('DequantizeLinear', [from, `${grid}s`, `${grid}z`], [to], axis === undefined ? {} : { axis });
  const grid = (name: string, scale: readonly number[], zero: ReturnType<typeof makeTensor>) => [
    { name: `${name}s`, tensor: float32Tensor(zero.shape, Float32Array.from(scale)) },
    { name: `${name}z`, tensor: zero },
  ];
  const image = (name: string) => float(name, [1, 2, 3, 3]);

  test.each([
    ['uint8', bytes('uint8', Uint8Array.of(113), [])],
    ['int8', bytes('int8', Int8Array.of(-7), [])],
    ['uint16', bytes('uint16', Uint16Array.of(40_000), [])],
    ['int16', bytes('int16', Int16Array.of(-300), [])],
  ] as const)('per tensor in %s: the integers cross, scale and zero point are on both sides', async (dtype, zero) => {
    const checked = await check(
      [q('x', 'xq', 'a'), dq('xq', 'd', 'a'), node('Sigmoid', ['d'], ['g']), q('g', 'gq', 'a'), dq('gq', 'y', 'a')],
      {
        irVersion: 10,
        opsets: { '': 21 },
        initializers: grid('a', [0.02], zero),
        extraFields: [messageBytes(7, annotation('xq', 'as', 'az'))],
      },
    );
    const { head, tail, plan } = cutAt(checked, 'xq');
    expect([held(head), held(tail)]).toEqual([
      ['as', 'az'],
      ['as', 'az'],
    ]);
    expect(head.record.annotations.map(({ tensor }) => tensor)).toEqual(['xq']);
    expect(tail.record.annotations.map(({ tensor }) => tensor)).toEqual(['xq']);
    const type = head.types.get('xq');
    expect(plan.cut).toEqual(['xq']);
    expect(type).toEqual({ kind: 'tensor', dataType: { uint8: 2, int8: 3, uint16: 4, int16: 5 }[dtype], shape: [2] });
    expect(checked.cuts.map(({ tensors }) => tensors.join())).toEqual(['xq', 'd', 'g', 'gq']);
  });

  test('per channel, of weights and of values', async () => {
    const kernel = Int8Array.from({ length: 36 }, (_, at) => ((at * 37) % 251) - 125);
    const checked = await check(
      [
        q('x', 'xq', 'c', 1),
        dq('xq', 'd', 'c', 1),
        dq('kq', 'k', 'k', 0),
        node('Conv', ['d', 'k'], ['v'], { pads: [1, 1, 1, 1] }),
        relu('v', 'r'),
        q('r', 'rq', 'c', 1),
        dq('rq', 'y', 'c', 1),
      ],
      {
        inputs: [image('x')],
        outputs: [image('y')],
        initializers: [
          ...grid('c', [0.02, 0.5], bytes('uint8', Uint8Array.of(3, 200), [2])),
          ...grid('k', [0.01, 0.03], bytes('int8', Int8Array.of(0, 0), [2])),
          { name: 'kq', tensor: bytes('int8', kernel, [2, 2, 3, 3]) },
        ],
      },
    );
    const first = cutAt(checked, 'xq');
    expect([held(first.head), held(first.tail)]).toEqual([
      ['cs', 'cz'],
      ['cs', 'cz', 'kq', 'ks', 'kz'],
    ]);
    const last = cutAt(checked, 'rq');
    expect([held(last.head), held(last.tail)]).toEqual([
      ['cs', 'cz', 'kq', 'ks', 'kz'],
      ['cs', 'cz'],
    ]);
    // The restored kernel is a constant: it may be on both sides and never crosses.
    expect(checked.cuts.flatMap(({ tensors }) => tensors)).not.toContain('k');
  });

  test('with integer operators, scales as Constant nodes, and scales that the model computes', async () => {
    const scalar = (tensor: ReturnType<typeof makeTensor>): Record<string, BuildAttribute> => ({ value: { tensor } });
    const checked = await check(
      [
        node('Constant', [], ['s'], scalar(float32Tensor([], Float32Array.of(0.05)))),
        node('Constant', [], ['z'], scalar(bytes('uint8', Uint8Array.of(128), []))),
        node('QuantizeLinear', ['x', 's', 'z'], ['a']),
        node('QLinearMatMul', ['a', 's', 'z', 'mq', 's', 'z', 's', 'z'], ['m']),
        node('DequantizeLinear', ['m', 's', 'z'], ['d']),
        node('DynamicQuantizeLinear', ['d'], ['dq', 'ds', 'dz']),
        node('DequantizeLinear', ['dq', 'ds', 'dz'], ['y']),
      ],
      {
        inputs: [float('x', [2, 2])],
        outputs: [float('y', [2, 2])],
        initializers: [{ name: 'mq', tensor: bytes('uint8', Uint8Array.of(1, 99, 180, 255), [2, 2]) }],
      },
    );
    const { head, tail } = cutAt(checked, 'm');
    expect([made(head), made(tail)]).toEqual([
      ['s', 'z'],
      ['s', 'z'],
    ]);
    expect(cutAt(checked, 'dq', 'ds', 'dz').tail.nodes).toHaveLength(1);
  });
});
