// Forms of models with bodies, shared weights, constants in nodes and typed fields, old files and nothing to do.
import { type BuildModel, type BuildNode, buildModel, type ModelEdit, type ModelGraph, openModel } from '@kerf/onnx';
import { float32Tensor, makeTensor, type Tensor, type TensorMap } from '@kerf/protocol';
import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { dynamicForm, float16Form, planInt8, tensorsInBytes, weightsForm } from '../../src/index.ts';
import { convNet, distance, dtypesOf, editedBytes, numbersOf, randomTensor, runBytes } from './models.ts';

const weight = (name: string, shape: readonly number[], seed: number) => ({ name, tensor: randomTensor(shape, seed) });
const matmul = (data: string, weights: string, to: string): BuildNode => ({
  op: 'MatMul',
  inputs: [data, weights],
  outputs: [to],
});
const INPUT = new Map([['x', randomTensor([4, 32], 21)]]);

function graphOf(nodes: readonly BuildNode[], more: Partial<BuildModel> = {}): ModelGraph {
  return openModel(
    buildModel({
      nodes,
      inputs: [{ name: 'x', dtype: 'float32', shape: [4, 32] }],
      outputs: [{ name: 'y', dtype: 'float32' }],
      initializers: [weight('w', [32, 32], 22)],
      ...more,
    }),
  );
}

type Form = (graph: ModelGraph) => Promise<ModelEdit>;
const FORMS: Readonly<Record<string, Form>> = {
  fp16: async (graph) =>
    (await float16Form(graph, { read: tensorsInBytes(graph), dtypes: await dtypesOf(ort, graph) })).edit,
  weights: async (graph) => (await weightsForm(graph, tensorsInBytes(graph))).edit,
  dynamic: async (graph) => (await dynamicForm(graph, { read: tensorsInBytes(graph), isPairSafe: true })).edit,
};

async function expectClose(graph: ModelGraph, inputs: TensorMap = INPUT, limit = 0.02): Promise<void> {
  for (const [name, form] of Object.entries(FORMS)) {
    expect(await distance(ort, graph, await form(graph), inputs), name).toBeLessThan(limit);
  }
}

describe('bodies of control flow', () => {
  /** Two branches that use the same inner name for different things, weights inside and outside. */
  const branch = (seed: number, captured: string) => ({
    nodes: [
      matmul(captured, 'inner', 'm'),
      matmul('m', 'w', 'n'),
      { op: 'Relu', inputs: ['n'], outputs: [`out${seed}`] },
    ] as BuildNode[],
    outputs: [{ name: `out${seed}`, dtype: 'float32' as const }],
    initializers: [weight('inner', [32, 32], seed)],
  });
  const graph = graphOf(
    [
      { op: 'Tanh', inputs: ['x'], outputs: ['t'] },
      {
        op: 'If',
        inputs: ['c'],
        outputs: ['i'],
        attributes: { then_branch: { graph: branch(31, 't') }, else_branch: { graph: branch(32, 'x') } },
      },
      matmul('i', 'w', 'y'),
    ],
    {
      inputs: [
        { name: 'x', dtype: 'float32', shape: [4, 32] },
        { name: 'c', dtype: 'bool', shape: [] },
      ],
    },
  );

  for (const taken of [0, 1]) {
    it(`are converted too, and give the same as before (${taken === 1 ? 'then' : 'else'})`, async () => {
      const inputs = new Map([...INPUT, ['c', makeTensor('bool', [], Uint8Array.of(taken))] as const]);
      await expectClose(graph, inputs);
    });
  }

  it('have their weights made small as well', async () => {
    for (const form of ['fp16', 'weights']) {
      const edit = await (FORMS[form] as Form)(graph);
      expect(editedBytes(graph, edit).byteLength).toBeLessThan(graph.model.bytes.byteLength * 0.6);
    }
  });

  it('of loops carry float32 from step to step', async () => {
    const loop = graphOf(
      [
        {
          op: 'Loop',
          inputs: ['n', '', 'x'],
          outputs: ['y'],
          attributes: {
            body: {
              graph: {
                nodes: [
                  { op: 'Identity', inputs: ['go'], outputs: ['on'] },
                  matmul('state', 'w', 'next'),
                  { op: 'Tanh', inputs: ['next'], outputs: ['done'] },
                ],
                inputs: [
                  { name: 'step', dtype: 'int64', shape: [] },
                  { name: 'go', dtype: 'bool', shape: [] },
                  { name: 'state', dtype: 'float32', shape: [4, 32] },
                ],
                outputs: [
                  { name: 'on', dtype: 'bool', shape: [] },
                  { name: 'done', dtype: 'float32', shape: [4, 32] },
                ],
              },
            },
          },
        },
      ],
      {
        initializers: [
          weight('w', [32, 32], 23),
          { name: 'n', tensor: makeTensor('int64', [], new Uint8Array(new BigInt64Array([3n]).buffer)) },
        ],
      },
    );
    await expectClose(loop, INPUT, 0.05);
  });
});

describe('weights', () => {
  it('in Constant nodes are replaced there', async () => {
    const tensor = randomTensor([32, 32], 24);
    const graph = graphOf(
      [
        { op: 'Constant', outputs: ['k'], attributes: { value: { tensor } } },
        matmul('x', 'k', 'a'),
        matmul('a', 'k', 'y'),
      ],
      { initializers: [] },
    );
    await expectClose(graph);
    const edit = await (FORMS['weights'] as Form)(graph);
    expect(editedBytes(graph, edit).byteLength).toBeLessThan(graph.model.bytes.byteLength / 2);
  });

  it('that two nodes use along different axes get one scale', async () => {
    await expectClose(
      graphOf([matmul('x', 'w', 'a'), { op: 'Gemm', inputs: ['a', 'w'], outputs: ['y'], attributes: { transB: 1 } }]),
    );
  });

  it('that are an output as well, or an operand, stay', async () => {
    const graph = graphOf([matmul('x', 'w', 'y')], {
      outputs: [
        { name: 'y', dtype: 'float32' },
        { name: 'w', dtype: 'float32' },
      ],
    });
    const { weights } = await weightsForm(graph, tensorsInBytes(graph));
    expect(weights).toBe(0);
    await expectClose(graph);
  });

  it('of files before IR 4, which list them as inputs, are constants afterwards', async () => {
    const graph = graphOf([matmul('x', 'w', 'y')], {
      irVersion: 3,
      opsets: { '': 13 },
      inputs: [
        { name: 'x', dtype: 'float32', shape: [4, 32] },
        { name: 'w', dtype: 'float32', shape: [32, 32] },
      ],
    });
    await expectClose(graph);
    const edited = openModel(editedBytes(graph, await (FORMS['weights'] as Form)(graph)));
    expect(edited.record.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('with a name that the model uses already get another one', async () => {
    const graph = graphOf([
      matmul('x', 'w', 'w/int8'),
      { op: 'Relu', inputs: ['w/int8'], outputs: ['w/float16'] },
      matmul('w/float16', 'w', 'y'),
    ]);
    await expectClose(graph);
  });
});

describe('float16', () => {
  const float16 = (graph: ModelGraph) => float16Form(graph, { read: tensorsInBytes(graph) });
  const withConstant = (op: string, values: number[]): ModelGraph =>
    graphOf([matmul('x', 'w', 'a'), { op, inputs: ['a', 'k'], outputs: ['y'] }], {
      initializers: [
        weight('w', [32, 32], 25),
        { name: 'k', tensor: float32Tensor([values.length], Float32Array.from(values)) },
      ],
    });

  for (const [what, op, value] of [
    ['beyond 65504', 'Add', 1e6],
    ['too small for it', 'Div', 1e-6],
  ] as const) {
    it(`keeps a node in float32 whose constant is ${what}`, async () => {
      const graph = withConstant(op, [value]);
      const { edit, float32, nodes } = await float16(graph);
      expect(nodes).toBe(1);
      expect(float32).toHaveLength(1);
      expect(float32[0]?.reason).toMatch(/constant/);
      expect(await distance(ort, graph, edit, INPUT)).toBeLessThan(2e-3);
    });
  }

  it('keeps infinities, as masks have them', async () => {
    const values = Array.from({ length: 32 }, (_, at) => (at % 2 === 0 ? 0 : Number.NEGATIVE_INFINITY));
    const graph = graphOf(
      [
        { op: 'Add', inputs: ['x', 'k'], outputs: ['a'] },
        { op: 'Softmax', inputs: ['a'], outputs: ['y'] },
      ],
      {
        initializers: [{ name: 'k', tensor: float32Tensor([32], Float32Array.from(values)) }],
      },
    );
    const { edit, nodes } = await float16(graph);
    expect(nodes).toBe(2);
    expect(await distance(ort, graph, edit, INPUT)).toBeLessThan(2e-3);
  });

  it('leaves sums, places and comparisons to float32 and says why', async () => {
    const graph = graphOf([
      { op: 'Exp', inputs: ['x'], outputs: ['e'] },
      { op: 'Relu', inputs: ['e'], outputs: ['r'] },
      { op: 'Greater', inputs: ['r', 'x'], outputs: ['g'] },
      { op: 'Cast', inputs: ['g'], outputs: ['c'], attributes: { to: 1 } },
      { op: 'Mul', inputs: ['c', 'r'], outputs: ['y'] },
    ]);
    const { edit, float32 } = await float16(graph);
    expect(float32.map(({ op }) => op)).toEqual(['Exp', 'Greater']);
    for (const { reason } of float32) expect(reason.length).toBeGreaterThan(20);
    expect(await distance(ort, graph, edit, INPUT)).toBeLessThan(2e-3);
  });

  it('does not touch what is not float32', async () => {
    const ids: Tensor = makeTensor('int64', [2], new Uint8Array(new BigInt64Array([70_000n, -3n]).buffer));
    const graph = openModel(
      buildModel({
        nodes: [
          { op: 'Add', inputs: ['i', 'i'], outputs: ['d'] },
          { op: 'Cast', inputs: ['d'], outputs: ['f'], attributes: { to: 1 } },
          { op: 'Neg', inputs: ['f'], outputs: ['y'] },
        ],
        inputs: [{ name: 'i', dtype: 'int64', shape: [2] }],
        outputs: [
          { name: 'd', dtype: 'int64' },
          { name: 'f', dtype: 'float32' },
        ],
      }),
    );
    const { edit } = await float16(graph);
    const outputs = await runBytes(ort, editedBytes(graph, edit), new Map([['i', ids]]));
    expect(numbersOf(outputs.get('d'))).toEqual([140_000, -6]);
    expect(numbersOf(outputs.get('f'))).toEqual([140_000, -6]);
  });
});

describe('a plan for int8', () => {
  it('leaves alone what is quantised already, has moving weights, or is too small', () => {
    const dtypeOf = (): number => 1;
    const plan = (nodes: readonly BuildNode[], more: Partial<BuildModel> = {}): string[] =>
      planInt8(graphOf(nodes, more), { dtypeOf }).nodes.map(({ node }) => node.record.opType);
    expect(plan([matmul('x', 'x', 'y')])).toEqual([]);
    expect(plan([matmul('x', 'w', 'y')])).toEqual(['MatMul']);
    expect(plan([matmul('x', 'w', 'y')], { initializers: [weight('w', [32, 2], 26)] })).toEqual([]);
    expect(plan([{ op: 'Relu', inputs: ['w'], outputs: ['v'] }, matmul('x', 'v', 'y')])).toEqual([]);
    expect(plan([{ op: 'Gemm', inputs: ['x', 'w'], outputs: ['y'], attributes: { alpha: 0.5 } }])).toEqual([]);
  });

  it('does not fold a ReLU whose input someone else reads', () => {
    const graph = convNet({
      outputs: [
        { name: 'y', dtype: 'float32' },
        { name: 'c0', dtype: 'float32' },
      ],
    });
    const [first] = planInt8(graph, { dtypeOf: () => 1 }).nodes;
    expect(first?.folded).toBeNull();
  });
});
