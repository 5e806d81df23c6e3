// How much of the runtime's batched speed reaches those who ask under load, and how the tail of latencies grows with bursts.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloudProcess } from '@kerf/cli';
import { issueToken } from '@kerf/cloud-runtime';
import { EdgeSession } from '@kerf/edge-runtime';
import { nodeBackend, wsConnect } from '@kerf/edge-runtime/node';
import { buildModel } from '@kerf/onnx';
import { float32Tensor, type LoadedModel, seededRandom, type Tensor } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import { type Bench, type BenchRow, median } from './bench.ts';
import { ELEMENTS, matrixTail } from './gpu/matrix-tail.ts';
import { type OpenLoopResult, openLoop, percentile } from './serving/open-loop.ts';
import { childrenOf, cpuMsOf } from './serving/process-stats.ts';

const WIDTH = 3072;
const LAYERS = 3;
const SESSIONS = 8;
/** Few rows: with more, frames a second would be what sockets carry, not what the tail runs. */
const ON_CPU: Subject = { provider: 'cpu', model: layers, elements: WIDTH, maxBatch: 4, tolerance: 1e-4 };
/** Shorter formats (TF32) over 64 layers. */
const ON_GPU = { model: matrixTail, elements: ELEMENTS, maxBatch: 16, tolerance: 0.05 };
/** Beyond what the tail can do, so that batches are full. */
const OVERLOAD = 1.5;
const LOAD = 0.7;
/** Of one round of load. */
const SECONDS = 2.4;

interface Subject {
  /** Of the cloud, and of what it is held against. */
  readonly provider: string;
  readonly model: () => Uint8Array;
  readonly elements: number;
  readonly maxBatch: number;
  /** At which the cloud lets frames run together. */
  readonly tolerance: number;
}

export const serving: Bench = {
  name: 'serving',
  summary:
    'a tail that gains from batches, under open-loop load from eight sessions, against onnxruntime-node called directly; --only cuda or webgpu',
  async *run({ full, only }) {
    growHeapFreely(); // as `kerf station` does
    const subject = only === null ? ON_CPU : { ...ON_GPU, provider: only };
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    const models = join(folder, 'models');
    await mkdir(models);
    const path = join(models, 'layers.onnx');
    await writeFile(path, subject.model());
    const serve = ['--models', models, '--state', join(folder, 'state'), '--port', '0', '--preload', 'layers'];
    const cloud = await startCloudProcess([
      ...serve,
      '--batch-tolerance',
      String(subject.tolerance),
      '--accept-late',
      '--max-batch',
      String(subject.maxBatch),
      '--provider',
      subject.provider,
    ]);
    const backend = await nodeBackend({ runtime: 'onnxruntime-node', executionProvider: subject.provider });
    const key = await readFile(join(folder, 'state', 'token-private.pem'), 'utf8');
    const token = await issueToken({ privateKeyPem: key, subject: 'bench', models: ['*'], expiresInSeconds: 3600 });
    const connect = wsConnect({ url: cloud.url, ca: await readFile(cloud.certificatePath ?? '') });
    try {
      const sessions = await Promise.all(
        Array.from({ length: SESSIONS }, () =>
          EdgeSession.open({
            split: null,
            head: null,
            local: null,
            cloud: { model: 'layers', connect, token },
            options: { maxQueuedFrames: 8, maxPreparedFrames: 8, maxInFlightFrames: 4, deadlineMs: 60_000 },
          }),
        ),
      );
      const direct = await backend.load({ path });
      yield* measure(subject, sessions, direct, cloud.child.pid ?? 0, full ? 25 : 7);
      for (const session of sessions) session.close();
    } finally {
      await backend.dispose();
      await cloud.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function* measure(
  { elements, maxBatch }: Subject,
  sessions: readonly EdgeSession[],
  direct: LoadedModel,
  gateway: number,
  rounds: number,
): AsyncIterable<BenchRow> {
  const inputs = Array.from({ length: 64 }, (_, seed) => sample(1, elements, seed));
  const rowsSeen: number[] = [];
  const batches: number[] = [];
  const cpuRatios: number[] = [];
  const computeMs: number[] = [];
  const insideRatios: number[] = [];
  const send = async (index: number): Promise<boolean> => {
    const session = sessions[index % sessions.length] as EdgeSession;
    const outcome = await session.infer(new Map([['x', inputs[index % inputs.length] as Tensor]]));
    if (outcome.kind !== 'result') return false;
    if (outcome.outputs.get('y')?.data.byteLength !== elements * 4) throw new Error('the answer is cut short');
    rowsSeen.push(outcome.spans.cloud?.batchRows ?? 0);
    if (outcome.spans.cloud?.batchRows === maxBatch) computeMs.push(outcome.spans.cloud.computeMs);
    return true;
  };
  const load = (
    perSecond: number,
    arrivals: 'poisson' | 'uniform',
    seconds: number,
    seed: number,
  ): Promise<OpenLoopResult> => openLoop({ perSecond, seconds, skipSeconds: 0.4, arrivals, seed, send });
  // Batches are proven while this runs, two rows first.
  const { perSecond: guess } = await directRate(direct, maxBatch, elements);
  await load(guess * OVERLOAD, 'poisson', 4, 0);
  const throughputs: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // In turn, so that a machine that slows down slows both.
    const before = await directRate(direct, maxBatch, elements);
    rowsSeen.length = 0;
    computeMs.length = 0;
    const [worker] = childrenOf(gateway);
    const spentMs = cpuMsOf(worker ?? gateway);
    const { perSecond } = await load(guess * OVERLOAD, 'poisson', SECONDS, round);
    const after = await directRate(direct, maxBatch, elements);
    cpuRatios.push((cpuMsOf(worker ?? gateway) - spentMs) / rowsSeen.length / ((before.cpuMs + after.cpuMs) / 2));
    batches.push(mean(rowsSeen));
    insideRatios.push((mean(computeMs) * ((before.perSecond + after.perSecond) / 2)) / maxBatch / 1000);
    throughputs.push(perSecond);
    ratios.push(perSecond / ((before.perSecond + after.perSecond) / 2));
  }
  const throughput = median(throughputs);
  yield row('rows per second, Poisson arrivals beyond capacity', throughput, 'rows/s', {
    against: `called directly with ${maxBatch} rows (the cloud's batches: ${mean(batches).toFixed(1)})`,
    ratio: median(ratios),
    goal: 0.95,
    atLeast: true,
  });
  yield {
    bench: 'serving',
    case: 'a full batch inside the runtime of the worker',
    value: median(insideRatios),
    unit: 'ratio',
    against: 'called directly: what is above 1 is not of our making',
    ratio: median(insideRatios),
    goal: null,
    met: null,
  };
  yield {
    bench: 'serving',
    case: "the worker's processor time for a row, decoding and answering included",
    value: median(cpuRatios),
    unit: 'ratio',
    against: 'called directly, in processor time too: it says what a busy machine hides',
    ratio: median(cpuRatios),
    goal: null,
    met: null,
  };
  const latencies: Record<'poisson' | 'uniform', number[]> = { poisson: [], uniform: [] };
  for (let round = 0; round < rounds; round++) {
    for (const arrivals of ['poisson', 'uniform'] as const) {
      const { latenciesMs } = await load(throughput * LOAD, arrivals, 2 * SECONDS, round);
      latencies[arrivals].push(...latenciesMs);
    }
  }
  const [poisson, uniform] = (['poisson', 'uniform'] as const).map((arrivals) =>
    percentile(
      latencies[arrivals].toSorted((a, b) => a - b),
      0.99,
    ),
  ) as [number, number];
  yield row('p99 under Poisson arrivals at 70 % load', poisson, 'ms', {
    against: `uniform arrivals (${uniform.toFixed(1)} ms)`,
    ratio: poisson / uniform,
    goal: 1.5,
    atLeast: false,
  });
}

/** Of the model in the bench's own worker thread, nothing else at work. */
async function directRate(
  model: LoadedModel,
  rows: number,
  elements: number,
): Promise<{ perSecond: number; cpuMs: number }> {
  const inputs = Array.from({ length: 4 }, (_, seed) => new Map([['x', sample(rows, elements, 100 + seed)]]));
  for (let run = 0; run < 2; run++) await model.run(inputs[run % 4] as Map<string, Tensor>);
  const runs = 30;
  const before = process.cpuUsage();
  const startMs = performance.now();
  for (let run = 0; run < runs; run++) await model.run(inputs[run % 4] as Map<string, Tensor>);
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  return { perSecond: (1000 * rows * runs) / tookMs, cpuMs: (user + system) / 1000 / runs / rows };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sample(rows: number, elements: number, seed: number): Tensor {
  const random = seededRandom(seed);
  return float32Tensor(
    [rows, elements],
    Float32Array.from({ length: rows * elements }, () => random() - 0.5),
  );
}

/** Fully connected layers: one row reads all weights as four do, so that batches gain on a processor as they do on a GPU. */
function layers(): Uint8Array {
  const random = seededRandom(7);
  const names = Array.from({ length: LAYERS }, (_, at) => `w${at}`);
  return buildModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', WIDTH] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', WIDTH] }],
    nodes: names.flatMap((name, at) => [
      { op: 'MatMul', inputs: [at === 0 ? 'x' : `h${at}`, name], outputs: [`m${at}`] },
      { op: 'Relu', inputs: [`m${at}`], outputs: [at === LAYERS - 1 ? 'y' : `h${at + 1}`] },
    ]),
    initializers: names.map((name) => ({
      name,
      tensor: float32Tensor(
        [WIDTH, WIDTH],
        Float32Array.from({ length: WIDTH * WIDTH }, () => (random() - 0.5) / 16),
      ),
    })),
  });
}

function row(
  name: string,
  value: number,
  unit: string,
  { against, ratio, goal, atLeast }: { against: string; ratio: number; goal: number; atLeast: boolean },
): BenchRow {
  const met = atLeast ? ratio >= goal : ratio <= goal;
  return { bench: 'serving', case: name, value, unit, against, ratio, goal: `${atLeast ? '>=' : '<='} ${goal}`, met };
}
