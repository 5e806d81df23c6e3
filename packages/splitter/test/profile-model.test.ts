// Profiles of small models on the real runtime: what they hold, what bounds them, and that the planner takes them.
import type { BuildModel, BuildNode } from '@kerf/onnx';
import { openModel } from '@kerf/onnx';
import { type Backend, float32Tensor, KerfError, makeTensor, systemClock, bytesOf as viewBytes } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import {
  bytesHost,
  crossableCuts,
  type DeviceProfile,
  fusedValues,
  listCuts,
  type NodeEvents,
  type ProfileOptions,
  parseDeviceProfile,
  plan,
  profileModel,
  statedLink,
} from '../src/index.ts';
import { SampleCoder } from '../src/profile/sample-coder.ts';
import { workGraph } from '../src/work-graph.ts';
import { add, bytesOf, cpu, diamond, float, relu } from './models.ts';

const SIZE = 64;
const square = (name: string) => float(name, ['rows', SIZE]);

/** Ten products, each with what the runtime fuses into it, and a branch around the middle. */
const deep: readonly BuildNode[] = [
  ...Array.from({ length: 10 }, (_, at): BuildNode[] => [
    { op: 'MatMul', inputs: [at === 0 ? 'x' : `r${at - 1}`, 'weight'], outputs: [`p${at}`] },
    { op: 'Add', inputs: [`p${at}`, 'bias'], outputs: [`s${at}`] },
    relu(`s${at}`, `r${at}`),
  ]).flat(),
  add('r9', 'r4', 'joined'),
  { op: 'ReduceSum', inputs: ['joined', 'axes'], outputs: ['y'], attributes: { keepdims: 0 } },
];

const deepModel: Partial<BuildModel> = {
  inputs: [square('x')],
  outputs: [float('y', ['rows'])],
  initializers: [
    { name: 'weight', tensor: float32Tensor([SIZE, SIZE], new Float32Array(SIZE * SIZE).fill(0.01)) },
    { name: 'bias', tensor: float32Tensor([SIZE], new Float32Array(SIZE).fill(0.1)) },
    { name: 'axes', tensor: makeTensor('int64', [1], viewBytes(BigInt64Array.of(1n))) },
  ],
};

function optionsOf(bytes: Uint8Array, more: Partial<ProfileOptions> = {}): ProfileOptions {
  return {
    graph: openModel(bytes),
    model: { file: 'm.onnx', sha256: 'ab'.repeat(32) },
    backend: cpu(ort),
    host: bytesHost(),
    device: { name: 'test', processor: 'none', logicalCores: 1, system: 'none' },
    provider: 'cpu',
    threads: 1,
    versions: { kerf: '0' },
    clock: systemClock,
    date: '2026-11-23T00:00:00Z',
    budgetMs: 1500,
    nodeEvents: null,
    ...more,
  };
}

const deepOptions = (more: Partial<ProfileOptions> = {}): ProfileOptions =>
  optionsOf(bytesOf(deep, deepModel), { dims: { rows: 8 }, ...more });

/** What a reader of the file gets. */
const readBack = (profile: DeviceProfile): DeviceProfile =>
  parseDeviceProfile(JSON.parse(JSON.stringify(profile)) as unknown);

describe('a profile', () => {
  test('survives its own check, and says of every node and value what it is', async () => {
    const options = deepOptions();
    const profile = await profileModel(options);
    expect(readBack(profile)).toEqual(profile);
    const work = workGraph(options.graph).nodes;
    expect(profile.nodes.map(({ index, opType }) => [index, opType])).toEqual(
      work.map(({ index, record }) => [index, record.opType]),
    );
    expect(profile.nodeTimesFrom).toBe('segments');
    const { wholeMs } = profile;
    expect(wholeMs).toBeGreaterThan(0);
    expect(profile.nodes.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(wholeMs ?? 0, 1);
    expect(profile.inputShapes).toEqual({ x: [8, SIZE] });
    const bytes = new Map(profile.values.map((value) => [value.name, value.bytes]));
    expect(bytes.get('x')).toBe(8 * SIZE * 4);
    expect(bytes.get('r3')).toBe(8 * SIZE * 4);
    expect(bytes.get('y')).toBe(8 * 4);
  });

  test('says how fast the device codes, and what crosses the measured cuts takes without loss', async () => {
    const made = await profileModel(deepOptions());
    expect(made.frame).toBe('made up');
    expect(made.coding?.lossless?.encodeMsPerMegabyte).toBeGreaterThan(0);
    const same = new Map([['x', float32Tensor([8, SIZE], new Float32Array(8 * SIZE).fill(0.5))]]);
    for (const side of ['both', 'edge', 'cloud'] as const) {
      const given = await profileModel(deepOptions({ inputs: same, side, budgetMs: 500 }));
      expect(given.frame).toBe('given');
      expect(readBack(given)).toEqual(given);
      const values = new Map(given.values.map((value) => [value.name, value]));
      const crossing = new Set(given.segments.flatMap(({ head, tail }) => head ?? tail ?? []));
      // Every element of a layer is the same number.
      for (const name of ['x', ...crossing]) {
        const { bytes, losslessBytes } = values.get(name) ?? {};
        expect(losslessBytes, name).toBeGreaterThan(0);
        expect(losslessBytes, name).toBeLessThan((bytes ?? 0) / 10);
      }
      expect(values.get('y')?.losslessBytes).toBeLessThanOrEqual(8 * 4);
    }
  });

  test('codes no more than a share of its time', async () => {
    let nowMs = 0;
    const coder = new SampleCoder({ ...systemClock, nowMs: () => (nowMs += 30) }, 50);
    const tensor = float32Tensor([64], new Float32Array(64));
    expect(coder.bytesOf('none', undefined)).toEqual([]);
    const sizes = ['a', 'b', 'c'].map((name) => coder.bytesOf(name, tensor).length);
    expect(sizes).toEqual([1, 1, 0]);
    expect(coder.bytesOf('a', undefined)).toHaveLength(1);
  });

  test('holds heads and tails of cuts that can be made and break no fusion', async () => {
    const options = deepOptions();
    const profile = await profileModel(options);
    const specs = new Map(profile.values.map((value) => [value.name, value]));
    const cuts = crossableCuts(listCuts(options.graph), specs).map(({ tensors, inputs }) =>
      [...tensors, ...inputs].join(),
    );
    const fused = fusedValues(options.graph);
    expect(fused.size).toBeGreaterThan(0);
    const heads = profile.segments.flatMap(({ head }) => (head === null ? [] : [head]));
    const tails = profile.segments.flatMap(({ tail }) => (tail === null ? [] : [tail]));
    expect(heads).toEqual(tails);
    expect(heads.length).toBeGreaterThan(3);
    for (const tensors of heads) {
      expect(cuts).toContain(tensors.join());
      expect(tensors.filter((name) => fused.has(name))).toEqual([]);
    }
  });

  test.each([
    ['edge', true, false],
    ['cloud', false, true],
  ] as const)('for the %s alone holds only what it runs', async (side, hasHeads, hasTails) => {
    const { segments, nodes } = await profileModel(deepOptions({ side }));
    expect(segments.some(({ head }) => head !== null)).toBe(hasHeads);
    expect(segments.some(({ tail }) => tail !== null)).toBe(hasTails);
    expect(nodes.some(({ ms }) => ms > 0)).toBe(true);
  });

  test('of no budget holds the whole and three cuts', async () => {
    const { segments, wholeMs, wholeP99Ms } = await profileModel(deepOptions({ budgetMs: 0 }));
    expect(segments).toHaveLength(6);
    expect(segments.every(({ runs, p99Ms }) => runs === 3 && p99Ms === null)).toBe(true);
    expect(wholeMs).toBeGreaterThan(0);
    expect(wholeP99Ms).toBeNull();
  });

  test('is what the planner takes, on both sides', async () => {
    const options = deepOptions();
    const edge = readBack(await profileModel({ ...options, side: 'edge' }));
    const cloud = readBack(await profileModel({ ...options, side: 'cloud' }));
    const link = statedLink({ uplinkBitsPerSecond: 20e6, roundTripMs: 40 });
    const found = plan(options.graph, { edge, cloud, link });
    expect(found.outcome).toBe('planned');
    if (found.outcome === 'planned') expect(found.unpriced).toEqual({ edge: 0, cloud: 0 });
  });
});

describe('sizes', () => {
  test('that depend on data are those of the run', async () => {
    const graph = [
      { op: 'NonZero', inputs: ['x'], outputs: ['places'] },
      { op: 'Cast', inputs: ['places'], outputs: ['numbers'], attributes: { to: 1 } },
      { op: 'ReduceSum', inputs: ['numbers'], outputs: ['y'], attributes: { keepdims: 0 } },
    ];
    const inputs = new Map([['x', float32Tensor([4], Float32Array.of(0, 5, 0, 7))]]);
    const model = bytesOf(graph, { inputs: [float('x', ['n'])], outputs: [float('y', [])], initializers: [] });
    const { values, segments } = await profileModel(optionsOf(model, { inputs, budgetMs: 0 }));
    expect(values.find(({ name }) => name === 'places')).toEqual({
      name: 'places',
      dtype: 'int64',
      shape: [1, 2],
      bytes: 16,
    });
    expect(segments.map(({ head }) => head)).toContainEqual(['numbers']);
  });

  test('that nothing binds are an error, before anything runs', async () => {
    const backend: Backend = { ...cpu(ort), load: () => Promise.reject(new Error('must not be asked')) };
    const unbound = profileModel(deepOptions({ dims: {}, backend }));
    await expect(unbound).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("'rows'"),
    });
  });

  test('of a dimension that no input has are an error', async () => {
    const stray = profileModel(deepOptions({ dims: { rows: 8, colums: 2 } }));
    await expect(stray).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("'colums'"),
    });
  });

  test('of a sample must fit', async () => {
    const inputs = new Map([['x', float32Tensor([8, 3], new Float32Array(24))]]);
    await expect(profileModel(deepOptions({ inputs }))).rejects.toMatchObject({ code: 'TENSOR_MISMATCH' });
  });
});

/** Counts what is loaded at a time; refuses what `isRefused` says. */
function watched(isRefused: (outputs: readonly string[]) => boolean): Backend & { loaded: number; most: number } {
  const real = cpu(ort);
  const watch = {
    ...real,
    loaded: 0,
    most: 0,
    async load(...given: Parameters<Backend['load']>) {
      const model = await real.load(...given);
      if (isRefused(model.outputs.map(({ name }) => name))) {
        await model.dispose();
        throw new KerfError('MODEL_UNSUPPORTED', 'this part is not for me');
      }
      watch.loaded++;
      watch.most = Math.max(watch.most, watch.loaded);
      return {
        inputs: model.inputs,
        outputs: model.outputs,
        run: model.run.bind(model),
        async dispose() {
          watch.loaded--;
          await model.dispose();
        },
      };
    },
  };
  return watch;
}

describe('the runtime', () => {
  test('holds the whole, one head and one tail at most, and nothing at the end', async () => {
    const backend = watched(() => false);
    await profileModel(deepOptions({ backend }));
    expect(backend.most).toBe(3);
    expect(backend.loaded).toBe(0);
  });

  test('may refuse a cut: it is left out, and the progress says so', async () => {
    const told: string[] = [];
    const backend = watched((outputs) => outputs.includes('r4') && outputs.length === 1);
    const { segments } = await profileModel(deepOptions({ backend, onProgress: (text) => told.push(text) }));
    expect(segments.length).toBeGreaterThan(6);
    expect(segments.map(({ head }) => head)).not.toContainEqual(['r4']);
    expect(told.at(-1)).toMatch(/1 cut left out.*this part is not for me/);
    expect(backend.loaded).toBe(0);
  });

  test('that lacks an operator is asked for its name', async () => {
    const model = bytesOf([relu('x', 'a'), { op: 'Foo', domain: 'com.acme', inputs: ['a'], outputs: ['y'] }], {
      opsets: { '': 17, 'com.acme': 1 },
    });
    const error = await profileModel(optionsOf(model)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MODEL_UNSUPPORTED', details: { opType: 'Foo', domain: 'com.acme' } });
    expect((error as KerfError).message).toMatch(/operator 'Foo' of domain 'com\.acme'.*costs written by hand/);
  });
});

describe('times of single nodes', () => {
  test('are the profiler’s where there is one', async () => {
    const options = optionsOf(bytesOf(diamond));
    const nodeEvents: NodeEvents = async (_, inputs) => {
      expect([...inputs.keys()]).toEqual(['x']);
      return workGraph(options.graph).nodes.map(({ index, record }) => ({
        index,
        name: '',
        opType: record.opType,
        ms: 1,
      }));
    };
    const profile = await profileModel({ ...options, nodeEvents });
    expect(profile.nodeTimesFrom).toBe('events');
    expect(profile.nodes.every(({ ms }) => ms === 1)).toBe(true);
  });

  test('are differences of cuts where the profiler fails', async () => {
    const told: string[] = [];
    const nodeEvents: NodeEvents = () => Promise.reject(new KerfError('BACKEND_FAILED', 'no profiler today'));
    const profile = await profileModel(deepOptions({ nodeEvents, budgetMs: 0, onProgress: (text) => told.push(text) }));
    expect(profile.nodeTimesFrom).toBe('segments');
    expect(told.join('\n')).toContain('no profiler today');
  });
});
