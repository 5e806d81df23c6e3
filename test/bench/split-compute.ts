// Does a split cost compute? Head + tail against the whole model, same provider, same process, interleaved.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeBackend } from '@kerf/edge-runtime/node';
import type { Backend, LoadedModel, OptimizationLevel, TensorMap } from '@kerf/protocol';
import { listCuts, runSplit } from '@kerf/splitter';
import { writeSplit } from '@kerf/splitter/node';
import { type Bench, type BenchRow, interleave, median, type PairedTimes } from './bench.ts';
import { CLASSIFIER, DETECTOR, LINES, openReal, type RealModel } from './real-models.ts';

/** Without `--full`, so many cuts of each model, evenly spaced. */
const SAMPLED_CUTS = 8;

export const splitCompute: Bench = {
  name: 'split-compute',
  summary: 'head + tail against the whole model at single-tensor cuts, onnxruntime-node on one thread',
  async *run({ full }) {
    const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
    for (const real of [CLASSIFIER, DETECTOR, LINES]) yield* measureModel(real, backend, full);
    await backend.dispose();
  },
};

async function* measureModel(real: RealModel, backend: Backend, full: boolean): AsyncIterable<BenchRow> {
  const { model, inputs } = await openReal(real);
  const single = listCuts(model.graph).filter((cut) => cut.tensors.length === 1 && cut.inputs.length === 0);
  const step = full ? 1 : Math.max(1, single.length / SAMPLED_CUTS);
  const chosen = Array.from({ length: Math.floor(single.length / step) }, (_, at) => single[Math.floor(at * step)]);
  const measured: PairedTimes[] = [];
  let exact = 0;
  for (const cut of chosen) {
    if (cut === undefined) continue;
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    const { manifest } = await writeSplit({ model, cut: cut.tensors, folder, backend });
    measured.push(await measureCut(real, folder, manifest, inputs, backend, 'all'));
    exact += (await isExact(real, folder, manifest, inputs, backend)) ? 1 : 0;
    await rm(folder, { recursive: true });
  }
  const cuts = `${measured.length} of ${single.length} cuts`;
  const ratio = median(measured.map((cut) => cut.ratio));
  const base = { bench: 'split-compute', unit: 'ms', against: 'whole model' };
  const ours = median(measured.map((cut) => cut.ours));
  yield { ...base, case: `${real.name}, median of ${cuts}`, value: ours, ratio, goal: '<= 1.03', met: ratio <= 1.03 };
  const worst = measured.reduce((one, other) => (other.ratio > one.ratio ? other : one));
  yield {
    ...base,
    case: `${real.name}, worst of ${cuts}`,
    value: worst.ours,
    ratio: worst.ratio,
    goal: null,
    met: null,
  };
  const share = exact / measured.length;
  yield {
    bench: 'split-compute',
    case: `${real.name}, bit-equal at level disabled`,
    value: exact,
    unit: 'cuts',
    against: 'cuts measured',
    ratio: share,
    goal: '= 1',
    met: share === 1,
  };
}

type Manifest = Awaited<ReturnType<typeof writeSplit>>['manifest'];

interface Loaded {
  readonly whole: LoadedModel;
  readonly head: LoadedModel;
  readonly tail: LoadedModel;
}

async function load(real: RealModel, folder: string, backend: Backend, level: OptimizationLevel): Promise<Loaded> {
  const options = { optimizationLevel: level, threads: 1 };
  return {
    whole: await backend.load({ path: real.path }, options),
    head: await backend.load({ path: join(folder, 'head.onnx') }, options),
    tail: await backend.load({ path: join(folder, 'tail.onnx') }, options),
  };
}

async function dispose({ whole, head, tail }: Loaded): Promise<void> {
  for (const model of [whole, head, tail]) await model.dispose();
}

async function measureCut(
  real: RealModel,
  folder: string,
  names: Manifest,
  inputs: TensorMap,
  backend: Backend,
  level: OptimizationLevel,
): Promise<PairedTimes> {
  const loaded = await load(real, folder, backend, level);
  const split = (): Promise<TensorMap> => runSplit({ ...loaded, names }, inputs);
  const whole = (): Promise<TensorMap> => loaded.whole.run(inputs);
  const times = await interleave(split, whole, { rounds: real.rounds });
  await dispose(loaded);
  return times;
}

async function isExact(
  real: RealModel,
  folder: string,
  names: Manifest,
  inputs: TensorMap,
  backend: Backend,
): Promise<boolean> {
  const loaded = await load(real, folder, backend, 'disabled');
  const equal = sameBits(await loaded.whole.run(inputs), await runSplit({ ...loaded, names }, inputs));
  await dispose(loaded);
  return equal;
}

function sameBits(expected: TensorMap, actual: TensorMap): boolean {
  return [...expected].every(([name, tensor]) => {
    const other = actual.get(name);
    return other !== undefined && Buffer.compare(tensor.data, other.data) === 0;
  });
}
