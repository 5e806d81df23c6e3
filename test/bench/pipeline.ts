// Does a long round trip cost throughput? Frames per second over a link of 100 ms, against the slowest stage alone.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CloudProcess, startCloudProcess } from '@kerf/cli';
import { issueToken } from '@kerf/cloud-runtime';
import { EdgeSession } from '@kerf/edge-runtime';
import { nodeBackend, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { type Backend, KerfError, type LoadedModel, type Tensor, type TensorMap } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import { listCuts } from '@kerf/splitter';
import { writeSplit } from '@kerf/splitter/node';
import type { Bench, BenchRow } from './bench.ts';
import { DETECTOR, openReal, RECOGNISER, sampleInputs } from './real-models.ts';
import { childrenOf, cpuMsOf } from './serving/process-stats.ts';

const ROUND_TRIP_MS = 100;
/** What a cloud grants; half of them leave little beside the round trip where a stage takes less than 20 ms. */
const IN_FLIGHT = 16;
const LINK_BITS_PER_SECOND = 1e9;

/** Where the work lies decides which stage is the slowest; small activations, so that the link is not. */
const CASES = [
  { name: 'detector cut at its end: the head is the slowest', id: 'late', real: DETECTOR, at: -1 },
  { name: 'recogniser cut at its start: the tail is the slowest', id: 'early', real: RECOGNISER, at: 0 },
] as const;

export const pipeline: Bench = {
  name: 'pipeline',
  summary: `a split over a link of ${ROUND_TRIP_MS} ms, ${IN_FLIGHT} frames in flight, against the slowest stage alone`,
  async *run({ full }) {
    growHeapFreely(); // as `kerf station` does
    const folder = await mkdtemp(join(tmpdir(), 'kerf-bench-'));
    const models = join(folder, 'models');
    const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
    for (const { id, real, at } of CASES) {
      const { model } = await openReal(real);
      const single = listCuts(model.graph).filter((cut) => cut.tensors.length === 1);
      await writeSplit({ model, cut: single.at(at)?.tensors ?? [], folder: join(models, id), backend });
    }
    const cloud = await startCloudProcess(['--models', models, '--state', join(folder, 'state'), '--port', '0']);
    const link = await startLink(cloud);
    try {
      for (const { name, id, real } of CASES) {
        const { model } = await openReal(real);
        // Frames differ, as those of a camera do: the cloud does not try batches on frames that are all alike.
        const inputs = Array.from({ length: IN_FLIGHT + 1 }, (_, seed) => sampleInputs(model, real, seed));
        const setup = { cloud, link, folder, backend, inputs, frames: full ? 400 : 120 };
        for (const isAsleep of [false, true]) yield* measure({ name, id, isAsleep }, join(models, id), setup);
      }
    } finally {
      link.child.kill();
      await cloud.stop();
      await backend.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Setup {
  readonly cloud: CloudProcess;
  readonly link: { readonly port: number; readonly child: ChildProcess };
  readonly folder: string;
  readonly backend: Backend;
  readonly inputs: readonly TensorMap[];
  readonly frames: number;
}

interface Subject {
  readonly name: string;
  readonly id: string;
  /** The head waits as long as it would compute: what the pipeline loses then is not for want of a core. */
  readonly isAsleep: boolean;
}

async function* measure({ name, id, isAsleep }: Subject, folder: string, setup: Setup): AsyncIterable<BenchRow> {
  const { backend, inputs, frames } = setup;
  const { split, head: model, local } = await openSplitFolder(folder, { backend, withTail: true });
  if (local === null) throw new Error('the split has a tail');
  const head = isAsleep ? await asleep(model, inputs) : model;
  const slowestBefore = await slowestStage(head, local.tail, inputs);
  const session = await openSession(setup, id, { split, head, local: null });
  const beforeMs = processorMs(setup);
  const framesPerSecond = await throughput(session, inputs, frames);
  const perFrameMs = (processorMs(setup) - beforeMs) / (frames + IN_FLIGHT * 2);
  session.close();
  const slowestAfter = await slowestStage(head, local.tail, inputs);
  const slowest = (slowestBefore + slowestAfter) / 2;
  const ratio = framesPerSecond / slowest;
  const full = isAsleep ? `${name}; the head sleeps instead of computing` : name;
  yield {
    bench: 'pipeline',
    case: full,
    value: framesPerSecond,
    unit: 'frames/s',
    against: `slowest stage alone (${slowest.toFixed(1)} frames/s)`,
    ratio,
    goal: isAsleep ? null : '>= 0.95',
    met: isAsleep ? null : ratio >= 0.95,
  };
  if (process.platform !== 'linux') return;
  const offeredMs = (availableParallelism() * 1000) / slowest;
  yield {
    bench: 'pipeline',
    case: `${full}: processor time of a frame in all processes`,
    value: perFrameMs,
    unit: 'ms',
    against: `what the cores have in the time of the slowest stage (${offeredMs.toFixed(1)} ms)`,
    ratio: perFrameMs / offeredMs,
    goal: null,
    met: null,
  };
}

/** Of edge, link, gateway and workers, so far; 0 where the system does not tell. */
function processorMs({ cloud, link }: Setup): number {
  if (process.platform !== 'linux') return 0;
  const gateway = cloud.child.pid ?? 0;
  const pids = [process.pid, link.child.pid ?? 0, gateway, ...childrenOf(gateway)];
  return pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
}

/** A model that takes the time of `model` without its work: outputs are kept from before. */
async function asleep(model: LoadedModel, inputs: readonly TensorMap[]): Promise<LoadedModel> {
  const runMs = 1000 / (await rate(model, inputs[0] as TensorMap));
  const kept = new Map<Tensor | undefined, TensorMap>();
  for (const one of inputs) kept.set(firstOf(one), await model.run(one));
  let turn: Promise<unknown> = Promise.resolve();
  return {
    inputs: model.inputs,
    outputs: model.outputs,
    run: (given) => {
      const outputs = turn.then(async () => {
        await sleep(runMs);
        return kept.get(firstOf(given)) as TensorMap;
      });
      turn = outputs;
      return outputs;
    },
    dispose: () => model.dispose(),
  };
}

function firstOf(tensors: TensorMap): Tensor | undefined {
  return tensors.values().next().value;
}

/** Frames per second of head or tail alone, whichever is slower, in the worker that the session uses. */
async function slowestStage(head: LoadedModel, tail: LoadedModel, [inputs]: readonly TensorMap[]): Promise<number> {
  if (inputs === undefined) throw new Error('a bench needs inputs');
  const activation = await head.run(inputs);
  return Math.min(await rate(head, inputs), await rate(tail, activation));
}

async function rate(model: LoadedModel, inputs: TensorMap): Promise<number> {
  const runs = 40;
  for (let run = 0; run < 5; run++) await model.run(inputs);
  const startedMs = performance.now();
  for (let run = 0; run < runs; run++) await model.run(inputs);
  return (runs / (performance.now() - startedMs)) * 1000;
}

async function openSession(
  { cloud, link, folder }: Setup,
  model: string,
  device: Pick<Parameters<typeof EdgeSession.open>[0], 'split' | 'head' | 'local'>,
): Promise<EdgeSession> {
  const privateKeyPem = await readFile(join(folder, 'state', 'token-private.pem'), 'utf8');
  const token = await issueToken({ privateKeyPem, subject: 'bench', models: ['*'], expiresInSeconds: 600 });
  const connect = wsConnect({ url: `wss://localhost:${link.port}`, ca: await readFile(cloud.certificatePath ?? '') });
  const session = await EdgeSession.open({ ...device, cloud: { model, connect, token } });
  const state = await session.waitForCloud(20_000);
  if (!state.connected) throw new KerfError(state.code, state.message);
  return session;
}

async function throughput(session: EdgeSession, inputs: readonly TensorMap[], frames: number): Promise<number> {
  let left = frames + IN_FLIGHT * 2;
  let startedMs = performance.now();
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      // The first frames fill the pipeline.
      if (left === frames) startedMs = performance.now();
      const outcome = await session.infer(inputs[left % inputs.length] ?? new Map(), { deadlineMs: 60_000 });
      if (outcome.kind === 'failed') throw new KerfError(outcome.code, outcome.message);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (frames / (performance.now() - startedMs)) * 1000;
}

/** The shaper of the demo, in a process of its own. */
async function startLink(cloud: CloudProcess): Promise<{ port: number; child: ChildProcess }> {
  const entry = new URL('../../packages/cli/dist/measure/link-process.js', import.meta.url);
  const child = fork(fileURLToPath(entry), { execArgv: [] });
  child.send({
    target: { host: '127.0.0.1', port: cloud.port },
    uplinkBitsPerSecond: LINK_BITS_PER_SECOND,
    downlinkBitsPerSecond: LINK_BITS_PER_SECOND,
    roundTripMs: ROUND_TRIP_MS,
  });
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { port: message.port, child };
}
