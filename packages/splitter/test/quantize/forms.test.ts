// Every form on the real runtime: its numbers against float32, its types, and which kernels run.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatChunks, extract, type ModelEdit, type ModelGraph, metadataOf, openModel } from '@kerf/onnx';
import { KerfError, type TensorMap } from '@kerf/protocol';
import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  bytesHost,
  cutForm,
  dynamicForm,
  float16Form,
  Int8Reader,
  Judge,
  listCuts,
  metricFor,
  observeRanges,
  observeValues,
  planCut,
  type StaticResult,
  searchStatic,
  splitModel,
  staticForm,
  tensorsInBytes,
  valuesToObserve,
  weightsForm,
} from '../../src/index.ts';
import { cpu } from '../models.ts';
import { convNet, distance, dtypesOf, editedBytes, numbersOf, picture, runBytes } from './models.ts';

const SAMPLES = Array.from({ length: 16 }, (_, index) => picture(100 + index));
const TEST = picture(7);

/** Operators that the optimised session runs, from the runtime's own profile. */
async function kernelsOf(bytes: Uint8Array, inputs: TensorMap): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-test-'));
  try {
    const session = await ort.InferenceSession.create(bytes, {
      enableProfiling: true,
      profileFilePrefix: join(folder, 'p'),
      intraOpNumThreads: 1,
    });
    const feeds = Object.fromEntries(
      [...inputs].map(([name, tensor]) => [
        name,
        new ort.Tensor('float32', Float32Array.from(numbersOf(tensor)), [...tensor.shape]),
      ]),
    );
    await session.run(feeds);
    session.endProfiling();
    const [file = ''] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as {
      cat: string;
      args?: { op_name?: string };
    }[];
    return events.flatMap(({ cat, args }) => (cat === 'Node' && args?.op_name !== undefined ? [args.op_name] : []));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function staticOf(
  graph: ModelGraph,
  options: { method?: 'auto' | 'minmax'; maxLossPoints?: number | null; samples?: readonly TensorMap[] } = {},
): Promise<StaticResult> {
  const backend = cpu(ort);
  const host = bytesHost();
  const dtypes = await dtypesOf(ort, graph);
  const dtypeOf = (name: string): number | null => dtypes.get(name) ?? null;
  const samples = options.samples ?? SAMPLES;
  const histograms = await observeValues(valuesToObserve(graph, dtypeOf), {
    graph,
    host,
    backend,
    samples: () => samples,
  });
  const judged = samples.map((inputs) => ({ inputs, label: null }));
  const judge = new Judge({ graph, host, backend, metric: metricFor('none'), samples: judged });
  return await searchStatic({
    graph,
    dtypeOf,
    histograms,
    read: new Int8Reader(tensorsInBytes(graph), { isPairSafe: true }),
    judge,
    method: options.method ?? 'auto',
    maxLossPoints: options.maxLossPoints ?? null,
  });
}

describe('weights', () => {
  it('are a quarter of the bytes, and the answers hardly change', async () => {
    const graph = convNet();
    const { edit, weights } = await weightsForm(graph, tensorsInBytes(graph));
    expect(weights).toBe(3);
    expect(await distance(ort, graph, edit, TEST)).toBeLessThan(0.01);
    expect(editedBytes(graph, edit).byteLength).toBeLessThan(graph.model.bytes.byteLength * 0.4);
  });

  it('are folded when the model is loaded: no node more runs than before', async () => {
    const graph = convNet();
    const { edit } = await weightsForm(graph, tensorsInBytes(graph));
    const before = await kernelsOf(graph.model.bytes, TEST);
    expect((await kernelsOf(editedBytes(graph, edit), TEST)).sort()).toEqual(before.sort());
  });
});

describe('float16', () => {
  it('halves the weights, keeps the types of the interface and stays within its rounding', async () => {
    const graph = convNet();
    const { edit, nodes, float32 } = await float16Form(graph, {
      read: tensorsInBytes(graph),
      dtypes: await dtypesOf(ort, graph),
    });
    expect(nodes).toBe(12);
    expect(float32).toEqual([]);
    expect(await distance(ort, graph, edit, TEST)).toBeLessThan(2e-3);
    const bytes = editedBytes(graph, edit);
    expect(bytes.byteLength).toBeLessThan(graph.model.bytes.byteLength * 0.6);
    expect(metadataOf(openModel(bytes).model).get('kerf.quantized')).toBe('float16');
  });

  it('leaves nodes in float32 whose values were seen beyond its range', async () => {
    const graph = convNet();
    const dtypes = await dtypesOf(ort, graph);
    const read = tensorsInBytes(graph);
    const { float32 } = await float16Form(graph, { read, dtypes, tooLarge: new Set(['c1']) });
    expect(float32.map(({ op }) => op)).toEqual(['Conv', 'Add']);
  });
});

describe('dynamic', () => {
  it('multiplies matrices in int8 and keeps the weights of convolutions in int8', async () => {
    const graph = convNet();
    const { edit, nodes, stored } = await dynamicForm(graph, { read: tensorsInBytes(graph), isPairSafe: true });
    expect([nodes, stored]).toEqual([1, 2]);
    expect(await distance(ort, graph, edit, TEST)).toBeLessThan(0.02);
    const kernels = await kernelsOf(editedBytes(graph, edit), TEST);
    expect(kernels.some((kernel) => /MatMulInteger|DynamicQuantizeMatMul/.test(kernel))).toBe(true);
    expect(kernels).not.toContain('Gemm');
  });
});

describe('static', () => {
  it('fuses into integer kernels, ReLU and Clip included', async () => {
    const graph = convNet();
    const { edit, plan } = await staticOf(graph);
    expect(plan.nodes.map(({ node, folded }) => node.record.opType + (folded ? '+relu' : ''))).toEqual([
      'Conv+relu',
      'Conv',
      'Add+relu',
      'MaxPool',
      'Conv+relu',
      'GlobalAveragePool',
      'Flatten',
      'Gemm',
    ]);
    const kernels = await kernelsOf(editedBytes(graph, edit), TEST);
    expect(kernels.filter((kernel) => kernel === 'QLinearConv')).toHaveLength(3);
    expect(kernels.filter((kernel) => kernel === 'QLinearAdd')).toHaveLength(1);
    expect(kernels).toContain('QGemm');
    expect(kernels).not.toContain('Conv');
    expect(kernels).not.toContain('Relu');
    expect(kernels.filter((kernel) => kernel === 'QuantizeLinear')).toHaveLength(1);
    expect(kernels.filter((kernel) => kernel === 'DequantizeLinear')).toHaveLength(1);
  });

  it('is near float32, at every level of optimisation', async () => {
    const graph = convNet();
    const { edit, judgement } = await staticOf(graph);
    expect(await distance(ort, graph, edit, TEST)).toBeLessThan(0.03);
    expect(judgement.closenessPoints).toBeGreaterThan(97);
    const backend = cpu(ort);
    const bytes = editedBytes(graph, edit);
    const [plain, fused] = await Promise.all(
      (['disabled', 'all'] as const).map(async (optimizationLevel) => {
        const model = await backend.load({ bytes }, { optimizationLevel });
        return numbersOf((await model.run(TEST)).get('y'));
      }),
    );
    plain?.forEach((value, at) => {
      expect(Math.abs(value - (fused?.[at] ?? Number.NaN))).toBeLessThan(0.05);
    });
    await backend.dispose();
  });

  it('leaves the costliest nodes in float32 until the limit holds, and says which', async () => {
    const graph = convNet();
    const free = await staticOf(graph, { method: 'minmax' });
    const loss = free.judgement.task.lossPoints;
    const { judgement, sensitivities, holds, plan } = await staticOf(graph, {
      method: 'minmax',
      maxLossPoints: loss / 2,
    });
    expect(holds).toBe(true);
    expect(judgement.task.lossPoints).toBeLessThanOrEqual(loss / 2);
    expect(sensitivities).toHaveLength(4);
    const gains = sensitivities.map(({ gainPoints }) => gainPoints);
    expect(gains).toEqual(gains.toSorted((left, right) => right - left));
    expect(sensitivities[0]?.excluded).toBe(true);
    expect(plan.nodes.length).toBeLessThan(free.plan.nodes.length);
  });

  it('says that the limit does not hold when no node can stay out for it', async () => {
    const { holds } = await staticOf(convNet(), { method: 'minmax', maxLossPoints: -1 });
    expect(holds).toBe(false);
  });

  it('leaves out nodes whose values are not finite', async () => {
    const broken = new Map(picture(3));
    const tensor = broken.get('x');
    if (tensor !== undefined) new Float32Array(tensor.data.buffer)[0] = Number.NaN;
    const { unseen, plan } = await staticOf(convNet(), { samples: [broken] }).catch((error: unknown) => {
      if (KerfError.is(error)) return { unseen: [error.code], plan: null };
      throw error;
    });
    // One NaN reaches every convolution: nothing is left to quantise.
    expect(plan).toBeNull();
    expect(unseen).toEqual(['MODEL_UNSUPPORTED']);
  });
});

describe('the value at a cut', () => {
  const at = 'r1';

  async function cut(graph: ModelGraph, elementwise: boolean): Promise<{ edit: ModelEdit; at: readonly string[] }> {
    const options = { graph, host: bytesHost(), backend: cpu(ort), samples: () => SAMPLES };
    const range = (await observeRanges([at], options)).get(at) ?? { min: 0, max: 0 };
    return cutForm(graph, { values: [{ name: at, ranges: [range], rank: 4 }], elementwise });
  }

  for (const elementwise of [false, true]) {
    it(`is uint8 in an ordinary split${elementwise ? ', without QuantizeLinear' : ''}`, async () => {
      const graph = convNet();
      const { edit, at: names } = await cut(graph, elementwise);
      expect(await distance(ort, graph, edit, TEST)).toBeLessThan(0.01);
      const edited = openModel(editedBytes(graph, edit));
      expect(edited.nodes.some(({ record }) => record.opType === 'QuantizeLinear')).toBe(!elementwise);
      const split = await splitModel(planCut(edited, names), cpu(ort), bytesHost());
      expect(split.tensors.find(({ name }) => name === names[0])?.dtype).toBe('uint8');
      expect(listCuts(edited).some(({ tensors }) => tensors[0] === names[0])).toBe(true);
    });
  }

  it('gives the same levels both ways, but for ties', async () => {
    const graph = convNet();
    const run = async (elementwise: boolean): Promise<number[]> => {
      const { edit, at: names } = await cut(graph, elementwise);
      const edited = openModel(editedBytes(graph, edit));
      const head = extract(edited, { inputs: ['x'], outputs: names });
      return numbersOf((await runBytes(ort, concatChunks(head.chunks), TEST)).get(names[0] ?? ''));
    };
    const [linear, steps] = [await run(false), await run(true)];
    const apart = linear.map((level, index) => Math.abs(level - (steps[index] ?? Number.NaN)));
    expect(Math.max(...apart)).toBeLessThanOrEqual(1);
    expect(apart.filter((difference) => difference > 0).length).toBeLessThan(linear.length / 500);
  });

  it('may be a model input', async () => {
    const graph = convNet();
    const { edit, at: names } = cutForm(graph, { values: [{ name: 'x', ranges: [{ min: -1, max: 1 }], rank: 4 }] });
    expect(names).toEqual(['x/uint8']);
    expect(await distance(ort, graph, edit, TEST)).toBeLessThan(0.02);
  });

  it('may be several values, one behind the other', async () => {
    const graph = convNet();
    const range = { min: -4, max: 4 };
    const values = ['x', 'c0', 'r0', 'a1'].map((name) => ({ name, ranges: [range], rank: 4 }));
    const { edit, at: names } = cutForm(graph, { values });
    expect(names).toHaveLength(4);
    expect(await distance(ort, graph, edit, TEST)).toBeLessThan(0.1);
  });

  it('is refused when it is a constant, unknown, or the operator set is too old', () => {
    const value = (name: string, scales = 1) => ({
      name,
      ranges: Array.from({ length: scales }, () => ({ min: 0, max: 1 })),
      rank: 4,
    });
    expect(() => cutForm(convNet(), { values: [value('w1')] })).toThrow(/constant/);
    expect(() => cutForm(convNet(), { values: [value('r9')] })).toThrow(/no value 'r9'/);
    const old = convNet({ opsets: { '': 11 } });
    expect(() => cutForm(old, { values: [value('r1', 16)] })).toThrow(/operator set 11/);
    expect(() => cutForm(old, { values: [value('r1')] })).not.toThrow();
  });

  it('says how to go on where the operator set is too old for the static form', async () => {
    const graph = convNet({ opsets: { '': 11 } });
    const options = { plan: { nodes: [] }, ranges: new Map(), read: tensorsInBytes(graph), note: '' };
    await expect(staticForm(graph, options as never)).rejects.toThrow(/operator set 11.*convert_version.*weights/);
  });
});
