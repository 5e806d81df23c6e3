// Decoded frames -> outputs of every frame, run one by one, stacked, or both to compare.
import type { TensorMap } from '@kerf/protocol';
import { tensorsAgree } from './compare.ts';
import type { DecodedFrame } from './decode-frames.ts';
import type { HostedFrame, HostedModel, HostedRun, RunTime } from './hosted-model.ts';
import type { RunRequest, StackPlan, TrialGroup, TrialResult, WorkerFault } from './jobs.ts';
import { faultOf } from './worker-fault.ts';

/** Share of the time of single runs. */
const CLEARLY_FASTER = 0.8;

export type RunPlan = Pick<RunRequest, 'mode' | 'stacks' | 'trial' | 'tolerance'>;

export type RanFrame = { readonly outputs: TensorMap } | { readonly fault: WorkerFault };

export interface RanFrames {
  readonly frames: readonly RanFrame[];
  /** Of the runs that the outputs come from. */
  readonly computeMs: number;
  /** Null when the job was no trial. */
  readonly trial: TrialResult | null;
}

interface Ran {
  readonly outcomes: readonly RanFrame[];
  readonly times: readonly RunTime[];
}

/** Faults are part of what it gives; nothing is thrown. */
export async function runFrames(
  model: HostedModel,
  frames: readonly DecodedFrame[],
  plan: RunPlan,
): Promise<RanFrames> {
  const startMs = performance.now();
  const ran = await runOnce(model, frames, plan.mode === 'batch' ? plan.stacks : null);
  const computeMs = performance.now() - startMs;
  const trial = plan.trial === null ? null : await tryStacked(model, frames, ran, plan, plan.trial);
  return { frames: ran.outcomes, computeMs, trial };
}

/** A frame that could not be decoded runs nowhere; in a stacked run it spoils its groups, and the gateway tries again. */
async function runOnce(model: HostedModel, frames: readonly DecodedFrame[], plan: StackPlan | null): Promise<Ran> {
  const places = [...frames.keys()].filter((index) => 'inputs' in (frames[index] as DecodedFrame));
  const placeOf = new Map(places.map((index, place) => [index, place]));
  const placed =
    plan?.map((groups) => groups.map((group) => group.flatMap((index) => placeOf.get(index) ?? []))) ?? null;
  const ran: HostedRun = await model.run(
    places.map((index) => frames[index] as HostedFrame),
    placed,
  );
  const outcomes = frames.map((frame, index): RanFrame => {
    if ('fault' in frame) return frame;
    const outcome = ran.outcomes[placeOf.get(index) ?? -1];
    if (outcome === undefined) return { fault: { code: 'INTERNAL', message: 'a frame got no outcome' } };
    return 'outputs' in outcome ? outcome : { fault: faultOf(outcome.error) };
  });
  const times = ran.times.map((time) => ({ ...time, frames: time.frames.map((place) => places[place] ?? -1) }));
  return { outcomes, times };
}

/**
 * Stacks what was run one by one. A first run that is not faster also paid for memory: the second one counts instead, not the
 * lesser of both, since single runs are timed once too.
 */
async function tryStacked(
  model: HostedModel,
  frames: readonly DecodedFrame[],
  single: Ran,
  { stacks, tolerance }: RunPlan,
  group: TrialGroup,
): Promise<TrialResult> {
  const expected = single.outcomes.map((outcome) => ('outputs' in outcome ? outcome.outputs : null));
  const singleMs = singleTimeOf(single.times, group, frames);
  const unknown = { agrees: null, singleMs, stackedMs: singleMs };
  if (expected.includes(null) || allAlike(group.frames.map((index) => frames[index]))) return unknown;
  const stacked = await runOnce(model, frames, stacks);
  const agrees = stacked.outcomes.every((outcome, index) => {
    const want = expected[index];
    if (want === null || want === undefined || 'fault' in outcome || want.size !== outcome.outputs.size) return false;
    return [...want].every(([name, tensor]) => {
      const got = outcome.outputs.get(name);
      return got !== undefined && tensorsAgree(tensor, got, tolerance);
    });
  });
  let stackedMs = timeOf(stacked.times, group);
  if (agrees && stackedMs > CLEARLY_FASTER * singleMs) {
    stackedMs = timeOf((await runOnce(model, frames, stacks)).times, group);
  }
  return { agrees, singleMs, stackedMs };
}

/** What the frames of the group took in its segment. */
function timeOf(times: readonly RunTime[], group: TrialGroup): number {
  return timesOf(times, group).reduce((sum, { ms }) => sum + ms, 0);
}

/** The same one by one: frames of equal rows count as the quickest of them, so that what disturbed a few makes no gain. */
function singleTimeOf(times: readonly RunTime[], group: TrialGroup, frames: readonly DecodedFrame[]): number {
  const own = timesOf(times, group);
  const rows = new Set(own.map(({ frames: [index = -1] }) => rowsOf(frames[index])));
  return rows.size > 1 ? timeOf(times, group) : own.length * Math.min(...own.map(({ ms }) => ms));
}

function timesOf(times: readonly RunTime[], { segment, frames }: TrialGroup): readonly RunTime[] {
  const wanted = new Set(frames);
  return times.filter((time) => time.segment === segment && time.frames.some((index) => wanted.has(index)));
}

function rowsOf(frame: DecodedFrame | undefined): number {
  if (frame === undefined || 'fault' in frame) return 0;
  const [first] = frame.inputs.values();
  return first?.shape[0] ?? 0;
}

/** Frames that are all the same prove nothing. Frames that entered elsewhere are not. */
function allAlike(frames: readonly (DecodedFrame | undefined)[]): boolean {
  const [first, ...rest] = frames;
  if (first === undefined || 'fault' in first) return true;
  return rest.every(
    (frame) =>
      frame !== undefined &&
      'inputs' in frame &&
      frame.entry === first.entry &&
      [...first.inputs].every(([name, tensor]) => {
        const other = frame.inputs.get(name);
        return other !== undefined && tensorsAgree(tensor, other, 0);
      }),
  );
}
