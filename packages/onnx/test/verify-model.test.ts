// Every structural fault that verification must find, each in a small model of its own.

import { float32Tensor, makeTensor } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import type { BuildFunction, BuildNode } from '../src/index.ts';
import { buildModel, DEFAULT_MODEL_LIMITS, openModel, readModel, verifyModel } from '../src/index.ts';
import { concatChunks, intField, messageField, stringField } from '../src/wire-writer.ts';
import { expectCode, floatValue, model, weight } from './models.ts';

const add: BuildNode = { op: 'Add', inputs: ['x', 'w'], outputs: ['y'] };
const relu = (from: string, to: string): BuildNode => ({ op: 'Relu', inputs: [from], outputs: [to] });
const body = (nodes: readonly BuildNode[], output: string, more = {}) => ({
  graph: { nodes, outputs: [floatValue(output)], ...more },
});

describe('names and order', () => {
  test.each<[string, readonly BuildNode[], RegExp]>([
    ['a value that nothing makes', [{ op: 'Add', inputs: ['x', 'nowhere'], outputs: ['y'] }], /reads 'nowhere'/],
    ['a node that reads its own output', [{ op: 'Add', inputs: ['x', 'y'], outputs: ['y'] }], /cycle/],
    ['a cycle of two', [relu('b', 'a'), relu('a', 'b'), add], /cycle through node 0 \(Relu\), node 1|node 1.*node 0/],
    ['two nodes that make one value', [add, relu('x', 'y')], /makes 'y', which another node makes too/],
    ['one node that makes a value twice', [{ op: 'Split', inputs: ['x'], outputs: ['y', 'y'] }], /another node/],
    ['a node that writes an input', [relu('w', 'x'), add], /makes 'x', which is an input/],
    ['a node that writes an initializer', [relu('x', 'w'), add], /makes 'w', which is an initializer/],
    ['an output that nothing makes', [relu('x', 'z')], /nothing makes the output 'y'/],
  ])('refuses %s', (_, nodes, message) => expectCode(() => openModel(model(nodes)), 'MODEL_MALFORMED', message));

  test('accepts an unsorted file and sorts it', () => {
    const graph = openModel(model([relu('b', 'y'), relu('a', 'b'), relu('x', 'a')]));
    expect(graph.nodes.map((node) => node.outputs[0])).toEqual(['a', 'b', 'y']);
  });

  test('refuses two inputs of one name', () => {
    const bytes = model([add], { inputs: [floatValue('x'), floatValue('x')] });
    expectCode(() => openModel(bytes), 'MODEL_MALFORMED', /two inputs/);
  });

  test('refuses initializers of one name with other values, accepts the same twice', () => {
    const twice = (second: readonly number[]) => model([add], { initializers: [weight('w'), weight('w', second)] });
    expectCode(() => openModel(twice([3, 4])), 'MODEL_MALFORMED', /two initializers with different values/);
    expect(openModel(twice([1, 2])).nodes).toHaveLength(1);
  });
});

describe('bodies', () => {
  const branch = (then: ReturnType<typeof body>) =>
    model([
      { op: 'Cast', inputs: ['x'], outputs: ['c'] },
      {
        op: 'If',
        inputs: ['c'],
        outputs: ['y'],
        attributes: { then_branch: then, else_branch: body([relu('x', 'e')], 'e') },
      },
    ]);

  test('capture outer values and initializers', () => {
    const graph = openModel(branch(body([{ op: 'Add', inputs: ['x', 'w'], outputs: ['t'] }], 't')));
    expect(graph.nodes[1]?.reads).toEqual(['c', 'x', 'w']);
  });

  test('refuse a name that neither they nor the outside has', () => {
    expectCode(() => openModel(branch(body([relu('nowhere', 't')], 't'))), 'MODEL_MALFORMED', /If.*reads 'nowhere'/);
  });

  test('that capture what their own node makes are a cycle', () => {
    expectCode(() => openModel(branch(body([relu('y', 't')], 't'))), 'MODEL_MALFORMED', /cycle/);
  });

  test('may not use what a sister body makes', () => {
    expectCode(() => openModel(branch(body([relu('e', 't')], 't'))), 'MODEL_MALFORMED', /reads 'e'/);
  });

  test('with a cycle inside are refused', () => {
    expectCode(() => openModel(branch(body([relu('b', 't'), relu('t', 'b')], 't'))), 'MODEL_MALFORMED', /cycle/);
  });

  test('with broken weights inside are refused', () => {
    const broken = concatChunks([intField(1, 5), intField(2, 1), stringField(8, 'v')]);
    const graph = concatChunks([...messageField(5, [broken]), ...messageField(12, [stringField(1, 'v')])]);
    const attribute = concatChunks([stringField(1, 'then_branch'), ...messageField(6, [graph])]);
    const node = concatChunks([
      stringField(1, 'x'),
      stringField(2, 'q'),
      stringField(4, 'If'),
      ...messageField(5, [attribute]),
    ]);
    const bytes = concatChunks([model([add]), ...messageField(7, messageField(1, [node]))]);
    expectCode(() => openModel(bytes), 'MODEL_MALFORMED', /'v': float32\[5\] needs 5 elements, the file holds 0/);
  });
});

describe('model level', () => {
  test('refuses a file without a graph, without opset_import, without outputs', () => {
    expectCode(() => openModel(concatChunks([intField(1, 8)])), 'MODEL_MALFORMED', /no graph/);
    expectCode(() => openModel(model([add], { opsets: {} })), 'MODEL_MALFORMED', /opset_import is empty/);
    expectCode(() => openModel(model([add], { outputs: [] })), 'MODEL_MALFORMED', /no outputs/);
  });

  test('refuses a domain that is not imported, accepts those that the runtime knows', () => {
    const of = (domain: string) => model([{ ...add, domain }]);
    expectCode(() => openModel(of('no.such')), 'MODEL_MALFORMED', /does not import the domain 'no.such'/);
    expect(openModel(of('com.microsoft')).nodes).toHaveLength(1);
  });

  const call = (name: string, from: string, to: string): BuildNode => ({
    op: name,
    domain: 'f',
    inputs: [from],
    outputs: [to],
  });
  const define = (name: string, nodes: readonly BuildNode[]): BuildFunction => ({
    domain: 'f',
    name,
    inputs: ['a'],
    outputs: ['z'],
    nodes,
  });
  const withFunctions = (functions: readonly BuildFunction[]) =>
    model([call('F', 'x', 'y')], { functions, opsets: { '': 17, f: 1 } });

  test('refuses functions that call themselves, each other, or lack a value', () => {
    expectCode(() => openModel(withFunctions([define('F', [call('F', 'a', 'z')])])), 'MODEL_MALFORMED', /calls itself/);
    const mutual = [define('F', [call('G', 'a', 'z')]), define('G', [call('F', 'a', 'z')])];
    expectCode(() => openModel(withFunctions(mutual)), 'MODEL_MALFORMED', /calls itself/);
    expectCode(() => openModel(withFunctions([define('F', [relu('x', 'z')])])), 'MODEL_MALFORMED', /function 'F'.*'x'/);
    expectCode(
      () => openModel(withFunctions([define('F', [relu('a', 'b')])])),
      'MODEL_MALFORMED',
      /makes the output 'z'/,
    );
  });

  test('refuses functions that expand without bound', () => {
    const levels = Array.from({ length: 30 }, (_, level) => {
      const next = level === 29 ? relu : (from: string, to: string) => call(`F${level + 1}`, from, to);
      return define(level === 0 ? 'F' : `F${level}`, [next('a', 'b'), next('b', 'z')]);
    });
    expectCode(() => openModel(withFunctions(levels)), 'MODEL_TOO_LARGE', /expanded/);
  });

  test('does not overflow on a long chain of functions', () => {
    const chain = Array.from({ length: 20_000 }, (_, level) =>
      define(level === 0 ? 'F' : `F${level}`, [level === 19_999 ? relu('a', 'z') : call(`F${level + 1}`, 'a', 'z')]),
    );
    expect(openModel(withFunctions(chain)).nodes[0]?.random).toBe(false);
  });
});

describe('tensors', () => {
  const tensor = (...fields: Uint8Array[]) =>
    concatChunks([
      model([add], { initializers: [] }),
      ...messageField(7, messageField(5, [...fields, stringField(8, 'w')])),
    ]);
  const raw = (bytes: number) => concatChunks(messageField(9, [new Uint8Array(bytes)]));

  test.each<[string, Uint8Array[], RegExp]>([
    ['too few bytes', [intField(1, 4), intField(2, 1), raw(8)], /needs 16 bytes, the file holds 8/],
    ['too many bytes', [intField(1, 1), intField(2, 1), raw(8)], /needs 4 bytes, the file holds 8/],
    ['negative dimensions', [intField(1, -2), intField(1, -1), intField(2, 1), raw(8)], /negative dimension -2/],
    ['2^62 elements', [intField(1, 2 ** 31), intField(1, 2 ** 31), intField(2, 1), raw(16)], /more elements/],
    ['a huge size behind a zero', [intField(1, 0), intField(1, 2n ** 62n), intField(2, 1), raw(0)], /more elements/],
    ['an unknown type', [intField(1, 1), intField(2, 99), raw(4)], /unknown data type 99/],
    ['strings as raw data', [intField(1, 1), intField(2, 8), raw(4)], /string tensor/],
    [
      'typed data of another length',
      [intField(1, 3), intField(2, 7), intField(7, 1)],
      /needs 3 elements, the file holds 1/,
    ],
    ['typed data of another type', [intField(1, 1), intField(2, 1), intField(7, 1)], /holds 0/],
  ])('with %s are refused', (_, fields, message) =>
    expectCode(() => openModel(tensor(...fields)), 'MODEL_MALFORMED', message),
  );

  test('of four bits hold half a byte an element', () => {
    const int4 = { name: 'w', tensor: makeTensor('int4', [3], new Uint8Array(2)) };
    expect(openModel(model([add], { initializers: [int4] })).initializers.has('w')).toBe(true);
  });
});

describe('external data', () => {
  const external = (location: string, offset?: string, length?: string) =>
    buildModel({
      nodes: [add],
      inputs: [floatValue('x')],
      outputs: [floatValue('y')],
      initializers: [
        {
          name: 'w',
          tensor: float32Tensor([2], new Float32Array(2)),
          external: {
            location,
            ...(offset === undefined ? {} : { offset }),
            ...(length === undefined ? {} : { length }),
          },
        },
      ],
    });

  test.each([
    '',
    '.',
    './',
    'folder/',
    '/etc/passwd',
    '\\\\server\\share',
    'C:\\weights',
    'C:weights',
    'c:/weights',
    'file:///etc/passwd',
    '../weights',
    'a/../../weights',
    'a/..',
    'a\\..\\b',
    'w\0.bin',
    'w\n.bin',
    '*/_ORT_MEM_ADDR_/*',
  ])('refuses the location %j', (location) => {
    expectCode(() => openModel(external(location)), 'EXTERNAL_DATA', /external data of tensor 'w'/);
  });

  test.each(['-1', '1e3', '0x10', ' 1', '99999999999999999999', 'NaN', ''])('refuses the offset %j', (offset) => {
    expectCode(() => openModel(external('w.bin', offset)), 'MODEL_MALFORMED', /offset/);
  });

  test('refuses a length that does not fit the dims', () => {
    expectCode(() => openModel(external('w.bin', '0', '4')), 'EXTERNAL_DATA', /says 4 bytes, .* ask for 8/);
  });

  test.each(['w.bin', './w.bin', 'data/w.bin', 'w..bin', 'weights of x.bin'])('accepts the location %j', (location) => {
    expect(openModel(external(location, '16', '8')).initializers.has('w')).toBe(true);
  });
});

test('limits are a parameter of verification too', () => {
  const functions = [{ domain: 'f', name: 'F', inputs: ['a'], outputs: ['z'], nodes: [relu('a', 'z')] }];
  const read = readModel(model([{ op: 'F', domain: 'f', inputs: ['x'], outputs: ['y'] }], { functions }));
  const limits = { ...DEFAULT_MODEL_LIMITS, maxExpandedNodes: 1 };
  expectCode(() => verifyModel(read, limits), 'MODEL_TOO_LARGE');
});
