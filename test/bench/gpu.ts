// What a GPU makes of the reference models: is each provider right, and how much faster than the CPU, whole, split and batched?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { type Backend, type LoadedModel, messageOf, type Tensor, type TensorMap, typedView } from '@kerf/protocol';
import { listCuts, runSplit } from '@kerf/splitter';
import { writeSplit } from '@kerf/splitter/node';
import { type Bench, type BenchRow, interleave, type PairedTimes } from './bench.ts';
import { measureBrowserGpu } from './gpu/browser.ts';
import { matrixTail, rowsOf } from './gpu/matrix-tail.ts';
import { DETECTOR, LINES, openReal, type RealModel } from './real-models.ts';

const surface = fileURLToPath(new URL('../../models/files/surface-v1.onnx', import.meta.url));
const SURFACE: RealModel = { name: 'surface', path: surface, shape: [1, 3, 384, 384], rounds: 31 };
const PROVIDERS = ['cuda', 'webgpu'];
const BATCHES = [1, 4, 16, 64];

export const gpu: Bench = {
  name: 'gpu',
  summary: 'CUDA and WebGPU in Node, WebGPU in Chromium, against the CPU; --only cuda, webgpu or browser',
  async *run({ only, full }) {
    const cpu = await nodeBackend({ runtime: 'onnxruntime-node' });
    for (const provider of PROVIDERS.filter((name) => only === null || only === name)) {
      const backend = await nodeBackend({ runtime: 'onnxruntime-node', executionProvider: provider });
      try {
        for (const real of [SURFACE, DETECTOR, LINES]) yield* measureModel(real, provider, backend, cpu);
        yield* measureBatches(provider, backend, cpu);
      } catch (error) {
        console.log(`  ${provider} does not run here: ${messageOf(error)}`);
      } finally {
        await backend.dispose();
      }
    }
    await cpu.dispose();
    if (only === null || only === 'browser') yield* measureBrowserGpu(surface, full);
  },
};

async function* measureModel(
  real: RealModel,
  provider: string,
  backend: Backend,
  cpu: Backend,
): AsyncIterable<BenchRow> {
  const { model, inputs } = await openReal(real);
  const name = `${real.name}, ${provider}`;
  const [here, there] = [await cpu.load({ path: real.path }), await backend.load({ path: real.path })];
  const off = largestDifference(await here.run(inputs), await there.run(inputs));
  yield alone(`${name}, largest difference from the CPU`, off, 'of range');
  const whole = await interleave(
    () => there.run(inputs),
    () => here.run(inputs),
    { rounds: real.rounds },
  );
  yield against(name, whole, 'one thread of the CPU');
  // A cut in the middle: what one more call and the activation's way out of the GPU and in again cost.
  const single = listCuts(model.graph).filter((cut) => cut.tensors.length === 1 && cut.inputs.length === 0);
  const cut = single[single.length >> 1];
  const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
  try {
    if (cut !== undefined) {
      const { manifest } = await writeSplit({ model, cut: cut.tensors, folder, backend: cpu });
      const head = await backend.load({ path: join(folder, 'head.onnx') });
      const tail = await backend.load({ path: join(folder, 'tail.onnx') });
      const split = (): Promise<TensorMap> => runSplit({ head, tail, names: manifest }, inputs);
      const times = await interleave(split, () => there.run(inputs), { rounds: real.rounds });
      yield against(`${name}, head and tail at ${cut.tensors[0]}`, times, 'whole, same provider');
      await head.dispose();
      await tail.dispose();
    }
  } finally {
    await rm(folder, { recursive: true });
    await here.dispose();
    await there.dispose();
  }
}

/** Rows of a tail that a GPU has work with: what batches gain. */
async function* measureBatches(provider: string, backend: Backend, cpu: Backend): AsyncIterable<BenchRow> {
  const bytes = matrixTail();
  const [there, here] = [await backend.load({ bytes }), await cpu.load({ bytes })];
  const one = rowsOf(1, 1);
  const off = largestDifference(await here.run(one), await there.run(one));
  yield alone(`matrix tail, ${provider}, largest difference from the CPU`, off, 'of range');
  await here.dispose();
  for (const rows of BATCHES.slice(1)) yield await measureRows(provider, there, rows);
  await there.dispose();
}

async function measureRows(provider: string, model: LoadedModel, rows: number): Promise<BenchRow> {
  const [single, many] = [rowsOf(1, 2), rowsOf(rows, 3)];
  const { ours, theirs, ratio } = await interleave(
    () => model.run(many),
    () => model.run(single),
    { rounds: 21 },
  );
  const gained = rows / ratio;
  return {
    ...alone(`matrix tail, ${provider}, ${rows} rows together`, (1000 * rows) / ours, 'rows/s'),
    against: `one row at a time (${(1000 / theirs).toFixed(0)} rows/s)`,
    ratio: gained,
  };
}

/** Of all outputs, as a share of each output's range on the CPU. */
function largestDifference(expected: TensorMap, actual: TensorMap): number {
  return Math.max(...[...expected].map(([name, tensor]) => difference(tensor, actual.get(name))));
}

function difference(expected: Tensor, actual: Tensor | undefined): number {
  if (actual === undefined || actual.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY;
  const [a, b] = [typedView(expected) as Float32Array, typedView(actual) as Float32Array];
  let [low, high, off] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const [at, value] of a.entries()) {
    [low, high] = [Math.min(low, value), Math.max(high, value)];
    const distance = Math.abs(value - (b[at] ?? Number.NaN));
    off = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(off, distance);
  }
  return high > low ? off / (high - low) : off;
}

function alone(name: string, value: number, unit: string): BenchRow {
  return { bench: 'gpu', case: name, value, unit, against: null, ratio: null, goal: null, met: null };
}

function against(name: string, { ours, theirs, ratio }: PairedTimes, other: string): BenchRow {
  return { ...alone(name, ours, 'ms'), against: `${other} (${theirs.toFixed(2)} ms)`, ratio };
}
