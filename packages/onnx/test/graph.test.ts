// Producers, consumers, constants and captured values of a graph.
import { expect, test } from 'vitest';
import type { BuildNode } from '../src/index.ts';
import { bodiesOf, capturedNames, isConstantValue, openModel } from '../src/index.ts';
import { floatValue, model, weight } from './models.ts';

const relu = (from: string, to: string): BuildNode => ({ op: 'Relu', inputs: [from], outputs: [to] });
const constantsOf = (nodes: readonly BuildNode[], more = {}) =>
  openModel(model(nodes, more))
    .nodes.filter((node) => node.constant)
    .flatMap((node) => node.outputs);

test('inputs that an initializer fills are not inputs', () => {
  const graph = openModel(
    model([{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }], {
      inputs: [floatValue('x'), floatValue('w')],
      irVersion: 3,
    }),
  );
  expect(graph.inputs).toEqual(['x']);
  expect(isConstantValue(graph, 'w')).toBe(true);
  expect(isConstantValue(graph, 'x')).toBe(false);
});

test('outputs that are listed twice count once', () => {
  const graph = openModel(model([relu('x', 'y')], { outputs: [floatValue('y'), floatValue('y')] }));
  expect(graph.outputs).toEqual(['y']);
});

test('left-out inputs and outputs are nobody', () => {
  const graph = openModel(
    model([
      { op: 'Clip', inputs: ['x', '', 'w'], outputs: ['y', ''] },
      { op: 'LSTM', inputs: ['x', ''], outputs: ['', 'h'] },
    ]),
  );
  expect(graph.nodes[0]?.reads).toEqual(['x', 'w']);
  expect(graph.nodes[1]?.outputs).toEqual(['h']);
  expect(graph.consumers.get('x')).toEqual([0, 1]);
});

test('what depends only on constants is constant, through any number of nodes', () => {
  const constants = constantsOf([
    { op: 'Constant', outputs: ['c'], attributes: { value: { tensor: weight('').tensor } } },
    relu('w', 'r'),
    { op: 'Add', inputs: ['c', 'r'], outputs: ['s'] },
    { op: 'Add', inputs: ['x', 's'], outputs: ['y'] },
  ]);
  expect(constants).toEqual(['c', 'r', 's']);
});

test('random numbers are never constant, wherever they hide', () => {
  const random = { op: 'RandomNormal', outputs: ['r'], attributes: { shape: [2] } };
  expect(constantsOf([random, { op: 'Add', inputs: ['x', 'r'], outputs: ['y'] }])).toEqual([]);
  const branch = (op: string) => ({
    graph: { nodes: [{ op, inputs: ['w'], outputs: ['b'] }], outputs: [floatValue('b')] },
  });
  const nodes = (op: string): BuildNode[] => [
    { op: 'Cast', inputs: ['w'], outputs: ['c'] },
    { op: 'If', inputs: ['c'], outputs: ['i'], attributes: { then_branch: branch(op), else_branch: branch('Relu') } },
    { op: 'Add', inputs: ['x', 'i'], outputs: ['y'] },
  ];
  expect(constantsOf(nodes('RandomUniformLike'))).toEqual(['c']);
  expect(constantsOf(nodes('Relu'))).toEqual(['c', 'i']);
  const inner = {
    domain: 'f',
    name: 'G',
    inputs: ['a'],
    outputs: ['z'],
    nodes: [{ op: 'Bernoulli', inputs: ['a'], outputs: ['z'] }],
  };
  const outer = { ...inner, name: 'F', nodes: [{ op: 'G', domain: 'f', inputs: ['a'], outputs: ['z'] }] };
  const call = { op: 'F', domain: 'f', inputs: ['w'], outputs: ['k'] };
  expect(constantsOf([call, { op: 'Add', inputs: ['x', 'k'], outputs: ['y'] }], { functions: [outer, inner] })).toEqual(
    [],
  );
});

test('Dropout is random only with a training mode', () => {
  const nodes = (inputs: string[]): BuildNode[] => [
    { op: 'Dropout', inputs, outputs: ['d'] },
    { op: 'Add', inputs: ['x', 'd'], outputs: ['y'] },
  ];
  expect(constantsOf(nodes(['w', 'w']))).toEqual(['d']);
  expect(constantsOf(nodes(['w', '', 'w']))).toEqual([]);
});

test('bodies capture through any depth, and names they bind themselves shadow outer ones', () => {
  const deepest = {
    graph: { nodes: [{ op: 'Sum', inputs: ['x', 'w', 'own', 'local'], outputs: ['q'] }], outputs: [floatValue('q')] },
  };
  const middle = {
    graph: {
      inputs: [floatValue('own')],
      initializers: [weight('local')],
      nodes: [
        { op: 'If', inputs: ['cond'], outputs: ['m'], attributes: { then_branch: deepest, else_branch: deepest } },
      ],
      outputs: [floatValue('m')],
    },
  };
  const graph = openModel(
    model([
      relu('x', 'own'),
      { op: 'Cast', inputs: ['x'], outputs: ['cond'] },
      { op: 'Scan', inputs: ['x'], outputs: ['y'], attributes: { body: middle } },
    ]),
  );
  expect(graph.nodes[2]?.reads).toEqual(['x', 'cond', 'w']);
  const scan = graph.nodes[2]?.record;
  expect(scan && bodiesOf(scan).map(capturedNames)).toEqual([['cond', 'x', 'w']]);
  expect(graph.consumers.get('own')).toBeUndefined();
});

test('names may be anything', () => {
  const names = ['__proto__', 'a,b', '["j"]', '../../tmp/evil', '7', 'ü/漢:0', 'constructor'];
  const nodes = names.map((name, at) => relu(at === 0 ? 'x' : (names[at - 1] ?? ''), name));
  const graph = openModel(model([...nodes, relu('constructor', 'y')]));
  expect(graph.nodes.map((node) => node.outputs[0])).toEqual([...names, 'y']);
  expect(graph.producer.get('__proto__')).toBe(0);
});
