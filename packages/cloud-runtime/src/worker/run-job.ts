// A run request and its bytes -> outputs of every frame, run one by one, stacked, or both to compare.
import { KerfError, messageOf, type Tensor, type TensorMap } from '@kerf/protocol';
import type { AnswerCoder } from './answer-coder.ts';
import { tensorsAgree } from './compare.ts';
import { type DecodingRules, decodePayload } from './decode-payload.ts';
import type { HostedFrame, HostedModel, HostedRun, RunTime } from './hosted-model.ts';
import {
  type FrameReply,
  groupsByEntry,
  type JobFrame,
  paddingAfter,
  type RanReply,
  type RunRequest,
  type StackPlan,
  type TensorHeader,
  type TrialGroup,
  type TrialResult,
  type WorkerFault,
  ZEROS,
} from './jobs.ts';

/** Share of the time of single runs. */
const CLEARLY_FASTER = 0.8;
const RAW = { kind: 'raw' } as const;

/** A reply and the bytes that go with it. */
export interface JobAnswer {
  readonly reply: RanReply;
  readonly body: readonly Uint8Array[];
}

type FrameOutcome = { readonly outputs: TensorMap } | { readonly fault: WorkerFault };

interface Ran {
  readonly outcomes: readonly FrameOutcome[];
  readonly times: readonly RunTime[];
}

interface Timed<T> {
  readonly value: T;
  readonly ms: number;
}

/** What turns payloads into tensors and tensors into payloads, and what a reply says of the process. */
export interface JobCodecs {
  readonly rules: DecodingRules;
  readonly coder: AnswerCoder;
  readonly rss: () => number | null;
}

/** Runs a job. Faults are part of the answer; nothing is thrown. */
export async function runJob(
  model: HostedModel,
  request: RunRequest,
  body: Uint8Array,
  { rules, coder, rss }: JobCodecs,
): Promise<JobAnswer> {
  const decoded = await timed(() => decodeFrames(request.frames, body, rules));
  const inputs = decoded.value;
  const ran = await timed(() => runFrames(model, inputs, request.mode === 'batch' ? request.stacks : null));
  const trial = request.trial === null ? null : await tryStacked(model, inputs, ran.value, request, request.trial);
  const rssBytes = rss();
  return answerOf(request, ran.value.outcomes, coder, { decodeMs: decoded.ms, computeMs: ran.ms, trial, rssBytes });
}

async function timed<T>(task: () => Promise<T>): Promise<Timed<T>> {
  const startMs = performance.now();
  const value = await task();
  return { value, ms: performance.now() - startMs };
}

type DecodedFrame = HostedFrame | { readonly fault: WorkerFault };

/** Inputs lie group by group: see {@link RunRequest}. */
async function decodeFrames(
  frames: readonly JobFrame[],
  body: Uint8Array,
  rules: DecodingRules,
): Promise<DecodedFrame[]> {
  const views = viewsOf(frames, body);
  const decoded: DecodedFrame[] = [];
  for (const [index, { entry, inputs }] of frames.entries()) {
    const tensors = new Map<string, Tensor>();
    try {
      for (const [input, header] of inputs.entries()) {
        const bytes = views[index]?.[input] ?? new Uint8Array(0);
        tensors.set(header.name, await decodePayload(header, bytes, rules));
      }
      decoded.push({ entry, inputs: tensors });
    } catch (error) {
      decoded.push({ fault: faultOf(error) });
    }
  }
  return decoded;
}

function viewsOf(frames: readonly JobFrame[], body: Uint8Array): Uint8Array[][] {
  const views: Uint8Array[][] = frames.map(() => []);
  let at = 0;
  for (const group of groupsByEntry(frames)) {
    for (const input of (frames[group[0] ?? 0]?.inputs ?? []).keys()) {
      for (const index of group) {
        const byteLength = ((frames[index] as JobFrame).inputs[input] as TensorHeader).byteLength;
        views[index]?.push(body.subarray(at, at + byteLength));
        at += byteLength;
      }
      at += paddingAfter(at);
    }
  }
  return views;
}

/** A frame that could not be decoded runs nowhere; in a stacked run it spoils its groups, and the gateway tries again. */
async function runFrames(model: HostedModel, frames: readonly DecodedFrame[], plan: StackPlan | null): Promise<Ran> {
  const places = [...frames.keys()].filter((index) => 'inputs' in (frames[index] as DecodedFrame));
  const placeOf = new Map(places.map((index, place) => [index, place]));
  const placed =
    plan?.map((groups) => groups.map((group) => group.flatMap((index) => placeOf.get(index) ?? []))) ?? null;
  const ran: HostedRun = await model.run(
    places.map((index) => frames[index] as HostedFrame),
    placed,
  );
  const outcomes = frames.map((frame, index): FrameOutcome => {
    if ('fault' in frame) return frame;
    const outcome = ran.outcomes[placeOf.get(index) ?? -1];
    if (outcome === undefined) return { fault: { code: 'INTERNAL', message: 'a frame got no outcome' } };
    return 'outputs' in outcome ? outcome : { fault: faultOf(outcome.error) };
  });
  const times = ran.times.map((time) => ({ ...time, frames: time.frames.map((place) => places[place] ?? -1) }));
  return { outcomes, times };
}

/** Stacks what was run one by one; a first run that is not faster is timed again, since it also paid for memory. */
async function tryStacked(
  model: HostedModel,
  frames: readonly DecodedFrame[],
  single: Ran,
  { stacks, tolerance }: RunRequest,
  group: TrialGroup,
): Promise<TrialResult> {
  const expected = single.outcomes.map((outcome) => ('outputs' in outcome ? outcome.outputs : null));
  const singleMs = timeOf(single.times, group);
  const unknown = { agrees: null, singleMs, stackedMs: singleMs };
  if (expected.includes(null) || allAlike(group.frames.map((index) => frames[index]))) return unknown;
  const stacked = await runFrames(model, frames, stacks);
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
    stackedMs = Math.min(stackedMs, timeOf((await runFrames(model, frames, stacks)).times, group));
  }
  return { agrees, singleMs, stackedMs };
}

/** What the frames of the group took in its segment. */
function timeOf(times: readonly RunTime[], { segment, frames }: TrialGroup): number {
  const wanted = new Set(frames);
  return times
    .filter((time) => time.segment === segment && time.frames.some((index) => wanted.has(index)))
    .reduce((sum, { ms }) => sum + ms, 0);
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

function answerOf(
  { job, frames: asked }: RunRequest,
  outcomes: readonly FrameOutcome[],
  coder: AnswerCoder,
  extra: Pick<RanReply, 'decodeMs' | 'computeMs' | 'trial' | 'rssBytes'>,
): JobAnswer {
  const body: Uint8Array[] = [];
  const frames = outcomes.map((outcome, index): FrameReply => {
    if ('fault' in outcome) return { outputs: null, fault: outcome.fault };
    const mayCode = asked[index]?.losslessAnswer === true;
    const outputs = [...outcome.outputs].map(([name, tensor]): TensorHeader => {
      const { codec, bytes } = mayCode ? coder.code(name, tensor) : { codec: RAW, bytes: tensor.data };
      body.push(bytes);
      const padding = paddingAfter(bytes.byteLength);
      if (padding > 0) body.push(ZEROS.subarray(0, padding));
      return { name, dtype: tensor.dtype, shape: tensor.shape, codec, byteLength: bytes.byteLength };
    });
    return { outputs, fault: null };
  });
  return { reply: { type: 'ran', job, frames, ...extra }, body };
}

export function faultOf(error: unknown): WorkerFault {
  const { code, message } = KerfError.from(error, 'BACKEND_FAILED', `the run failed: ${messageOf(error)}`);
  return { code, message };
}
