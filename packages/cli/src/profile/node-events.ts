// A model and inputs -> the time of each node, by the profiler of onnxruntime-node at level 'disabled'.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelGraph } from '@kerf/onnx';
import { KerfError, type ModelSource, type OrtModule, ortBackend, systemClock, type TensorMap } from '@kerf/protocol';
import { type KernelEvent, type NodeEvents, nodeCostsOfEvents } from '@kerf/splitter';

export interface OrtNodeEventsOptions {
  readonly graph: ModelGraph;
  readonly provider: string;
  readonly threads: number;
  /** Time for the runs after the first. */
  readonly budgetMs: number;
}

const MIN_RUNS = 3;
const MAX_RUNS = 12;
/** The profiler of ONNX Runtime stops there. */
const MAX_EVENTS = 1_000_000;
/** A body that loops makes an event for each node of each turn. */
const TURNS = 20;

/** @throws {KerfError} BACKEND_FAILED when the profiler wrote nothing, and what loading and running throw. */
export function ortNodeEvents(options: OrtNodeEventsOptions): NodeEvents {
  return async (source, inputs) => {
    const folder = await mkdtemp(join(tmpdir(), 'kerf-profile-'));
    try {
      await runProfiled(source, inputs, join(folder, 'events'), options);
      const [file] = await readdir(folder);
      const runs = file === undefined ? [] : runsOfTrace(await readFile(join(folder, file), 'utf8'));
      if (runs.length < 2) throw new KerfError('BACKEND_FAILED', "the runtime's profiler wrote nothing");
      return nodeCostsOfEvents(options.graph, runs.slice(1));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** The seam's own sessions have no profiler: this one is made with the runtime's options, and gone at the end. */
async function runProfiled(
  source: ModelSource,
  inputs: TensorMap,
  profileFilePrefix: string,
  { graph, provider, threads, budgetMs }: OrtNodeEventsOptions,
): Promise<void> {
  const ort = await import('onnxruntime-node');
  let endProfiling = (): void => {};
  const profiled: OrtModule = {
    Tensor: ort.Tensor,
    InferenceSession: {
      create: (async (model: string, given: object) => {
        const session = await ort.InferenceSession.create(model, {
          ...given,
          enableProfiling: true,
          profileFilePrefix,
        });
        endProfiling = () => session.endProfiling();
        return session;
      }) as typeof ort.InferenceSession.create,
    },
  };
  const backend = ortBackend({ name: `onnxruntime-node/${provider}`, ort: profiled, executionProviders: [provider] });
  try {
    const model = await backend.load(source, { optimizationLevel: 'disabled', threads });
    const most = Math.min(MAX_RUNS, Math.max(2, Math.floor(MAX_EVENTS / (graph.nodes.length * TURNS))));
    await model.run(inputs);
    const startMs = systemClock.nowMs();
    for (let run = 0; run < most && (run < MIN_RUNS || systemClock.nowMs() - startMs < budgetMs); run++) {
      await model.run(inputs);
    }
    endProfiling();
  } finally {
    await backend.dispose();
  }
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
  readonly args?: { readonly op_name?: string; readonly node_index?: string };
}

const KERNEL = '_kernel_time';

/** Kernels of each run, in the order of the file: the event of a run follows those of its kernels. */
export function runsOfTrace(text: string): KernelEvent[][] {
  const runs: KernelEvent[][] = [];
  let current: KernelEvent[] = [];
  for (const { cat, name, ts, dur, args } of JSON.parse(text) as TraceEvent[]) {
    if (cat === 'Session' && name === 'model_run') {
      runs.push(current);
      current = [];
    } else if (cat === 'Node' && name.endsWith(KERNEL)) {
      const opType = args?.op_name ?? '';
      const nodeIndex = Number(args?.node_index ?? -1);
      current.push({ name: name.slice(0, -KERNEL.length), opType, nodeIndex, startMs: ts / 1000, ms: dur / 1000 });
    }
  }
  return runs;
}
