// Placement at run time with real processes: a slow device, a real cloud, and a link between them whose rate changes.
import { join } from 'node:path';
import { type OpenedChain, PlacedSession } from '@kerf/edge-runtime';
import { nodeBackend, openChainFolder } from '@kerf/edge-runtime/node';
import { openModelFile } from '@kerf/onnx/node';
import { type Backend, float32Tensor, type SplitCodec, type TensorMap } from '@kerf/protocol';
import { fusedValues, listCuts } from '@kerf/splitter';
import { writeChain, writeChainCodecs } from '@kerf/splitter/node';
import { FaultProxy } from '../chaos/fault-proxy.ts';
import { openWorkshop, pause, reference, type Workshop } from '../e2e/support/workshop.ts';
import type { Bench, BenchRow } from './bench.ts';

const MODEL = join(import.meta.dirname, '../../models/files/surface-v1.onnx');
/** Between the beginnings of two frames, where the one before has ended. */
const PERIOD_MS = 300;
const DEADLINE_MS = 3_000;
const WARM_UP_FRAMES = 12;
const ONE_WAY_MS = 8;
const GOAL = 1.1;
/** Mbit/s, one after the other; each holds for the same time. */
const STEPS = { short: [80, 3, 30, 0.8], full: [80, 3, 30, 0.8, 100, 8, 1.5] };
const STEP_MS = { short: 6_000, full: 12_000 };

export const adaptiveReal: Bench = {
  name: 'adaptive-real',
  summary: 'placement at run time with real processes over a link that changes, against fixed placements and hindsight',
  async *run({ full }) {
    const shop = await openWorkshop();
    const backend = await nodeBackend({ runtime: 'onnxruntime-web' });
    const ends: (() => Promise<unknown>)[] = [() => shop.remove(), () => backend.dispose()];
    try {
      const lab = await openLab(shop, backend);
      ends.push(() => lab.proxy.close());
      const trace = { steps: full ? STEPS.full : STEPS.short, stepMs: full ? STEP_MS.full : STEP_MS.short };
      const fixed: Run[] = [];
      for (const route of lab.routes) fixed.push(await drive(lab, trace, route));
      yield* rowsOf(await drive(lab, trace, null), fixed);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

interface Lab {
  readonly shop: Workshop;
  readonly chain: OpenedChain;
  readonly proxy: FaultProxy;
  readonly inputs: TensorMap;
  readonly routes: readonly string[];
}

interface Trace {
  /** Mbit/s. */
  readonly steps: readonly number[];
  readonly stepMs: number;
}

interface Run {
  readonly route: string | null;
  readonly frames: readonly { readonly step: number; readonly ms: number; readonly route: string }[];
  readonly switches: number;
}

/** The device computes in WebAssembly, some times slower than the cloud; what crosses a cut goes in 8 bits a value. */
async function openLab(shop: Workshop, backend: Backend): Promise<Lab> {
  const model = await openModelFile(MODEL);
  const fused = fusedValues(model.graph);
  const all = listCuts(model.graph).filter(
    ({ tensors }) => tensors.length === 1 && !tensors.some((name) => fused.has(name)),
  );
  const cuts = [0.25, 0.6].map((share) => [...(all[Math.floor(all.length * share)]?.tensors ?? [])]);
  const folder = join(shop.models, 'surface');
  await writeChain({ model, cuts, folder, backend: reference });
  const codecs = cuts.map((names, at): readonly [number, SplitCodec] => [
    at + 1,
    {
      kind: 'coded',
      tensors: names.map((name) => ({ name, codec: { kind: 'uint8', channelAxis: 1 } })),
      calibration: null,
    },
  ]);
  await writeChainCodecs(folder, new Map(codecs));
  const cloud = await shop.serve(0, '--preload', 'surface');
  const chain = await openChainFolder(folder, { backend });
  const pixels = Float32Array.from({ length: 442_368 }, (_, at) => Math.round(255 * Math.sin(at * 7) ** 2) / 255);
  return {
    shop,
    chain,
    proxy: await FaultProxy.start(cloud.port, () => 0.5),
    inputs: new Map([['image', float32Tensor([1, 3, 384, 384], pixels)]]),
    routes: ['cloud', ...cuts.map((_, at) => `cut-${at + 1}`), 'edge'],
  };
}

/** The whole trace, with one route or with all of them. The session is warm on every route before the clock starts. */
async function drive({ shop, chain, proxy, inputs, routes }: Lab, trace: Trace, route: string | null): Promise<Run> {
  const setRate = (megabits: number): void =>
    proxy.change({ bytesPerMs: megabits * 125, latencyMs: ONE_WAY_MS, sliceBytes: 8_192 });
  setRate(trace.steps[0] ?? 1);
  const session = await PlacedSession.open({
    chain,
    cloud: await shop.target('surface', proxy.port),
    options: { deadlineMs: DEADLINE_MS, inputCodec: 'lossless' },
  });
  try {
    await session.waitForCloud(20_000);
    for (const name of route === null ? routes : [route]) {
      session.pin(name);
      for (let at = 0; at < WARM_UP_FRAMES / (route === null ? routes.length : 1); at++) await session.infer(inputs);
    }
    session.pin(route);
    const before = session.history.length;
    const frames: { step: number; ms: number; route: string }[] = [];
    const startMs = performance.now();
    for (;;) {
      const sinceMs = performance.now() - startMs;
      const step = Math.floor(sinceMs / trace.stepMs);
      if (step >= trace.steps.length) break;
      setRate(trace.steps[step] ?? 1);
      const outcome = await session.infer(inputs, { deadlineMs: DEADLINE_MS });
      frames.push({ step, ms: outcome.spans.totalMs, route: outcome.route });
      await pause(Math.max(0, PERIOD_MS - outcome.spans.totalMs));
    }
    return { route, frames, switches: session.history.length - before };
  } finally {
    session.close();
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

/** Hindsight: in every step the fixed placement that was the fastest there. Each step counts the same. */
function* rowsOf(free: Run, fixed: readonly Run[]): Iterable<BenchRow> {
  const steps = [...new Set(free.frames.map(({ step }) => step))];
  const stepMs = ({ frames }: Run, step: number): number =>
    mean(frames.filter((frame) => frame.step === step).map(({ ms }) => ms));
  const overall = (run: Run): number => mean(steps.map((step) => stepMs(run, step)));
  const hindsightMs = mean(steps.map((step) => Math.min(...fixed.map((run) => stepMs(run, step)))));
  const [best] = [...fixed].sort((left, right) => overall(left) - overall(right));
  const row = (name: string, ms: number, isOurs: boolean): BenchRow => ({
    bench: 'adaptive-real',
    case: name,
    value: ms,
    unit: 'ms',
    against: 'hindsight by steps',
    ratio: ms / hindsightMs,
    goal: isOurs ? `<= ${GOAL}` : null,
    met: isOurs ? ms / hindsightMs <= GOAL : null,
  });
  for (const run of fixed) yield row(`always ${run.route}${run === best ? ' (best fixed)' : ''}`, overall(run), false);
  yield row(`kerf, ${free.switches} switches`, overall(free), true);
}
