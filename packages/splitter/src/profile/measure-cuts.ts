// Candidate cuts and the time that is left -> heads and tails timed as real sessions, between runs of the whole model.
import { type Clock, KerfError, type LoadedModel, messageOf, type Tensor, type TensorMap } from '@kerf/protocol';
import { ancestors } from '../list-cuts.ts';
import { calibrate, type MeasuredSet } from '../plan/calibrate.ts';
import { type CutPlan, planCut } from '../plan-cut.ts';
import { workGraph } from '../work-graph.ts';
import { type CandidateCut, nextCut } from './choose-cuts.ts';
import { type SegmentLoader, withSegment } from './load-segment.ts';
import type { ProfileSide } from './profile-options.ts';
import type { SampleCoder } from './sample-coder.ts';
import { type Distribution, distributionOf, median, TimedRuns } from './timed-runs.ts';

export interface MeasuredSide extends Distribution {
  /** Of the whole model's time next to it, median over the rounds; null where there was no time for the whole. */
  readonly share: number | null;
}

export interface MeasuredCut {
  readonly candidate: CandidateCut;
  /** Null where that side was not asked for. */
  readonly head: MeasuredSide | null;
  readonly tail: MeasuredSide | null;
  /** Bytes of what crosses, coded without loss, by name. */
  readonly losslessBytes: ReadonlyMap<string, number>;
}

export interface MeasureCuts {
  readonly loader: SegmentLoader;
  readonly clock: Clock;
  readonly tickMs: number;
  readonly inputs: TensorMap;
  readonly whole: TimedRuns;
  readonly coder: SampleCoder;
  readonly side: ProfileSide;
  readonly candidates: readonly CandidateCut[];
  /** Costs of single nodes where they are known, else what stands for them; by position in the work of the graph. */
  readonly priorMs: Float64Array;
  readonly endMs: number;
  readonly onProgress: (text: string) => void;
  readonly onMeasured: (cut: MeasuredCut) => void;
}

/** Cuts that are measured however little time there is. */
const MIN_CUTS = 3;
/** Cuts that the time is shared between at first: with more, each would get too few runs. */
const SHARED_BY = 16;
const MIN_ROUNDS = 3;
/** With fewer rounds than this there is no time for the whole model in between. */
const MIN_ROUNDS_WITH_WHOLE = 5;
const MAX_ROUNDS = 30;
const WARM_UP_RUNS = 2;
/** Between two lines of progress. */
const PROGRESS_MS = 1000;

/** In the order of measuring. A cut that the runtime refuses is left out; the progress says how many. */
export async function measureCuts(job: MeasureCuts): Promise<MeasuredCut[]> {
  const measured: MeasuredCut[] = [];
  const refusals: string[] = [];
  const left = new Set(job.candidates);
  // A whole model is two sides: until a cut was measured its loading time is a guess.
  let loadMs = median(job.whole.samplesMs);
  let toldMs = job.clock.nowMs();
  while (measured.length < MIN_CUTS || job.clock.nowMs() < job.endMs) {
    const done = measured.map(({ candidate }) => candidate);
    const candidate = nextCut([...left], done, currentNodeMs(job, measured));
    if (candidate === null) break;
    left.delete(candidate);
    const shareMs =
      Math.max(0, job.endMs - job.clock.nowMs()) / Math.max(1, Math.min(left.size + 1, SHARED_BY - done.length));
    const startMs = job.clock.nowMs();
    try {
      const { cut, runMs } = await measureOne(job, candidate, shareMs - loadMs);
      measured.push(cut);
      loadMs = Math.max(0, job.clock.nowMs() - startMs - runMs);
      if (job.clock.nowMs() - toldMs >= PROGRESS_MS) {
        job.onProgress(describe(cut, measured.length));
        toldMs = job.clock.nowMs();
      }
      job.onMeasured(cut);
    } catch (error) {
      if (!KerfError.is(error) || error.code === 'CLOSED') throw error;
      refusals.push(messageOf(error));
    }
  }
  if (refusals.length > 0) {
    const cuts = refusals.length === 1 ? '1 cut' : `${refusals.length} cuts`;
    job.onProgress(`${cuts} left out, which the runtime refuses: ${refusals[0]}`);
  }
  return measured;
}

/** Costs of nodes as they look after the cuts measured so far. */
function currentNodeMs(job: MeasureCuts, measured: readonly MeasuredCut[]): Float64Array {
  const wholeMs = median(job.whole.samplesMs);
  return calibrate(job.priorMs, wholeMs, measuredSets(job, measured, wholeMs));
}

/** The heads of measured cuts, each with its share of the whole model's time. */
export function measuredSets(
  { loader: { graph } }: Pick<MeasureCuts, 'loader'>,
  measured: readonly MeasuredCut[],
  wholeMs: number,
): MeasuredSet[] {
  const { length } = workGraph(graph).nodes;
  return measured.map((one) => {
    const head = ancestors(graph, one.candidate.cut.tensors);
    const ms =
      one.head === null
        ? wholeMs - (one.tail === null ? 0 : costOf(one.tail, wholeMs).ms)
        : costOf(one.head, wholeMs).ms;
    return { nodes: Uint8Array.from({ length }, (_, at) => (head.has(at) ? 1 : 0)), ms: Math.max(0, ms) };
  });
}

/** What a side costs when the whole costs `wholeMs`: a machine that changes its speed does not change the share. */
export function costOf({ ms, p99Ms, runs, share }: MeasuredSide, wholeMs: number): Distribution {
  const steadyMs = share === null ? ms : share * wholeMs;
  return { ms: steadyMs, p99Ms: p99Ms === null ? null : p99Ms * (ms > 0 ? steadyMs / ms : 1), runs };
}

/** Feeds the tail with what the head made; both are freed at the end. */
async function measureOne(
  job: MeasureCuts,
  candidate: CandidateCut,
  shareMs: number,
): Promise<{ cut: MeasuredCut; runMs: number }> {
  const plan = planCut(job.loader.graph, candidate.cut.tensors);
  const headFeeds = pick(plan.headInputs, [job.inputs]);
  let losslessBytes: ReadonlyMap<string, number> = new Map();
  const runHead = async (model: LoadedModel): Promise<TensorMap> => {
    const made = await model.run(headFeeds);
    losslessBytes = new Map(plan.cut.flatMap((name) => job.coder.bytesOf(name, made.get(name))));
    return made;
  };
  const timed = (model: LoadedModel, feeds: TensorMap): TimedRuns =>
    new TimedRuns(job.clock, job.tickMs, () => model.run(feeds));
  const measure = async (head: TimedRuns | null, tail: TimedRuns | null) => {
    const startMs = job.clock.nowMs();
    const wholeMs = await runRounds(job, [head, tail], shareMs);
    const sideOf = (side: TimedRuns | null) =>
      side === null ? null : { ...distributionOf(side.samplesMs), share: shareOf(side.samplesMs, wholeMs) };
    return {
      cut: { candidate, head: sideOf(head), tail: sideOf(tail), losslessBytes },
      runMs: job.clock.nowMs() - startMs,
    };
  };
  const withTail = <T>(made: TensorMap, use: (tail: TimedRuns) => Promise<T>): Promise<T> =>
    withSegment(job.loader, tailOf(plan), (model) => use(timed(model, pick(plan.tailInputs, [made, job.inputs]))));
  if (job.side === 'cloud') {
    const made = await withSegment(job.loader, headOf(plan), runHead);
    return await withTail(made, (tail) => measure(null, tail));
  }
  return await withSegment(job.loader, headOf(plan), async (model) => {
    const head = timed(model, headFeeds);
    const made = await runHead(model);
    if (job.side === 'edge') return await measure(head, null);
    return await withTail(made, (tail) => measure(head, tail));
  });
}

function headOf(plan: CutPlan) {
  const crossing = plan.headOutputs.filter((name) => plan.cut.includes(name));
  return { inputs: plan.headInputs, outputs: plan.headOutputs, crossing };
}

function tailOf(plan: CutPlan) {
  return { inputs: plan.tailInputs, outputs: plan.tailOutputs, crossing: plan.cut };
}

function pick(names: readonly string[], from: readonly TensorMap[]): TensorMap {
  const found = new Map<string, Tensor>();
  for (const name of names) {
    const tensor = from.map((tensors) => tensors.get(name)).find((one) => one !== undefined);
    if (tensor !== undefined) found.set(name, tensor);
  }
  return found;
}

/**
 * Whole model, head and tail in turn, so that all see the same machine.
 * @returns the whole model before each round and after the last; null where there was no time for it.
 */
async function runRounds(
  job: MeasureCuts,
  sides: readonly (TimedRuns | null)[],
  shareMs: number,
): Promise<number[] | null> {
  const segments = sides.filter((side) => side !== null);
  const warmMs: number[] = [];
  for (const segment of segments) warmMs.push(await segment.warmUp(WARM_UP_RUNS));
  const segmentsMs = warmMs.reduce((sum, ms) => sum + ms, 0);
  const bothMs = segmentsMs + median(job.whole.samplesMs);
  const withWhole = bothMs * MIN_ROUNDS_WITH_WHOLE <= shareMs;
  const rounds = Math.min(MAX_ROUNDS, Math.max(MIN_ROUNDS, Math.floor(shareMs / (withWhole ? bothMs : segmentsMs))));
  const wholeMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (withWhole) wholeMs.push(await job.whole.sample());
    for (const segment of segments) await segment.sample();
  }
  if (!withWhole) return null;
  wholeMs.push(await job.whole.sample());
  return wholeMs;
}

/** Each round against the whole model before and after it, so that a machine that turns slow in between does no harm. */
function shareOf(samplesMs: readonly number[], wholeMs: readonly number[] | null): number | null {
  if (wholeMs === null) return null;
  return median(
    samplesMs.map((ms, round) => {
      const besideMs = ((wholeMs[round] ?? 0) + (wholeMs[round + 1] ?? 0)) / 2;
      return besideMs > 0 ? ms / besideMs : 0;
    }),
  );
}

function describe({ candidate: { cut, bytes }, head, tail }: MeasuredCut, count: number): string {
  const part = (name: string, side: Distribution | null): string =>
    side === null ? '' : `, ${name} ${side.ms.toFixed(2)} ms`;
  return `cut ${count}, ${cut.headNodes} nodes before it, ${bytes} bytes${part('head', head)}${part('tail', tail)}`;
}
