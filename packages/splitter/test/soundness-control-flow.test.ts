// Loop, Scan and If with captured values and weights, shadowed names, local functions and random nodes: every listed cut on the real runtime.
import {
  type BuildAttribute,
  type BuildGraph,
  type BuildModel,
  type BuildNode,
  bodiesOf,
  type GraphNode,
} from '@kerf/onnx';
import { float32Tensor, makeTensor, type Tensor, type TensorMap, bytesOf as viewBytes } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { crossableCuts, listCuts, planCut } from '../src/index.ts';
import { type CheckedModel, checkEveryCut } from './every-cut.ts';
import { add, bytesOf, cpu, float, graphOf, relu, weight } from './models.ts';

const backend = cpu(ort);
const pair = (a: number, b: number): Tensor => float32Tensor([2], Float32Array.of(a, b));
const whole = (value: bigint): Tensor => makeTensor('int64', [], viewBytes(BigInt64Array.of(value)));
const flag = (name: string) => ({ name, dtype: 'bool' as const, shape: [] });
const count = (name: string) => ({ name, dtype: 'int64' as const, shape: [] });
const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, BuildAttribute> = {},
): BuildNode => ({ op, inputs, outputs, attributes });
const body = (nodes: BuildNode[], outputs: BuildGraph['outputs'], more: Partial<BuildGraph> = {}): BuildAttribute => ({
  graph: { nodes, outputs, ...more },
});
/** c is whether the sum of x is above 0, so that FRAMES take both branches. */
const condition: BuildNode[] = [
  node('ReduceSum', ['x'], ['total'], { keepdims: 0 }),
  node('Greater', ['total', 'zero'], ['c']),
];
const zero = { name: 'zero', tensor: float32Tensor([], Float32Array.of(0)) };
const rounds = { name: 'rounds', tensor: whole(3n) };
const truth = { name: 'truth', tensor: makeTensor('bool', [], Uint8Array.of(1)) };
const initializers = [weight('w'), { name: 'v', tensor: pair(1.5, -0.5) }, zero, rounds, truth];
const FRAMES: readonly TensorMap[] = [
  [0.3, 0.7],
  [-2, 0.25],
  [0.1, -0.9],
  [4, -1],
].map(([a = 0, b = 0]) => new Map([['x', pair(a, b)]]));

async function check(nodes: readonly BuildNode[], more: Partial<BuildModel> = {}): Promise<CheckedModel> {
  const checked = await checkEveryCut(backend, bytesOf(nodes, { initializers, ...more }), FRAMES);
  const seen = new Set(checked.outputs.map((made) => String(made.get('y')?.data)));
  expect(seen.size, 'the answer depends on the frame').toBe(FRAMES.length);
  return checked;
}

const tensorsOf = ({ cuts }: CheckedModel): string[] => cuts.map(({ tensors }) => tensors.join());

/** A Loop of `rounds` rounds whose state is added to what it captures. */
const loop = (captured: string[], from: string, to: string, inner: BuildNode[] = []): BuildNode =>
  node('Loop', ['rounds', 'truth', from], [to, `${to} all`], {
    body: body(
      [
        node('Identity', ['go'], ['on']),
        node('Sum', ['state', ...captured], ['next']),
        ...inner,
        node('Identity', [inner.at(-1)?.outputs[0] ?? 'next'], ['each']),
      ],
      [flag('on'), float('next'), float('each')],
      { inputs: [count('i'), flag('go'), float('state')] },
    ),
  });

describe('captured values and weights', () => {
  test('of a Loop, with a scan output', async () => {
    const checked = await check([
      relu('x', 'a'),
      add('x', 'w', 'b'),
      loop(['a', 'v'], 'b', 'l'),
      node('ReduceMean', ['l all'], ['m'], { axes: [0], keepdims: 0 }),
      node('Sum', ['l', 'm', 'w'], ['y']),
    ]);
    expect(tensorsOf(checked)).toEqual(expect.arrayContaining(['a,b', 'l,l all', 'l,m']));
    const early = checked.cuts.find(({ tensors }) => tensors.join() === 'a,b');
    expect([...(early?.head.initializers ?? [])]).toEqual(['w']);
    expect([...(early?.tail.initializers ?? [])].toSorted()).toEqual(['rounds', 'truth', 'v', 'w']);
  });

  test('of a Scan over the elements of a value', async () => {
    const scalar = (name: string) => ({ name, dtype: 'float32' as const, shape: [] });
    const scan = node('Scan', ['start', 'b'], ['sum', 'each'], {
      num_scan_inputs: 1,
      body: body(
        [
          node('Add', ['state', 'element'], ['next']),
          node('Mul', ['a', 'v'], ['scaled']),
          node('ReduceSum', ['scaled'], ['bias'], { keepdims: 0 }),
          node('Mul', ['next', 'bias'], ['out']),
        ],
        [scalar('next'), scalar('out')],
        { inputs: [scalar('state'), scalar('element')] },
      ),
    });
    const checked = await check([
      node('Sigmoid', ['x'], ['a']),
      node('Mul', ['a', 'w'], ['b']),
      node('ReduceMax', ['a'], ['start'], { keepdims: 0 }),
      scan,
      node('Add', ['each', 'sum'], ['s']),
      add('s', 'w', 'y'),
    ]);
    expect(tensorsOf(checked)).toEqual(expect.arrayContaining(['a', 'sum,each', 's']));
  });

  test('four deep: If, Loop, If, Scan, each capturing from every level above', async () => {
    const scan = node('Scan', ['next', 'deep'], ['last', 'each of four'], {
      num_scan_inputs: 1,
      body: body(
        [node('Sum', ['s4', 'a', 'w', 'next', 'in three'], ['n4']), node('Mul', ['e4', 'zero'], ['o4'])],
        [float('n4'), { name: 'o4', dtype: 'float32', shape: [] }],
        { inputs: [float('s4'), { name: 'e4', dtype: 'float32', shape: [] }] },
      ),
    });
    const three = (op: string): BuildAttribute =>
      body(
        [
          node(op, ['a', 'next'], ['in three']),
          node('Identity', ['next'], ['deep']),
          scan,
          add('last', 'v', `t ${op}`),
        ],
        [float(`t ${op}`)],
      );
    const inner: BuildNode[] = [
      node('Equal', ['i', 'two'], ['is two']),
      node('If', ['is two'], ['picked'], { then_branch: three('Add'), else_branch: three('Mul') }),
    ];
    const branch = (from: string): BuildAttribute =>
      body(
        [add(from, 'w', 'start'), loop(['b'], 'start', `l ${from}`, inner), add(`l ${from}`, 'b', 'q')],
        [float('q')],
      );
    const checked = await check(
      [
        ...condition,
        relu('x', 'a'),
        node('Sigmoid', ['x'], ['b']),
        node('If', ['c'], ['p'], { then_branch: branch('a'), else_branch: branch('b') }),
        node('Sum', ['p', 'a', 'w'], ['y']),
      ],
      { initializers: [...initializers, { name: 'two', tensor: whole(2n) }] },
    );
    expect(tensorsOf(checked)).toEqual(expect.arrayContaining(['c,a,b', 'a,p']));
  });

  test('by a body that gives an outer weight or value as it is', async () => {
    const branch = (from: string): BuildAttribute => body([node('Identity', [from], ['t'])], [float('t')]);
    await check([
      ...condition,
      relu('x', 'a'),
      node('If', ['c'], ['p'], { then_branch: branch('w'), else_branch: branch('a') }),
      node('Sum', ['p', 'x'], ['y']),
    ]);
  });
});

describe('a name of a body that is an outer one as well', () => {
  const choose = (then: BuildAttribute, other: BuildAttribute): BuildNode =>
    node('If', ['c'], ['p'], { then_branch: then, else_branch: other });

  test('a weight of its own: the outer one is still read by the other branch and on both sides', async () => {
    const own = body([add('a', 'w', 't')], [float('t')], {
      initializers: [{ name: 'w', tensor: pair(100, 200) }],
    });
    const outer = body([add('a', 'w', 'u')], [float('u')]);
    const checked = await check([...condition, add('x', 'w', 'a'), choose(own, outer), add('p', 'w', 'y')]);
    expect(tensorsOf(checked)).toContain('p');
  });

  test('a weight of its own, where nothing else behind the cut reads the outer one', async () => {
    const own = body([add('a', 'w', 't')], [float('t')], { initializers: [{ name: 'w', tensor: pair(100, 200) }] });
    const checked = await check([...condition, add('x', 'w', 'a'), choose(own, own), add('p', 'v', 'y')]);
    const behind = checked.cuts.find(({ tensors }) => tensors.join() === 'c,a');
    expect([...(behind?.tail.initializers ?? [])]).toEqual(['v']);
  });

  test('a weight of a middle body, read two levels further in', async () => {
    const deepest = body([add('w', 'a', 'd')], [float('d')]);
    const middle = body(
      [node('If', ['c'], ['m'], { then_branch: deepest, else_branch: deepest }), add('m', 'v', 't')],
      [float('t')],
      { initializers: [{ name: 'w', tensor: pair(7, 9) }] },
    );
    const plain = body([add('w', 'a', 'u')], [float('u')]);
    await check([...condition, relu('x', 'a'), choose(middle, plain), add('p', 'w', 'y')]);
  });

  test('the inputs of a Loop body', async () => {
    const hiding = node('Loop', ['rounds', 'truth', 'b'], ['l'], {
      body: body([node('Identity', ['c'], ['on']), node('Sum', ['a', 'w'], ['next'])], [flag('on'), float('next')], {
        inputs: [count('i'), flag('c'), float('a')],
      }),
    });
    const checked = await check([
      ...condition,
      relu('x', 'a'),
      add('a', 'w', 'b'),
      hiding,
      choose(body([add('l', 'a', 't')], [float('t')]), body([relu('l', 'u')], [float('u')])),
      add('p', 'a', 'y'),
    ]);
    expect(tensorsOf(checked)).toEqual(expect.arrayContaining(['c,a,b', 'c,a,l']));
  });

  test.each([
    ['a node', 'a'],
    ['a weight', 'v'],
    ['a model input', 'x'],
  ])('the output of a node, where the outer one is %s: the runtime refuses the model', async (_, name) => {
    const own = body([relu('b', name), add(name, 'w', 't')], [float('t')]);
    const outer = body([add(name, 'w', 'u')], [float('u')]);
    const model = bytesOf(
      [...condition, relu('x', 'a'), add('x', 'w', 'b'), choose(own, outer), node('Sum', ['p', 'a', 'v'], ['y'])],
      { initializers },
    );
    await expect(checkEveryCut(backend, model)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining(`'${name}' has been used as output names multiple times`),
    });
  });
});

describe('local functions', () => {
  const call = (op: string, from: string[], to: string): BuildNode => ({
    op,
    domain: 'f',
    inputs: from,
    outputs: [to],
  });
  const define = (name: string, inputs: string[], nodes: BuildNode[], output: string) => ({
    domain: 'f',
    name,
    inputs,
    outputs: [output],
    nodes,
  });
  const constant = (to: string, tensor: Tensor): BuildNode => node('Constant', [], [to], { value: { tensor } });
  const functions = [
    define('Shift', ['p'], [constant('k', pair(0.5, 2)), add('p', 'k', 'q')], 'q'),
    define('Twice', ['p'], [call('Shift', ['p'], 'm'), call('Shift', ['m'], 'q')], 'q'),
    define(
      'Choose',
      ['p', 'on'],
      [
        call('Twice', ['p'], 'far'),
        node('If', ['on'], ['q'], {
          then_branch: body([call('Shift', ['far'], 't')], [{ name: 't' }]),
          else_branch: body([node('Neg', ['far'], ['u'])], [{ name: 'u' }]),
        }),
      ],
      'q',
    ),
  ];
  const opsets = { '': 17, f: 1 };

  test('nested, called on both sides, inside bodies, and with bodies of their own', async () => {
    const checked = await check(
      [
        ...condition,
        call('Twice', ['x'], 'a'),
        node('If', ['c'], ['p'], {
          then_branch: body([call('Choose', ['a', 'c'], 't')], [float('t')]),
          else_branch: body([call('Shift', ['a'], 'u')], [float('u')]),
        }),
        call('Choose', ['p', 'c'], 'd'),
        call('Shift', ['d'], 'e'),
        add('e', 'w', 'y'),
      ],
      { functions, opsets },
    );
    expect(tensorsOf(checked)).toEqual(expect.arrayContaining(['c,a', 'c,p', 'd', 'e']));
    const names = (side: 'head' | 'tail', at: string) =>
      checked.cuts
        .find(({ tensors }) => tensors.join() === at)
        ?.[side].model.functions.map((entry) => entry.name)
        .toSorted();
    expect(names('head', 'c,a')).toEqual(['Shift', 'Twice']);
    expect(names('tail', 'c,a')).toEqual(['Choose', 'Shift', 'Twice']);
    expect(names('tail', 'd')).toEqual(['Shift']);
    expect(names('tail', 'e')).toEqual([]);
  });
});

describe('random nodes', () => {
  const bits = body([node('RandomNormalLike', ['a'], ['t'])], [float('t')]);
  const graph = graphOf(
    [
      ...condition,
      node('RandomNormal', [], ['r'], { shape: [2], seed: { float: 1 } }),
      add('x', 'r', 'a'),
      { op: 'Dropout', inputs: ['a', 'half', 'truth'], outputs: ['d', 'mask'] },
      node('If', ['c'], ['p'], { then_branch: bits, else_branch: bits }),
      { op: 'Noise', domain: 'f', inputs: ['p'], outputs: ['n'] },
      node('Sum', ['n', 'd', 'r', 'w'], ['s']),
      node('Where', ['mask', 's', 'r'], ['y']),
    ],
    {
      initializers: [...initializers, { name: 'half', tensor: float32Tensor([], Float32Array.of(0.5)) }],
      opsets: { '': 17, f: 1 },
      functions: [
        { domain: 'f', name: 'Noise', inputs: ['i'], outputs: ['o'], nodes: [node('RandomUniformLike', ['i'], ['o'])] },
      ],
    },
  );

  test('are on one side of every cut, whatever it is', () => {
    const isRandom = ({ record }: GraphNode): boolean =>
      /Random|Dropout|Noise/.test(record.opType) ||
      bodiesOf(record).some((inner) => inner.nodes.some(({ opType }) => /Random/.test(opType)));
    const random = graph.nodes.filter(isRandom);
    expect(random.map(({ random: known, constant }) => [known, constant])).toEqual(random.map(() => [true, false]));
    expect(random).toHaveLength(4);
    const cuts = listCuts(graph);
    expect(cuts.length).toBeGreaterThan(4);
    for (const { tensors } of cuts) {
      const plan = planCut(graph, tensors);
      const sides = [...plan.head, ...plan.tail].filter(isRandom).map(({ index }) => index);
      expect(sides.toSorted((left, right) => left - right)).toEqual(random.map(({ index }) => index));
    }
    expect(crossableCuts(cuts, new Map()).length).toBe(0);
  });

  test('give the very numbers that crossed to the tail', async () => {
    // y is what is left when r is added and subtracted again: 0, unless the tail drew another r.
    const checked = await checkEveryCut(
      backend,
      bytesOf([
        node('RandomNormalLike', ['x'], ['r']),
        add('x', 'r', 'a'),
        relu('a', 'b'),
        node('Sub', ['a', 'r'], ['back']),
        node('Sub', ['r', 'r'], ['none']),
        node('Mul', ['b', 'none'], ['gone']),
        node('Sub', ['back', 'x'], ['small']),
        node('Round', ['small'], ['z']),
        add('z', 'gone', 'y'),
      ]),
    );
    expect(checked.cuts.length).toBeGreaterThan(3);
  });
});
