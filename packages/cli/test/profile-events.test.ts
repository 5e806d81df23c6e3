// The profiler of the real runtime, on models with all that makes its events hard to place; and the crossing's arithmetic.
import { buildModel, concatChunks, extract, openModel } from '@kerf/onnx';
import { float32Tensor, type TensorMap } from '@kerf/protocol';
import type { NodeCost } from '@kerf/splitter';
import { expect, test } from 'vitest';
import { crossingOf } from '../src/profile/measure-crossing.ts';
import { ortNodeEvents, runsOfTrace } from '../src/profile/node-events.ts';

const SIZE = 256;
const big = (name: string) => ({ name, dtype: 'float32' as const, shape: [SIZE, SIZE] });
const square = (value: number) => float32Tensor([SIZE, SIZE], new Float32Array(SIZE * SIZE).fill(value));
const product = (from: string, to: string) => ({ op: 'MatMul', inputs: [from, 'w'], outputs: [to] });

async function costsOf(bytes: Uint8Array, inputs: TensorMap): Promise<NodeCost[]> {
  const graph = openModel(bytes);
  const { inputs: names, outputs } = graph;
  const whole = concatChunks(extract(graph, { inputs: names, outputs }).chunks);
  return await ortNodeEvents({ graph, provider: 'cpu', threads: 1, budgetMs: 500 })({ bytes: whole }, inputs);
}

/** Products are what takes time here: everything else is a thousandth of one. */
const heavyOf = (costs: readonly NodeCost[]): string[] => {
  const most = Math.max(...costs.map(({ ms }) => ms));
  return costs.filter(({ ms }) => ms > most / 10).map(({ name }) => name);
};

test('the time is found where the work is: unnamed nodes, bodies, constants, dead nodes and functions', async () => {
  const branch = { nodes: [product('b', 'inner'), product('inner', 'inner2')], outputs: [big('inner2')] };
  const bytes = buildModel({
    nodes: [
      { op: 'Constant', outputs: ['k'], attributes: { value: { tensor: square(0.001) } } },
      { op: 'Neg', inputs: ['k'], outputs: ['folded'] },
      product('x', 'dead'),
      { op: 'Relu', inputs: ['x'], outputs: ['a'] },
      product('a', 'b'),
      { op: 'ReduceMax', inputs: ['b'], outputs: ['top'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['top', 'zero'], outputs: ['yes'] },
      {
        op: 'If',
        inputs: ['yes'],
        outputs: ['c'],
        attributes: { then_branch: { graph: branch }, else_branch: { graph: branch } },
      },
      { op: 'Double', domain: 'own', inputs: ['c', 'w'], outputs: ['d'], name: 'first call' },
      { op: 'Add', inputs: ['d', 'folded'], outputs: ['e'] },
      { op: 'Light', domain: 'own', inputs: ['e'], outputs: ['y'] },
    ],
    inputs: [big('x')],
    outputs: [big('y')],
    initializers: [
      { name: 'w', tensor: square(0.01) },
      { name: 'zero', tensor: float32Tensor([], Float32Array.of(0)) },
    ],
    functions: [
      {
        domain: 'own',
        name: 'Double',
        inputs: ['u', 'w'],
        outputs: ['v'],
        nodes: [product('u', 't'), product('t', 'v')],
      },
      {
        domain: 'own',
        name: 'Light',
        inputs: ['u'],
        outputs: ['v'],
        nodes: [{ op: 'Neg', inputs: ['u'], outputs: ['v'] }],
      },
    ],
    opsets: { '': 17, own: 1 },
  });
  const costs = await costsOf(bytes, new Map([['x', square(0.5)]]));
  expect(costs.map(({ opType }) => opType)).toEqual([
    'Relu',
    'MatMul',
    'ReduceMax',
    'Greater',
    'If',
    'Double',
    'Add',
    'Light',
  ]);
  expect(heavyOf(costs)).toEqual(['b', 'c', 'first call']);
});

test('a loop counts once, with all its turns', async () => {
  const bytes = buildModel({
    nodes: [
      product('x', 'one'),
      {
        op: 'Loop',
        inputs: ['turns', '', 'one'],
        outputs: ['y'],
        attributes: {
          body: {
            graph: {
              nodes: [
                { op: 'Identity', inputs: ['go'], outputs: ['go_on'] },
                { op: 'MatMul', inputs: ['state', 'w'], outputs: ['next'] },
              ],
              inputs: [
                { name: 'turn', dtype: 'int64', shape: [] },
                { name: 'go', dtype: 'bool', shape: [] },
                big('state'),
              ],
              outputs: [{ name: 'go_on', dtype: 'bool', shape: [] }, big('next')],
            },
          },
        },
      },
    ],
    inputs: [big('x'), { name: 'turns', dtype: 'int64', shape: [] }],
    outputs: [big('y')],
    initializers: [{ name: 'w', tensor: square(0.01) }],
  });
  const turns = { dtype: 'int64' as const, shape: [], data: new Uint8Array(BigInt64Array.of(8n).buffer) };
  const costs = await costsOf(
    bytes,
    new Map([
      ['x', square(0.5)],
      ['turns', turns],
    ]),
  );
  expect(costs.map(({ name }) => name)).toEqual(['one', 'y']);
  const [one, loop] = costs.map(({ ms }) => ms);
  // Eight turns against one, so that a busy machine does not turn it over.
  expect(loop).toBeGreaterThan(one ?? 0);
});

test('a trace falls into runs, and only kernels count', () => {
  const kernel = (name: string, ts: number) => ({
    cat: 'Node',
    name: `${name}_kernel_time`,
    ts,
    dur: 1500,
    args: { op_name: 'Relu', node_index: '0' },
  });
  const run = (ts: number) => ({ cat: 'Session', name: 'model_run', ts, dur: 9 });
  const fence = { cat: 'Node', name: 'a_fence_before', ts: 0, dur: 5, args: {} };
  const trace = [
    { cat: 'Session', name: 'session_initialization', ts: 0, dur: 1 },
    kernel('a', 1000),
    run(1),
    fence,
    kernel('a', 3000),
    kernel('b', 5000),
    run(2),
    kernel('cut off', 9),
  ];
  const event = (name: string, startMs: number) => ({ name, opType: 'Relu', nodeIndex: 0, startMs, ms: 1.5 });
  expect(runsOfTrace(JSON.stringify(trace))).toEqual([[event('a', 1)], [event('a', 3), event('b', 5)]]);
});

test('the crossing is a line through two frames, and no part of it is below zero', () => {
  const { perFrameMs, perMegabyteMs } = crossingOf(1.002048, 3);
  expect(perMegabyteMs).toBeCloseTo(2, 3);
  expect(perFrameMs).toBeCloseTo(1, 3);
  expect(crossingOf(2, 1)).toEqual({ perFrameMs: 2, perMegabyteMs: 0 });
});
