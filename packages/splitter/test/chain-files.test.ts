// Chains as files: what is written, that every prefix and suffix equals the whole, what is refused, what is found.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BuildModel, type BuildNode, buildModel } from '@kerf/onnx';
import { modelIdentity, openModelFile } from '@kerf/onnx/node';
import {
  type ChainManifest,
  float32Tensor,
  makeTensor,
  parseChainManifest,
  seededRandom,
  bytesOf as viewBytes,
} from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainHash, listCuts, planChain, runChain, segmentId } from '../src/index.ts';
import { chainFiles, openChain, verifyChain, writeChain } from '../src/node.ts';
import { add, bytesOf, cpu, diamond, expectCode, float, graphOf, relu } from './models.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-test-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const backend = cpu(ort);
const inRoot = (...parts: string[]) => path.join(root, ...parts);
const chained = (...parts: string[]) => inRoot('out', ...parts);

async function chain(bytes: Uint8Array, cuts: readonly (readonly string[])[], options: { force?: boolean } = {}) {
  await writeFile(inRoot('model.onnx'), bytes);
  const model = await openModelFile(inRoot('model.onnx'));
  return (await writeChain({ model, cuts, folder: chained(), backend, ...options })).manifest;
}

const verify = (options: Partial<Parameters<typeof verifyChain>[0]> = {}) =>
  verifyChain({ model: inRoot('model.onnx'), folder: chained(), backend, ...options });

/** Bytes of all files of a chain but its manifest. */
async function storedBytes(manifest: ChainManifest): Promise<number> {
  const sizes = await Promise.all(chainFiles(manifest).map(async (file) => (await stat(chained(file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** y = ((x + w1) * w2 ...): every weight is `size` floats, of its name's own values. */
const wide = (size: number) => {
  const value = (name: string) => float(name, [size]);
  const weight = (name: string) => {
    const random = seededRandom(name.charCodeAt(name.length - 1));
    return {
      name,
      tensor: float32Tensor(
        [size],
        Float32Array.from({ length: size }, () => random() - 0.5),
      ),
    };
  };
  return { value, weight };
};

test('writes segments and a manifest that fits them', async () => {
  const manifest = await chain(bytesOf(diamond), [['d'], ['b']]);
  expect((await readdir(chained())).toSorted()).toEqual([
    'chain.json',
    'segment-0.onnx',
    'segment-1.onnx',
    'segment-2.onnx',
  ]);
  expect(parseChainManifest(JSON.parse(await readFile(chained('chain.json'), 'utf8')))).toEqual(manifest);
  expect(manifest.cuts.map(({ tensors, bytes }) => [tensors, bytes])).toEqual([
    [['b'], 8],
    [['d'], 8],
  ]);
  expect(manifest.segments.map(({ inputs, outputs, nodes }) => [inputs, outputs, nodes])).toEqual([
    [['x'], ['b'], 2],
    [['b'], ['d'], 2],
    [['d'], ['y'], 2],
  ]);
  expect((await openChain(chained())).segments.map(({ graph }) => graph.inputs)).toEqual([['x'], ['b'], ['d']]);
  const report = await verify({ runs: 4 });
  expect(report).toMatchObject({ verdict: 'bit-equal', expected: 'bit-equal', bitEqualRuns: 4, runs: 4 });
  expect(report.divisions.map(({ edgeSegments, verdict }) => [edgeSegments, verdict])).toEqual(
    [0, 1, 2, 3].map((at) => [at, 'bit-equal']),
  );
});

test('the same chain twice has the same hash; other cuts have another', async () => {
  const first = await chain(bytesOf(diamond), [['b'], ['d']]);
  const again = await chain(bytesOf(diamond), [['d'], ['b']]);
  expect(again).toEqual(first);
  const other = await chain(bytesOf(diamond), [['a'], ['d']]);
  expect(other.chain).not.toBe(first.chain);
  expect(other.segments[2]?.id).toBe(first.segments[2]?.id);
  expect(other.segments[1]?.id).not.toBe(first.segments[1]?.id);
});

test('without cuts it is one segment, which is the whole model', async () => {
  const manifest = await chain(bytesOf(diamond), []);
  expect(manifest).toMatchObject({ cuts: [], segments: [{ inputs: ['x'], outputs: ['y'], nodes: 6 }] });
  expect((await verify()).divisions.map(({ verdict }) => verdict)).toEqual(['bit-equal', 'bit-equal']);
});

test('fewer segments than before leave no file behind; other files stay', async () => {
  await chain(bytesOf(diamond), [['a'], ['b'], ['d']]);
  await writeFile(chained('notes.txt'), 'mine');
  await chain(bytesOf(diamond), [['b']]);
  expect((await readdir(chained())).toSorted()).toEqual([
    'chain.json',
    'notes.txt',
    'segment-0.onnx',
    'segment-1.onnx',
  ]);
  expect((await verify()).verdict).toBe('bit-equal');
});

test('skip connections over several cuts, inputs needed late, final outputs made early, outputs that are inputs', async () => {
  const nodes: BuildNode[] = [
    relu('x', 'a'),
    add('a', 'w', 'b'),
    relu('b', 'c'),
    add('c', 'a', 'd'),
    { op: 'Sigmoid', inputs: ['d'], outputs: ['e'] },
    add('e', 'late', 'f'),
    add('f', 'a', 'y'),
    { op: 'Neg', inputs: ['w'], outputs: ['fixed'] },
  ];
  const more = {
    inputs: [float('x'), float('late')],
    outputs: [float('b'), float('y'), float('late'), float('fixed')],
  };
  const manifest = await chain(bytesOf(nodes, more), [
    ['b', 'a'],
    ['c', 'a'],
    ['d', 'a'],
    ['e', 'a'],
  ]);
  expect(manifest.cuts.map(({ tensors }) => tensors)).toEqual([
    ['b', 'a', 'late'],
    ['c', 'a', 'late'],
    ['d', 'a', 'late'],
    ['e', 'a', 'late'],
  ]);
  expect(manifest.segments.map(({ outputs }) => outputs)).toEqual([['b', 'a'], ['c'], ['d'], ['e'], ['y', 'fixed']]);
  expect((await verify({ runs: 5 })).divisions.map(({ bitEqualRuns }) => bitEqualRuns)).toEqual(Array(6).fill(5));
});

test('bodies with captured values and weights, and functions, lie on one side of every cut', async () => {
  const branch = (op: string) => ({
    graph: { nodes: [{ op, inputs: ['a', 'w'], outputs: ['t'] }], outputs: [float('t')] },
  });
  const nodes: BuildNode[] = [
    relu('x', 'a'),
    { op: 'ReduceMax', inputs: ['x2'], outputs: ['m'], attributes: { keepdims: 0 } },
    { op: 'Greater', inputs: ['m', 'limit'], outputs: ['c'] },
    { op: 'Twice', domain: 'f', inputs: ['a'], outputs: ['z'] },
    { op: 'If', inputs: ['c'], outputs: ['i'], attributes: { then_branch: branch('Add'), else_branch: branch('Mul') } },
    add('i', 'z', 'y'),
  ];
  const more: Partial<BuildModel> = {
    inputs: [float('x'), float('x2')],
    initializers: [
      { name: 'w', tensor: float32Tensor([2], Float32Array.of(2, 3)) },
      { name: 'limit', tensor: float32Tensor([], Float32Array.of(0.3)) },
    ],
    opsets: { '': 17, f: 1 },
    functions: [{ domain: 'f', name: 'Twice', inputs: ['p'], outputs: ['q'], nodes: [add('p', 'p', 'q')] }],
  };
  await chain(bytesOf(nodes, more), [['a'], ['a', 'c'], ['z', 'a', 'c'], ['i', 'z']]);
  expect(await verify({ runs: 4 })).toMatchObject({ verdict: 'bit-equal', bitEqualRuns: 4 });
});

test('symbolic dimensions survive, and bytes are known where sizes are given', async () => {
  const inputs = [float('x', ['batch', 2])];
  const bytes = bytesOf([relu('x', 'a'), add('a', 'w', 'b'), relu('b', 'y')], { inputs, outputs: [{ name: 'y' }] });
  const open = await chain(bytes, [['a'], ['b']]);
  expect(open.tensors.find(({ name }) => name === 'b')?.shape).toEqual(['batch', 2]);
  expect(open.cuts.map((cut) => cut.bytes)).toEqual([null, null]);
  const model = await openModelFile(inRoot('model.onnx'));
  const bound = await writeChain({ model, cuts: [['a'], ['b']], folder: chained(), backend, dims: { batch: 5 } });
  expect(bound.manifest.cuts.map((cut) => cut.bytes)).toEqual([40, 40]);
  expect(bound.manifest.segments).toEqual(open.segments);
  expect(await verify({ dims: { batch: 3 } })).toMatchObject({ verdict: 'bit-equal', inputs: [{ shape: [3, 2] }] });
});

describe('weights are stored once', () => {
  const { value, weight } = wide(1000);
  const constant = (name: string) => ({ op: 'Constant', outputs: [name], attributes: { value: weight(name) } });
  /** w1 in three segments, w2 in one, w3 (a Constant node) in two, w4 through a constant node in two. */
  const nodes: BuildNode[] = [
    constant('w3'),
    { op: 'Neg', inputs: ['w4'], outputs: ['negated'] },
    add('x', 'w1', 'a'),
    add('a', 'negated', 'a2'),
    add('a2', 'w1', 'b'),
    add('b', 'w3', 'b2'),
    add('b2', 'w2', 'b3'),
    add('b3', 'w1', 'c'),
    add('c', 'w3', 'd'),
    add('d', 'negated', 'y'),
  ];
  const model = bytesOf(nodes, {
    inputs: [value('x')],
    outputs: [value('y')],
    initializers: [weight('w1'), weight('w2'), weight('w4')],
  });
  const cuts = [['a2'], ['b3']];

  test('those of several segments in one file, by initializers, Constant nodes and constants computed of them', async () => {
    const manifest = await chain(model, cuts);
    expect(manifest.sharedData?.bytes).toBe(64 * Math.ceil(4000 / 64) * 2 + 4000);
    expect(manifest.segments.map(({ usesSharedData }) => usesSharedData)).toEqual([true, true, true]);
    expect(manifest.segments[1]?.bytes).toBeGreaterThan(4000);
    expect(Math.max(manifest.segments[0]?.bytes ?? 0, manifest.segments[2]?.bytes ?? 0)).toBeLessThan(1500);
    expect(await storedBytes(manifest)).toBeLessThan(model.byteLength + 3000);
    for (const optimizationLevel of ['disabled', 'all'] as const) {
      expect((await verify({ optimizationLevel })).verdict).not.toBe('differs');
    }
    expect((await verify()).verdict).toBe('bit-equal');
    await writeFile(chained('shared.data'), new Uint8Array(manifest.sharedData?.bytes ?? 0));
    await expect(verify()).rejects.toMatchObject({
      code: 'PAIR_MISMATCH',
      message: expect.stringMatching(/^shared.data/),
    });
  });

  test('in functions and bodies of several segments', async () => {
    const big = weight('k');
    const branch = (op: string) => ({
      graph: { nodes: [{ op, inputs: ['a', 'w1'], outputs: ['t'] }], outputs: [value('t')] },
    });
    const bytes = buildModel({
      inputs: [value('x')],
      outputs: [value('y')],
      opsets: { '': 17, f: 1 },
      functions: [
        {
          domain: 'f',
          name: 'Shift',
          inputs: ['p'],
          outputs: ['q'],
          nodes: [{ op: 'Constant', outputs: ['k'], attributes: { value: big } }, add('p', 'k', 'q')],
        },
      ],
      initializers: [weight('w1')],
      nodes: [
        { op: 'Shift', domain: 'f', inputs: ['x'], outputs: ['a'] },
        { op: 'ReduceMax', inputs: ['a'], outputs: ['m'], attributes: { keepdims: 0 } },
        { op: 'Cast', inputs: ['m'], outputs: ['c'], attributes: { to: 9 } },
        {
          op: 'If',
          inputs: ['c'],
          outputs: ['i'],
          attributes: { then_branch: branch('Add'), else_branch: branch('Mul') },
        },
        add('i', 'w1', 'j'),
        { op: 'Shift', domain: 'f', inputs: ['j'], outputs: ['y'] },
      ],
    });
    const manifest = await chain(bytes, [['a'], ['i'], ['j']]);
    expect(manifest.sharedData?.bytes).toBe(64 * Math.ceil(4000 / 64) + 4000);
    expect(await storedBytes(manifest)).toBeLessThan(bytes.byteLength + 3000);
    expect((await verify()).verdict).toBe('bit-equal');
  });

  test('external data: what one segment uses goes beside it, a range of two names and two segments once', async () => {
    const random = seededRandom(3);
    await writeFile(inRoot('w.bin'), viewBytes(Float32Array.from({ length: 2000 }, () => random() - 0.5)));
    const outside = (name: string, offset: number) => ({
      ...weight(name),
      external: { location: 'w.bin', offset, length: 4000 },
    });
    const bytes = bytesOf([add('x', 'w1', 'a'), add('a', 'w2', 'b'), relu('b', 'c'), add('c', 'tied', 'y')], {
      inputs: [value('x')],
      outputs: [value('y')],
      initializers: [outside('w1', 0), outside('w2', 4000), outside('tied', 0)],
    });
    const manifest = await chain(bytes, [['a'], ['b'], ['c']]);
    expect(manifest.sharedData?.bytes).toBe(4000);
    const source = await openModelFile(inRoot('model.onnx'));
    expect(manifest.source).toMatchObject({ sha256: source.sha256, identity: await modelIdentity(source) });
    expect(manifest.source.identity).not.toBe(source.sha256);
    expect(manifest.segments.map(({ externalData }) => externalData?.bytes ?? null)).toEqual([null, 4000, null, null]);
    expect(await storedBytes(manifest)).toBeLessThan(bytes.byteLength + 8000 + 1500);
    expect((await verify()).verdict).toBe('bit-equal');
  });

  test('typed fields, other dtypes and small tensors', async () => {
    const ids = makeTensor('int64', [1000], viewBytes(BigInt64Array.from({ length: 1000 }, (_, at) => BigInt(at % 4))));
    const bytes = bytesOf(
      [
        { op: 'Gather', inputs: ['x', 'ids'], outputs: ['a'] },
        relu('a', 'b'),
        { op: 'Gather', inputs: ['b', 'ids'], outputs: ['c'] },
        { op: 'Reshape', inputs: ['c', 'shape'], outputs: ['d'] },
        { op: 'Reshape', inputs: ['d', 'shape'], outputs: ['y'] },
      ],
      {
        inputs: [value('x')],
        outputs: [{ name: 'y' }],
        initializers: [
          { name: 'ids', tensor: ids },
          { name: 'shape', tensor: makeTensor('int64', [2], viewBytes(BigInt64Array.of(10n, 100n))) },
        ],
      },
    );
    const manifest = await chain(bytes, [['b'], ['d']]);
    expect(manifest.sharedData?.bytes).toBe(8000);
    expect((await verify()).verdict).toBe('bit-equal');
  });
});

/** A model of `count` nodes over few values, with two outputs at least one of which may be made early. */
function randomModel(seed: number): Uint8Array {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const { value, weight } = wide(300);
  const values = ['x', 'z'];
  const count = 6 + Math.floor(random() * 10);
  const nodes = Array.from({ length: count }, (_, at): BuildNode => {
    const output = `v${at}`;
    const [left, right] = [pick([...values.slice(-4), ...values.slice(0, 2)]), pick([...values, 'w1', 'w2', 'w3'])];
    const kind = random();
    values.push(output);
    if (kind < 0.3) return { op: pick(['Relu', 'Sigmoid', 'Neg', 'Abs']), inputs: [left], outputs: [output] };
    return { op: pick(['Add', 'Mul', 'Sub', 'Max']), inputs: [left, right], outputs: [output] };
  });
  const outputs = new Set([`v${count - 1}`, pick(values.slice(2)), pick(values)]);
  return buildModel({
    nodes,
    inputs: [value('x'), value('z')],
    outputs: [...outputs].map(value),
    initializers: [weight('w1'), weight('w2'), weight('w3')],
  });
}

/** Up to five nested cuts of those that are listed. */
function nestedCuts(graph: ReturnType<typeof graphOf>, random: () => number): string[][] {
  const chosen: string[][] = [];
  for (const { tensors } of [...listCuts(graph)].sort(() => random() - 0.5)) {
    if (chosen.length === 5) break;
    try {
      planChain(graph, [...chosen, tensors]);
      chosen.push([...tensors]);
    } catch {
      // Not nested with the others.
    }
  }
  return chosen;
}

test('any chain of any small model equals the whole at every division, and stores no weight twice', async () => {
  let divisions = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const bytes = randomModel(seed);
    await writeFile(inRoot('model.onnx'), bytes);
    const { graph } = await openModelFile(inRoot('model.onnx'));
    const cuts = nestedCuts(graph, seededRandom(seed));
    const manifest = await chain(bytes, cuts);
    const report = await verify({ runs: 1, seed });
    expect(report.verdict, `seed ${seed}, cuts ${JSON.stringify(cuts)}`).toBe('bit-equal');
    expect(await storedBytes(manifest), `seed ${seed}`).toBeLessThan(
      bytes.byteLength + 1500 * manifest.segments.length,
    );
    divisions += report.divisions.length;
  }
  expect(divisions).toBeGreaterThan(200);
});

test('a frame through both sides; only what crosses goes on', async () => {
  const manifest = await chain(bytesOf(diamond), [['b'], ['d']]);
  const { segments } = await openChain(chained());
  const load = () => Promise.all(segments.map(({ path: file }) => backend.load({ path: file })));
  const [edge, cloud, whole] = [await load(), await load(), await backend.load({ path: inRoot('model.onnx') })];
  const inputs = new Map([['x', float32Tensor([2], Float32Array.of(0.5, -2))]]);
  const expected = await whole.run(inputs);
  for (const at of [0, 1, 2, 3]) {
    const sides = { edge: edge.slice(0, at), cloud: cloud.map((model, place) => (place < at ? whole : model)), at };
    expect(await runChain(manifest, sides, inputs)).toEqual(expected);
  }
  await expect(runChain(manifest, { edge: [], cloud, at: 2 }, inputs)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await expect(runChain(manifest, { edge, cloud, at: 4 }, inputs)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await Promise.all([...edge, ...cloud, whole].map((model) => model.dispose()));
});

describe('refuses', () => {
  test('cuts that are not nested, twice the same, too many, or none of the model', () => {
    const parallel = graphOf([relu('x', 'a'), relu('x', 'b'), relu('a', 'a2'), relu('b', 'b2'), add('a2', 'b2', 'y')]);
    expectCode(
      () =>
        planChain(parallel, [
          ['a2', 'x'],
          ['b2', 'x'],
        ]),
      'INVALID_ARGUMENT',
      /not nested: 'a' lies before/,
    );
    const graph = graphOf(diamond);
    expectCode(() => planChain(graph, [['b'], ['b', 'b']]), 'INVALID_ARGUMENT', /same head/);
    expectCode(
      () =>
        planChain(
          graph,
          Array.from({ length: 6 }, () => ['b']),
        ),
      'INVALID_ARGUMENT',
      /at most 6 segments/,
    );
    expectCode(() => planChain(graph, [['b'], ['nowhere']]), 'CUT_UNKNOWN_TENSOR');
    expectCode(() => planChain(graph, [['c']]), 'CUT_NOT_SEPARATING');
  });

  test('not a folder where only a crashed run left something: that is cleared away', async () => {
    await mkdir(chained('.kerf-chain-crashed'), { recursive: true });
    await writeFile(chained('.kerf-chain-crashed', 'segment-0.onnx'), 'half of it');
    await writeFile(chained('segment-1.onnx'), 'put in place already');
    await chain(bytesOf(diamond), [['b']]);
    expect((await readdir(chained())).sort()).toEqual(['chain.json', 'segment-0.onnx', 'segment-1.onnx']);
  });

  test('a folder with other files unless forced, a file in its place, and the folder of the model itself', async () => {
    await mkdir(chained());
    await writeFile(chained('notes.txt'), 'mine');
    await expect(chain(bytesOf(diamond), [['b']])).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await chain(bytesOf(diamond), [['b']], { force: true });
    expect(await readFile(chained('notes.txt'), 'utf8')).toBe('mine');
    await writeFile(inRoot('segment-1.onnx'), bytesOf(diamond));
    const model = await openModelFile(inRoot('segment-1.onnx'));
    const attempt = writeChain({ model, cuts: [['b']], folder: root, backend, force: true });
    await expect(attempt).rejects.toMatchObject({ code: 'FILE_EXISTS', message: expect.stringContaining('segment-1') });
    await rm(chained(), { recursive: true });
    await writeFile(chained(), '');
    await expect(chain(bytesOf(diamond), [['b']])).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  });

  test('what cannot cross and what the runtime refuses, with nothing written', async () => {
    const nodes: BuildNode[] = [
      { op: 'SequenceConstruct', inputs: ['x', 'x'], outputs: ['s'] },
      { op: 'ConcatFromSequence', inputs: ['s'], outputs: ['y'], attributes: { axis: 0 } },
    ];
    const sequence = chain(bytesOf(nodes, { outputs: [{ name: 'y' }] }), [['s']]);
    await expect(sequence).rejects.toMatchObject({ code: 'CUT_TYPE_UNSUPPORTED' });
    const clash = bytesOf([relu('x', 'a'), { op: 'NoSuch', inputs: ['a'], outputs: ['b'] }, relu('b', 'y')]);
    await expect(chain(clash, [['a'], ['b']])).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
    expect(existsSync(chained())).toBe(false);
  });

  test('a segment that the runtime refuses leaves the former chain as it was', async () => {
    const before = await chain(bytesOf(diamond), [['b']]);
    const failing = { ...backend, load: refusingSegments() };
    const model = await openModelFile(inRoot('model.onnx'));
    const attempt = writeChain({ model, cuts: [['a'], ['d']], folder: chained(), backend: failing });
    await expect(attempt).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
    expect((await readdir(chained())).toSorted()).toEqual(['chain.json', 'segment-0.onnx', 'segment-1.onnx']);
    expect((await openChain(chained())).manifest).toEqual(before);
  });
});

/** A backend's load that fails at the second segment. */
function refusingSegments(): typeof backend.load {
  return async (source, options) => {
    if ('path' in source && source.path.endsWith('segment-1.onnx')) {
      const { KerfError } = await import('@kerf/protocol');
      throw new KerfError('BACKEND_FAILED', 'out of memory');
    }
    return await backend.load(source, options);
  };
}

describe('a folder that lies', () => {
  const rewrite = async (change: (manifest: ChainManifest) => unknown) => {
    const manifest = await chain(bytesOf(diamond), [['b'], ['d']]);
    await writeFile(chained('chain.json'), JSON.stringify(change(manifest)));
  };
  const [zeros, other] = ['0'.repeat(64), 'ab'.repeat(32)];
  const segmentsWith = (manifest: ChainManifest, at: number, change: object) =>
    manifest.segments.map((segment, place) => (place === at ? { ...segment, ...change } : segment));

  test.each<[string, (manifest: ChainManifest) => unknown, RegExp]>([
    ['another format', (m) => ({ ...m, format: 'kerf-chain/2' }), /'format'/],
    ['a path up', (m) => ({ ...m, segments: segmentsWith(m, 1, { file: '../segment-1.onnx' }) }), /plain file name/],
    ['an absolute path', (m) => ({ ...m, segments: segmentsWith(m, 1, { file: '/etc/passwd' }) }), /plain file name/],
    [
      'a data file elsewhere',
      (m) => ({ ...m, sharedData: { file: 'a/b', sha256: zeros, bytes: 1 } }),
      /plain file name/,
    ],
    ['a file twice', (m) => ({ ...m, segments: segmentsWith(m, 1, { file: 'SEGMENT-0.onnx' }) }), /named twice/],
    [
      'its own manifest as a file',
      (m) => ({ ...m, segments: segmentsWith(m, 1, { file: 'chain.json' }) }),
      /named twice/,
    ],
    [
      'shared data that is not there',
      (m) => ({ ...m, segments: segmentsWith(m, 1, { usesSharedData: true }) }),
      /not named/,
    ],
    ['segments in another order', (m) => ({ ...m, segments: m.segments.toReversed() }), /nothing before segment 0/],
    ['a segment less', (m) => ({ ...m, segments: m.segments.slice(0, 2) }), /'cuts' must be/],
    [
      'the last segment less',
      (m) => ({ ...m, segments: m.segments.slice(0, 2), cuts: m.cuts.slice(0, 1) }),
      /delivers/,
    ],
    ['no segments', (m) => ({ ...m, segments: [], cuts: [] }), /'segments' must be/],
    ['seven segments', (m) => ({ ...m, segments: Array(7).fill(m.segments[0]) }), /'segments' must be/],
    ['a segment made again', (m) => ({ ...m, segments: segmentsWith(m, 1, { outputs: ['d', 'x'] }) }), /made again/],
    ['a cut that lacks', (m) => ({ ...m, cuts: [{ ...m.cuts[0], tensors: [] }, m.cuts[1]] }), /lacks 'b'/],
    [
      'a cut that carries more',
      (m) => ({ ...m, cuts: [{ ...m.cuts[0], tensors: ['b', 'x'] }, m.cuts[1]] }),
      /carries 'x'/,
    ],
    ['a cut with bytes that are none', (m) => ({ ...m, cuts: m.cuts.map((cut) => ({ ...cut, bytes: -1 })) }), /bytes/],
    ['a tensor without a type', (m) => ({ ...m, tensors: m.tensors.slice(1) }), /'tensors' does not say/],
    ['a hash that is none', (m) => ({ ...m, chain: 'abc' }), /'chain'/],
    ['a choice that is none', (m) => ({ ...m, choice: { regret: 'none' } }), /choice/],
    ['nothing', () => null, /an object/],
  ])('%s is MANIFEST_INVALID', async (_, change, message) => {
    await rewrite(change);
    const attempt = openChain(chained());
    await expect(attempt).rejects.toMatchObject({ code: 'MANIFEST_INVALID', message: expect.stringMatching(message) });
  });

  test.each<[string, (manifest: ChainManifest) => unknown]>([
    ['a wrong file hash', (m) => ({ ...m, segments: segmentsWith(m, 1, { sha256: other }) })],
    ['a wrong size', (m) => ({ ...m, segments: segmentsWith(m, 1, { bytes: 3 }) })],
    ['a wrong id', (m) => ({ ...m, segments: segmentsWith(m, 1, { id: other }) })],
    ['a wrong chain hash', (m) => ({ ...m, chain: zeros })],
    ['another source', (m) => ({ ...m, source: { ...m.source, sha256: zeros } })],
  ])('%s is PAIR_MISMATCH', async (_, change) => {
    await rewrite(change);
    await expect(openChain(chained())).rejects.toMatchObject({ code: 'PAIR_MISMATCH' });
  });

  test('a missing, a changed and a swapped file; a manifest that is no JSON, or missing', async () => {
    await chain(bytesOf(diamond), [['b'], ['d']]);
    const good = await readFile(chained('segment-1.onnx'));
    await writeFile(chained('segment-1.onnx'), Buffer.concat([good, Buffer.of(8, 8)]));
    await expect(openChain(chained())).rejects.toMatchObject({ code: 'PAIR_MISMATCH' });
    await writeFile(chained('segment-1.onnx'), await readFile(chained('segment-0.onnx')));
    await expect(openChain(chained())).rejects.toMatchObject({ code: 'PAIR_MISMATCH' });
    await rm(chained('segment-1.onnx'));
    await expect(openChain(chained())).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await writeFile(chained('chain.json'), 'not json');
    await expect(openChain(chained())).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    await rm(chained('chain.json'));
    await expect(openChain(chained())).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  /** Puts another model in the place of a segment, with hashes that fit. */
  async function replaceSegment(at: number, bytes: Uint8Array): Promise<void> {
    const manifest = await chain(bytesOf(diamond), [['b'], ['d']]);
    await writeFile(chained(`segment-${at}.onnx`), bytes);
    const { sha256 } = await openModelFile(chained(`segment-${at}.onnx`));
    const files = { sha256, bytes: bytes.byteLength, externalData: null, usesSharedData: false };
    const segments = segmentsWith(manifest, at, {
      ...files,
      id: await segmentId(files, null),
    }) as ChainManifest['segments'];
    const draft = { ...manifest, segments };
    await writeFile(chained('chain.json'), JSON.stringify({ ...draft, chain: await chainHash(draft) }));
  }

  test('a segment that computes something else is found by running it', async () => {
    await replaceSegment(1, buildModel({ nodes: [relu('b', 'd')], inputs: [float('b')], outputs: [float('d')] }));
    const report = await verify();
    expect(report.verdict).toBe('differs');
    expect(report.divisions.every(({ verdict }) => verdict === 'differs')).toBe(true);
  });

  test('a segment of other names, one that repeats a node, and one that reads a strange file', async () => {
    await replaceSegment(1, buildModel({ nodes: [relu('b', 'q')], inputs: [float('b')], outputs: [float('q')] }));
    await expect(openChain(chained())).rejects.toMatchObject({ message: expect.stringMatching(/disagree on 'd'/) });
    const again = [relu('b', 'a'), relu('a', 'd')];
    await replaceSegment(1, buildModel({ nodes: again, inputs: [float('b')], outputs: [float('d')] }));
    await expect(openChain(chained())).rejects.toMatchObject({ message: expect.stringMatching(/'a' again/) });
    const outside = { name: 'w', tensor: float32Tensor([2], new Float32Array(2)), external: { location: 'strange' } };
    const reading = {
      nodes: [add('b', 'w', 'd')],
      inputs: [float('b')],
      outputs: [float('d')],
      initializers: [outside],
    };
    await mkdir(chained(), { recursive: true });
    await writeFile(chained('strange'), new Uint8Array(8));
    await chain(bytesOf(diamond), [['b']], { force: true });
    await replaceSegment(1, buildModel(reading));
    await expect(openChain(chained())).rejects.toMatchObject({ message: expect.stringMatching(/reads 'strange'/) });
  });

  test('a chain of another model', async () => {
    await chain(bytesOf(diamond), [['b']]);
    await writeFile(inRoot('model.onnx'), bytesOf(diamond, { metadata: { version: '2' } }));
    await expect(verify()).rejects.toMatchObject({
      code: 'PAIR_MISMATCH',
      message: expect.stringMatching(/another model/),
    });
  });
});
