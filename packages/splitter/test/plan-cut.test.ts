// Any set of names -> a plan or the code that says why not.

import { buildModel, openModel } from '@kerf/onnx';
import { describe, expect, test } from 'vitest';
import { planCut } from '../src/index.ts';
import { add, diamond, expectCode, float, graphOf, relu } from './models.ts';

const outputsOf = (nodes: readonly { outputs: readonly string[] }[]) => nodes.flatMap((node) => node.outputs);

test('head is what the cut depends on, tail is the rest', () => {
  const plan = planCut(graphOf(diamond), ['b']);
  expect(outputsOf(plan.head)).toEqual(['a', 'b']);
  expect(outputsOf(plan.tail)).toEqual(['c', 'd', 'e', 'y']);
  expect(plan).toMatchObject({
    cut: ['b'],
    addedInputs: [],
    headInputs: ['x'],
    headOutputs: ['b'],
    tailInputs: ['b'],
    tailOutputs: ['y'],
  });
});

test('several tensors cut a diamond; duplicates count once', () => {
  expect(planCut(graphOf(diamond), ['c', 'b', 'c']).cut).toEqual(['c', 'b']);
});

test('a model input that the tail needs is added', () => {
  const graph = graphOf([relu('x', 'a'), relu('a', 'b'), add('b', 'x2', 'y')], { inputs: [float('x'), float('x2')] });
  expect(planCut(graph, ['a'])).toMatchObject({ cut: ['a', 'x2'], addedInputs: ['x2'], headInputs: ['x'] });
  expect(planCut(graph, ['x2', 'a']).cut).toEqual(['x2', 'a']);
});

test('outputs that the head makes come from the head, constant ones from the tail', () => {
  const graph = graphOf([relu('x', 'a'), relu('a', 'y'), relu('w', 'k')], {
    outputs: [float('a'), float('y'), float('k'), float('w'), float('x'), float('y')],
  });
  const plan = planCut(graph, ['a']);
  expect(plan.headOutputs).toEqual(['a']);
  expect(plan.tailOutputs).toEqual(['y', 'k', 'w']);
});

test('nodes that no output needs are on neither side', () => {
  const plan = planCut(graphOf([...diamond, relu('b', 'dead')]), ['b']);
  expect(outputsOf([...plan.head, ...plan.tail])).not.toContain('dead');
});

test('a value that only a body uses crosses as well', () => {
  const branch = { graph: { nodes: [relu('a', 't')], outputs: [float('t')] } };
  const graph = graphOf([
    relu('x', 'a'),
    { op: 'Cast', inputs: ['a'], outputs: ['c'], attributes: { to: 9 } },
    { op: 'If', inputs: ['c'], outputs: ['y'], attributes: { then_branch: branch, else_branch: branch } },
  ]);
  expect(expectCode(() => planCut(graph, ['c']), 'CUT_NOT_SEPARATING', /'a' would leak/).details['leaks']).toEqual([
    'a',
  ]);
  expect(planCut(graph, ['c', 'a']).tail).toHaveLength(1);
  expectCode(() => planCut(graph, ['t']), 'CUT_UNKNOWN_TENSOR', /inside a body of If node 2/);
});

test('a random node is never on both sides', () => {
  const graph = graphOf([
    { op: 'RandomNormal', outputs: ['r'], attributes: { shape: [2] } },
    add('x', 'r', 'a'),
    add('a', 'r', 'y'),
  ]);
  expectCode(() => planCut(graph, ['a']), 'CUT_NOT_SEPARATING', /'r'/);
  expect(outputsOf(planCut(graph, ['a', 'r']).head)).toEqual(['r', 'a']);
});

describe('refuses', () => {
  const graph = graphOf(diamond);
  test('a name that is not there, with its likes', () => {
    const named = graphOf([relu('x', 'conv1/out'), relu('conv1/out', 'y')]);
    const error = expectCode(() => planCut(named, ['conv1_out']), 'CUT_UNKNOWN_TENSOR', /did you mean 'conv1\/out'/);
    expect(error.details['near']).toEqual(['conv1/out']);
  });

  test('tensors that do not separate, with what would leak', () => {
    const error = expectCode(() => planCut(graph, ['c']), 'CUT_NOT_SEPARATING', /'b' would leak/);
    expect(error.details['leaks']).toEqual(['b']);
  });

  test('many leaks with the first three', () => {
    const names = Array.from({ length: 6 }, (_, at) => `v${at}`);
    const nodes = [
      ...names.map((name) => relu('x', name)),
      { op: 'Sum', inputs: names, outputs: ['s'] },
      { op: 'Sum', inputs: [...names, 's'], outputs: ['y'] },
    ];
    expectCode(() => planCut(graphOf(nodes), ['s']), 'CUT_NOT_SEPARATING', /'v0', 'v1', 'v2' and 3 more would leak/);
  });

  test('an empty side', () => {
    expectCode(() => planCut(graph, ['x']), 'CUT_EMPTY_SIDE', /head would be empty/);
    expectCode(() => planCut(graph, ['y']), 'CUT_EMPTY_SIDE', /tail would be empty/);
  });

  test('constants and weights', () => {
    expectCode(() => planCut(graph, ['w']), 'CUT_TYPE_UNSUPPORTED', /constant/);
    expectCode(() => planCut(graphOf([relu('w', 'k'), add('x', 'k', 'y')]), ['k']), 'CUT_TYPE_UNSUPPORTED', /constant/);
  });

  test('no tensor, and one that nothing behind the cut uses', () => {
    expectCode(() => planCut(graph, []), 'INVALID_ARGUMENT', /at least one/);
    expectCode(() => planCut(graph, ['a', 'b']), 'INVALID_ARGUMENT', /nothing behind the cut uses 'a'/);
  });
});

test('names may hold commas, JSON and prototype words', () => {
  const nodes = [relu('x', '__proto__'), relu('__proto__', '["a","b"]'), relu('["a","b"]', 'y')];
  const graph = openModel(buildModel({ nodes, inputs: [float('x')], outputs: [float('y')] }));
  expect(planCut(graph, ['__proto__']).head).toHaveLength(1);
  expect(planCut(graph, ['["a","b"]']).head).toHaveLength(2);
});
