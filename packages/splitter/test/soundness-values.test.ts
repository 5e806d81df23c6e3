// Values, names and descriptions that trip other tools: each is carried, or refused with a code and never listed.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BuildAttribute, type BuildModel, type BuildNode, concatChunks, openModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { float32Tensor, makeTensor, stringTensor, type TensorMap, bytesOf as viewBytes } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesHost, crossableCuts, listCuts, planCut, splitModel, valueSpecs } from '../src/index.ts';
import { openSplit, verifySplit, writeSplit } from '../src/node.ts';
import { checkCut, checkEveryCut } from './every-cut.ts';
import { add, bytesOf, cpu, expectCode, float, graphOf, relu, weight } from './models.ts';
import { messageBytes, numberBytes, textBytes } from './wire.ts';

const backend = cpu(ort);
const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, BuildAttribute> = {},
): BuildNode => ({ op, inputs, outputs, attributes });
const check = (nodes: readonly BuildNode[], more: Partial<BuildModel> = {}, frames?: readonly TensorMap[]) =>
  checkEveryCut(backend, bytesOf(nodes, more), frames);
const tensorsOf = ({ cuts }: Awaited<ReturnType<typeof check>>) => cuts.map(({ tensors }) => tensors.join());

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-sound-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Writes model and split, opens the split and runs both against each other. */
async function throughFiles(bytes: Uint8Array, cut: readonly string[], options = {}) {
  const file = path.join(root, 'model.onnx');
  const folder = path.join(root, 'split');
  await writeFile(file, bytes);
  await writeSplit({ model: await openModelFile(file), cut, folder, backend });
  const split = await openSplit(folder);
  const report = await verifySplit({ model: file, folder, backend, ...options });
  expect(report.verdict).toBe('bit-equal');
  return { ...split, report };
}

/** A value_info with a type that is no tensor: 4 is a sequence, 9 an optional, of float tensors. */
function notTensor(name: string, kind: number): Uint8Array {
  const element = messageBytes(1, messageBytes(1, numberBytes(1, 1)));
  return messageBytes(13, concatChunks([textBytes(1, name), messageBytes(2, messageBytes(kind, element))]));
}

describe('strings', () => {
  const words = { name: 'words', dtype: 'string' as const, shape: [3] };
  test('cross alone and beside numbers, empty and non-Latin ones as well', async () => {
    const checked = await check(
      [
        node('Gather', ['words', 'order'], ['said']),
        node('Concat', ['said', 'words'], ['text'], { axis: 0 }),
        relu('x', 'a'),
        add('a', 'w', 'y'),
      ],
      {
        inputs: [float('x'), words],
        outputs: [float('y'), { name: 'text', dtype: 'string', shape: [6] }],
        initializers: [
          weight('w'),
          { name: 'order', tensor: makeTensor('int64', [3], viewBytes(BigInt64Array.of(2n, 0n, 1n))) },
        ],
      },
      [
        new Map([
          ['x', float32Tensor([2], Float32Array.of(1, -1))],
          ['words', stringTensor([3], ['', 'žluť\n', '\u{1f600}'])],
        ]),
      ],
    );
    expect(tensorsOf(checked)).toContain('said');
  });

  test('in ai.onnx.ml, whose version is kept', async () => {
    const { head, tail } = await throughFiles(
      bytesOf(
        [
          {
            op: 'LabelEncoder',
            domain: 'ai.onnx.ml',
            inputs: ['x'],
            outputs: ['label'],
            attributes: { keys_floats: { floats: [1, 2] }, values_strings: ['one', 'two'], default_string: 'none' },
          },
          {
            op: 'LabelEncoder',
            domain: 'ai.onnx.ml',
            inputs: ['label'],
            outputs: ['y'],
            attributes: {
              keys_strings: ['one', 'none'],
              values_floats: { floats: [10, -1] },
              default_float: { float: 0 },
            },
          },
        ],
        { opsets: { '': 15, 'ai.onnx.ml': 2, 'com.microsoft': 1 } },
      ),
      ['label'],
    );
    for (const { graph } of [head, tail]) {
      expect(graph.model.opsetImports).toEqual([
        { domain: '', version: 15 },
        { domain: 'ai.onnx.ml', version: 2 },
        { domain: 'com.microsoft', version: 1 },
      ]);
    }
    expect(tail.graph.types.get('label')).toEqual({ kind: 'tensor', dataType: 8, shape: [2] });
  });
});

describe('values that are no tensors are never listed, and refused with a code', () => {
  const one = { name: 'one', tensor: makeTensor('int64', [], viewBytes(BigInt64Array.of(1n))) };
  const models: [string, string, readonly BuildNode[], Partial<BuildModel>][] = [
    [
      'a sequence',
      's',
      [
        relu('x', 'a'),
        node('SequenceConstruct', ['a', 'x'], ['s']),
        node('SequenceAt', ['s', 'one'], ['b']),
        relu('b', 'y'),
      ],
      {},
    ],
    [
      'an optional',
      'o',
      [relu('x', 'a'), node('Optional', ['a'], ['o']), node('OptionalGetElement', ['o'], ['b']), relu('b', 'y')],
      {},
    ],
    [
      'a bfloat16',
      'h',
      [relu('x', 'a'), node('Cast', ['a'], ['h'], { to: 16 }), node('Cast', ['h'], ['b'], { to: 1 }), relu('b', 'y')],
      {},
    ],
  ];
  test.each(models)('%s', async (_, name, nodes, more) => {
    const all = {
      initializers: [weight('w'), one],
      ...more,
    };
    const graph = graphOf(nodes, all);
    const checked = await check(nodes, all);
    const listed = checked.cuts.flatMap(({ tensors }) => tensors);
    expect(listed).toContain('a');
    expect(listed).not.toContain(name);
    const cut = listCuts(graph).find(({ tensors }) => tensors.includes(name));
    const attempt = splitModel(planCut(graph, cut?.tensors ?? [name]), backend, bytesHost());
    await expect(attempt).rejects.toMatchObject({ code: 'CUT_TYPE_UNSUPPORTED', details: { tensor: name } });
  });

  test.each([
    ['sequence', 4],
    ['optional', 9],
  ])('declared as a %s: before anything is loaded', (kind, field) => {
    const graph = graphOf([relu('x', 'a'), node('Custom', ['a'], ['s']), node('Custom', ['s'], ['y'])], {
      extraFields: [messageBytes(7, notTensor('s', field))],
    });
    expectCode(() => planCut(graph, ['s']), 'CUT_TYPE_UNSUPPORTED', new RegExp(`'s' is of type ${kind}`));
  });

  test('a sequence that a model is given stays on its side', async () => {
    const input = messageBytes(
      11,
      concatChunks([
        textBytes(1, 'given'),
        messageBytes(2, messageBytes(4, messageBytes(1, messageBytes(1, numberBytes(1, 1))))),
      ]),
    );
    const graph = graphOf(
      [relu('x', 'a'), node('SequenceAt', ['given', 'one'], ['b']), add('a', 'b', 'c'), relu('c', 'y')],
      { initializers: [one], extraFields: [messageBytes(7, input)] },
    );
    const specs = await valueSpecs(graph, { host: bytesHost(), backend });
    const listed = crossableCuts(listCuts(graph), specs).map(({ tensors, inputs }) => [...tensors, ...inputs].join());
    // The sequence is used by the head in all of them.
    expect(listed).toEqual(['b,x', 'a,b', 'c']);
    expectCode(() => planCut(graph, ['a']), 'CUT_TYPE_UNSUPPORTED', /'given' is of type sequence/);
  });
});

test('a model output that is no tensor: the runtime gives it to nobody, and no comparison passes without it', async () => {
  const bytes = bytesOf([relu('x', 'a'), add('a', 'w', 'y'), node('SequenceConstruct', ['a', 'y'], ['s'])], {
    outputs: [float('y'), { name: 's' }],
  });
  await expect(throughFiles(bytes, ['a'])).rejects.toThrow(/output .s. is not a tensor but a sequence/);
});

test('a scalar is known by its shape though no file declares it, and an unknown rank is not one', async () => {
  const bytes = bytesOf(
    [
      node('ReduceMean', ['x'], ['mean'], { keepdims: 0 }),
      node('Reshape', ['x', 'sizes'], ['any']),
      node('Mul', ['any', 'mean'], ['scaled']),
      node('Relu', ['scaled'], ['y']),
    ],
    { inputs: [float('x', [2, 3]), { name: 'sizes', dtype: 'int64', shape: ['rank'] }], outputs: [{ name: 'y' }] },
  );
  const specs = await valueSpecs(openModel(bytes), { host: bytesHost(), backend });
  expect(specs.get('mean')).toMatchObject({ dtype: 'float32', shape: [], bytes: 4 });
  expect(specs.get('any')).toMatchObject({ dtype: 'float32', shape: null, bytes: null });
  const split = await splitModel(planCut(openModel(bytes), ['mean', 'any']), backend, bytesHost());
  const shapeOf = (name: string) => split.tensors.find((tensor) => tensor.name === name)?.shape;
  expect([shapeOf('mean'), shapeOf('any')]).toEqual([[], null]);
});

test('symbolic dimensions keep their names in head, tail and split.json', async () => {
  const { head, tail, manifest } = await throughFiles(
    bytesOf(
      [
        node('Relu', ['x'], ['a']),
        node('Transpose', ['a'], ['t'], { perm: [0, 2, 1] }),
        node('MatMul', ['a', 't'], ['m']),
        node('Softmax', ['m'], ['y']),
      ],
      {
        inputs: [float('x', ['batch', 'höhe × 2', 3])],
        outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 'höhe × 2', 'höhe × 2'] }],
      },
    ),
    ['a', 't'],
    { dims: { batch: 2, 'höhe × 2': 5 } },
  );
  const shape = (name: string) => manifest.tensors.find((tensor) => tensor.name === name)?.shape;
  expect(shape('a')).toEqual(['batch', 'höhe × 2', 3]);
  expect(shape('t')).toEqual(['batch', 3, 'höhe × 2']);
  expect(shape('y')).toEqual(['batch', 'höhe × 2', 'höhe × 2']);
  for (const { graph } of [head, tail]) {
    expect(graph.types.get('a')).toMatchObject({ shape: ['batch', 'höhe × 2', 3] });
    expect(graph.types.get('t')).toMatchObject({ shape: ['batch', 3, 'höhe × 2'] });
  }
});

test('doc strings and metadata of model, graph, node, value and function are kept', async () => {
  const doc = (level: string) => textBytes(10, `doc of the ${level}`);
  const entry = (key: string) => concatChunks([textBytes(1, key), textBytes(2, 'kept')]);
  const documented = concatChunks([
    textBytes(1, 'x'),
    textBytes(2, 'a'),
    textBytes(4, 'Relu'),
    textBytes(6, 'doc of the node'),
    messageBytes(9, entry('node key')),
  ]);
  const info = concatChunks([textBytes(1, 'b'), textBytes(3, 'doc of the value'), messageBytes(4, entry('value key'))]);
  const graph = concatChunks([
    messageBytes(1, documented),
    doc('graph'),
    messageBytes(13, info),
    messageBytes(16, entry('graph key')),
  ]);
  const bytes = bytesOf([relu('a', 'b'), relu('b', 'c'), relu('c', 'y')], {
    metadata: { 'model key': '{"labels": ["a"]}' },
    extraFields: [textBytes(6, 'doc of the model'), messageBytes(7, graph)],
  });
  const { head, tail } = await throughFiles(bytes, ['c']);
  const [first, second] = await Promise.all([head, tail].map(({ path: file }) => readFile(file, 'latin1')));
  for (const text of [first, second]) {
    for (const kept of ['model key', 'graph key', 'doc of the model', 'doc of the graph']) expect(text).toContain(kept);
  }
  for (const kept of ['doc of the node', 'node key', 'doc of the value', 'value key']) {
    expect(first).toContain(kept);
    expect(second).not.toContain(kept);
  }
});

describe('names', () => {
  const NAMES = [
    'žluťoučký 模型 \u{1f600}',
    'a name with  spaces ',
    '/layers.0/attn/MatMul:0',
    'two\nlines\r\n\tand\u2028more',
    `quotes " ' \` $(id) %s \\`,
    '--at',
    '-',
    'constructor',
    'toString',
    'hasOwnProperty',
    '0',
    '["json"]',
    '../../etc/passwd',
    'n'.repeat(1000),
    ' ',
    'length',
  ];

  test.each(NAMES.map((name) => [JSON.stringify(name).slice(0, 40), name]))('%s everywhere', async (_, name) => {
    const bytes = bytesOf(
      [
        { ...add(`in ${name}`, `w ${name}`, 'a'), name },
        { ...relu('a', name), name: `${name} 2` },
        { ...add(name, `w ${name}`, `out ${name}`), name: `${name} 3` },
      ],
      {
        name,
        inputs: [float(`in ${name}`, [name])],
        outputs: [float(`out ${name}`, [2])],
        initializers: [weight(`w ${name}`)],
        metadata: { [name]: name },
      },
    );
    const { manifest } = await throughFiles(bytes, [name]);
    expect(manifest).toMatchObject({ cut: [name], headOutputs: [name], tailInputs: [name] });
  });

  test.each(NAMES.map((name) => [JSON.stringify(name).slice(0, 40), name]))(
    '%s as input and output',
    async (_, name) => {
      const first = await throughFiles(bytesOf([relu(name, 'a'), relu('a', 'y')], { inputs: [float(name)] }), ['a']);
      expect(first.manifest.headInputs).toEqual([name]);
      const last = await throughFiles(bytesOf([relu('x', 'a'), relu('a', name)], { outputs: [float(name)] }), ['a']);
      expect(last.manifest.tailOutputs).toEqual([name]);
    },
  );

  test('__proto__ as input, weight and inner value', async () => {
    const { manifest } = await throughFiles(
      bytesOf([relu('__proto__', 'a'), relu('a', 'y')], { inputs: [float('__proto__')] }),
      ['a'],
    );
    expect(manifest.headInputs).toEqual(['__proto__']);
    const checked = await check([add('x', '__proto__', 'a'), relu('a', 'b'), add('b', '__proto__', 'y')], {
      initializers: [weight('__proto__')],
    });
    expect(tensorsOf(checked)).toEqual(['a', 'b']);
    const inner = await check([relu('x', 'a'), relu('a', '__proto__'), relu('__proto__', 'b'), relu('b', 'y')]);
    expect(tensorsOf(inner)).toEqual(['a', 'b']);
  });

  test.each([
    ['__proto__ as an output', '__proto__', ['y'], ['__proto__']],
    ['a zero byte in an output', 'y\0z', ['y'], ['y\0z']],
    ['a zero byte in an input', 'x\0', ['x\0'], ['y']],
    ['more bytes than a message carries in an output', 'ž'.repeat(2049), ['x'], ['ž'.repeat(2049)]],
  ])(
    '%s: refused by plan, list and split alike, before anything is loaded',
    async (_, name, [input = ''], [output = '']) => {
      const bytes = bytesOf([relu(input, 'a'), relu('a', output)], {
        inputs: [float(input)],
        outputs: [float(output)],
      });
      const graph = openModel(bytes);
      const error = expectCode(() => planCut(graph, ['a']), 'MODEL_UNSUPPORTED', /rename it/);
      expect(error.details['tensor']).toBe(name);
      expectCode(() => listCuts(graph), 'MODEL_UNSUPPORTED', /rename it/);
      await expect(throughFiles(bytes, ['a'])).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
    },
  );

  test('an output named __proto__ is refused by a run of the whole model too, not lost', async () => {
    const bytes = bytesOf([relu('x', 'a'), relu('a', '__proto__')], { outputs: [float('a'), float('__proto__')] });
    const whole = await backend.load({ bytes });
    const inputs = new Map([['x', float32Tensor([2], Float32Array.of(1, 2))]]);
    await expect(whole.run(inputs)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining("'__proto__': rename it"),
    });
    await whole.dispose();
  });

  test('a zero byte in a value or weight: both sides hold it, and it is never a cut', async () => {
    const nodes = [relu('x', 'a'), add('a', 'w\0', 'b\0c'), relu('b\0c', 'd'), add('d', 'w\0', 'y')];
    const more = { initializers: [weight('w\0')] };
    expect(tensorsOf(await check(nodes, more))).toEqual(['a', 'd']);
    await expect(splitModel(planCut(graphOf(nodes, more), ['b\0c']), backend, bytesHost())).rejects.toMatchObject({
      code: 'CUT_TYPE_UNSUPPORTED',
    });
  });

  test('longer than a message may hold: never listed, refused with a code', async () => {
    const long = 'ž'.repeat(2049);
    const nodes = [relu('x', 'a'), relu('a', long), relu(long, 'y')];
    expect(tensorsOf(await check(nodes))).toEqual(['a']);
    await expect(splitModel(planCut(graphOf(nodes), [long]), backend, bytesHost())).rejects.toMatchObject({
      code: 'CUT_TYPE_UNSUPPORTED',
    });
  });
});

describe('shapes of graphs', () => {
  test('values without elements cross', async () => {
    const empty = (name: string) => float(name, [0, 3]);
    const checked = await check(
      [relu('x', 'a'), node('Concat', ['a', 'x'], ['b'], { axis: 0 }), node('ReduceSum', ['b'], ['y'])],
      {
        inputs: [empty('x')],
        outputs: [{ name: 'y' }],
      },
    );
    expect(tensorsOf(checked)).toEqual(['a', 'b']);
    const { manifest } = await throughFiles(
      bytesOf([relu('x', 'a'), relu('a', 'y')], { inputs: [empty('x')], outputs: [empty('y')] }),
      ['a'],
    );
    expect(manifest.tensors.find(({ name }) => name === 'a')?.shape).toEqual([0, 3]);
  });

  test('outputs that are inputs or weights, inputs that nothing uses, and outputs that are used inside', async () => {
    const nodes = [relu('x', 'a'), add('a', 'w', 'b'), relu('b', 'c'), add('c', 'a', 'y')];
    const checked = await check(nodes, {
      inputs: [float('x'), float('unused'), float('through')],
      outputs: [float('y'), float('x'), float('b'), float('through'), float('a')],
    });
    expect(tensorsOf(checked)).toEqual(['a', 'a,b', 'a,c']);
    const { manifest } = await throughFiles(
      bytesOf(nodes, {
        inputs: [float('x'), float('unused')],
        outputs: [float('y'), float('x'), float('b'), float('w')],
      }),
      ['a'],
    );
    expect(manifest).toMatchObject({
      headInputs: ['x'],
      tailOutputs: ['y', 'b', 'w'],
      modelOutputs: ['y', 'x', 'b', 'w'],
    });
  });

  test('an output that is listed twice is given once', async () => {
    const nodes = [relu('x', 'a'), add('a', 'w', 'b'), relu('b', 'y')];
    const outputs = [float('y'), float('b'), float('y'), float('b')];
    expect(tensorsOf(await check(nodes, { outputs }))).toEqual(['a', 'b']);
    const { manifest, report } = await throughFiles(bytesOf(nodes, { outputs }), ['a']);
    expect(manifest.modelOutputs).toEqual(['y', 'b']);
    expect(report.outputs.map(({ name }) => name)).toEqual(['y', 'b']);
  });

  test('a chain of 5,000 nodes splits in the middle and at the ends', async () => {
    const nodes = Array.from({ length: 5000 }, (_, at) =>
      add(at === 0 ? 'x' : `v${at - 1}`, 'w', at === 4999 ? 'y' : `v${at}`),
    );
    const bytes = bytesOf(nodes);
    const graph = openModel(bytes);
    const frame = new Map([['x', float32Tensor([2], Float32Array.of(1, 2))]]);
    const whole = await backend.load({ bytes }, { optimizationLevel: 'disabled' });
    const outputs = [await whole.run(frame)];
    await whole.dispose();
    for (const tensor of ['v0', 'v2500', 'v4998']) await checkCut(backend, graph, [tensor], [frame], outputs);
    expect(listCuts(graph)).toHaveLength(4999);
  });

  test('more values than one message carries: left out of the list, refused with what to do', async () => {
    const wide = (count: number): BuildNode[] => {
      const names = Array.from({ length: count }, (_, at) => `v${at}`);
      return [relu('x', 'a'), ...names.map((name) => add('a', 'w', name)), node('Sum', names, ['s']), relu('s', 'y')];
    };
    const names = (count: number) => Array.from({ length: count }, (_, at) => `v${at}`);
    const graph = graphOf(wide(300));
    expect(Math.max(...listCuts(graph).map(({ tensors }) => tensors.length))).toBeLessThanOrEqual(256);
    expectCode(() => planCut(graph, names(300)), 'INVALID_ARGUMENT', /300 values.*256/);
    const most = wide(256);
    const frame = new Map([['x', float32Tensor([2], Float32Array.of(1, 2))]]);
    const whole = await backend.load({ bytes: bytesOf(most) }, { optimizationLevel: 'disabled' });
    await checkCut(backend, graphOf(most), names(256), [frame], [await whole.run(frame)]);
    await whole.dispose();
  });

  test('model inputs count as well', () => {
    const inputs = Array.from({ length: 256 }, (_, at) => `x${at}`);
    const graph = graphOf([relu('x0', 'a'), node('Sum', ['a', ...inputs], ['s']), relu('s', 'y')], {
      inputs: inputs.map((name) => float(name)),
    });
    expect(listCuts(graph).map(({ tensors }) => tensors.join())).toEqual(['s']);
    expectCode(() => planCut(graph, ['a']), 'INVALID_ARGUMENT', /257 values.*256/);
  });
});
