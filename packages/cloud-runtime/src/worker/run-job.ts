// A run request and its bytes -> outputs of every frame, run one by one, stacked, or both to compare.
import {
  elementCount,
  KerfError,
  type LoadedModel,
  makeTensor,
  messageOf,
  type Tensor,
  type TensorMap,
} from '@kerf/protocol';
import type { AnswerCoder } from './answer-coder.ts';
import { tensorsAgree } from './compare.ts';
import { type DecodingRules, decodePayload } from './decode-payload.ts';
import {
  type FrameReply,
  paddingAfter,
  type RanReply,
  type RunRequest,
  type TensorHeader,
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

interface Timed<T> {
  readonly value: T;
  readonly ms: number;
}

/** What turns payloads into tensors and tensors into payloads. */
export interface JobCodecs {
  readonly rules: DecodingRules;
  readonly coder: AnswerCoder;
}

/** Runs a job. Faults are part of the answer; nothing is thrown. */
export async function runJob(
  model: LoadedModel,
  request: RunRequest,
  body: Uint8Array,
  { rules, coder }: JobCodecs,
): Promise<JobAnswer> {
  const decoded = await timed(() => decodeFrames(request.frames, body, rules));
  const inputs = decoded.value;
  let trial: TrialResult | null = null;
  let ran: Timed<FrameOutcome[]>;
  if (request.mode === 'batch') {
    ran = await timed(() => runStacked(model, inputs));
  } else {
    ran = await timed(() => runEach(model, inputs));
    if (request.mode === 'trial') trial = await tryStacked(model, inputs, ran, request.tolerance);
  }
  return answerOf(request, ran.value, coder, { decodeMs: decoded.ms, computeMs: ran.ms, trial });
}

async function timed<T>(task: () => Promise<T>): Promise<Timed<T>> {
  const startMs = performance.now();
  const value = await task();
  return { value, ms: performance.now() - startMs };
}

type DecodedFrame = { readonly tensors: TensorMap } | { readonly fault: WorkerFault };

/** Inputs lie group by group: see {@link RunRequest}. */
async function decodeFrames(
  frames: RunRequest['frames'],
  body: Uint8Array,
  rules: DecodingRules,
): Promise<DecodedFrame[]> {
  const views = viewsOf(frames, body);
  const decoded: DecodedFrame[] = [];
  for (const [index, inputs] of frames.entries()) {
    const tensors = new Map<string, Tensor>();
    try {
      for (const [input, header] of inputs.entries()) {
        const bytes = views[index]?.[input] ?? new Uint8Array(0);
        tensors.set(header.name, await decodePayload(header, bytes, rules));
      }
      decoded.push({ tensors });
    } catch (error) {
      decoded.push({ fault: faultOf(error) });
    }
  }
  return decoded;
}

function viewsOf(frames: RunRequest['frames'], body: Uint8Array): Uint8Array[][] {
  const views: Uint8Array[][] = frames.map(() => []);
  let at = 0;
  for (const input of (frames[0] ?? []).keys()) {
    for (const [index, inputs] of frames.entries()) {
      const byteLength = (inputs[input] as TensorHeader).byteLength;
      views[index]?.push(body.subarray(at, at + byteLength));
      at += byteLength;
    }
    at += paddingAfter(at);
  }
  return views;
}

async function runEach(model: LoadedModel, frames: readonly DecodedFrame[]): Promise<FrameOutcome[]> {
  const outcomes: FrameOutcome[] = [];
  for (const frame of frames) {
    if ('fault' in frame) {
      outcomes.push(frame);
      continue;
    }
    try {
      outcomes.push({ outputs: await model.run(frame.tensors) });
    } catch (error) {
      outcomes.push({ fault: faultOf(error) });
    }
  }
  return outcomes;
}

/** All or nothing: when one frame spoils the batch, the gateway runs them again one by one. */
async function runStacked(model: LoadedModel, frames: readonly DecodedFrame[]): Promise<FrameOutcome[]> {
  try {
    const inputs = frames.map((frame) => {
      if ('fault' in frame) throw new KerfError(frame.fault.code, frame.fault.message);
      return frame.tensors;
    });
    const rows = inputs.map(rowsOf);
    const outputs = await model.run(stack(inputs));
    return slice(outputs, rows);
  } catch (error) {
    const fault = faultOf(error);
    return frames.map(() => ({ fault }));
  }
}

/** Stacks what was run one by one; a first run that is not faster is timed again, since it also paid for memory. */
async function tryStacked(
  model: LoadedModel,
  frames: readonly DecodedFrame[],
  single: Timed<readonly FrameOutcome[]>,
  tolerance: number,
): Promise<TrialResult> {
  const expected = single.value.map((outcome) => ('outputs' in outcome ? outcome.outputs : null));
  const unknown = { agrees: null, singleMs: single.ms, stackedMs: single.ms };
  if (expected.includes(null) || allAlike(frames)) return unknown;
  const stacked = await timed(() => runStacked(model, frames));
  const agrees = stacked.value.every((outcome, index) => {
    const want = expected[index];
    if (want === null || want === undefined || 'fault' in outcome || want.size !== outcome.outputs.size) return false;
    return [...want].every(([name, tensor]) => {
      const got = outcome.outputs.get(name);
      return got !== undefined && tensorsAgree(tensor, got, tolerance);
    });
  });
  const isSlow = agrees && stacked.ms > CLEARLY_FASTER * single.ms;
  const again = isSlow ? await timed(() => runStacked(model, frames)) : stacked;
  return { agrees, singleMs: single.ms, stackedMs: Math.min(stacked.ms, again.ms) };
}

function allAlike(frames: readonly DecodedFrame[]): boolean {
  const [first, ...rest] = frames.map((frame) => ('tensors' in frame ? frame.tensors : new Map<string, Tensor>()));
  return rest.every((frame) =>
    [...(first ?? [])].every(([name, tensor]) => {
      const other = frame.get(name);
      return other !== undefined && tensorsAgree(tensor, other, 0);
    }),
  );
}

/** Rows of a frame: the first axis, equal for all of its inputs. */
function rowsOf(frame: TensorMap): number {
  const rows = [...frame.values()].map((tensor) => tensor.shape[0]);
  const [first] = rows;
  if (first === undefined || rows.some((count) => count !== first)) {
    throw new KerfError('INTERNAL', 'frames without a common first axis were to be stacked');
  }
  return first;
}

function stack(frames: readonly TensorMap[]): TensorMap {
  const stacked = new Map<string, Tensor>();
  for (const [name, first] of frames[0] ?? []) {
    const parts = frames.map((frame) => frame.get(name) as Tensor);
    const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
    stacked.set(name, makeTensor(first.dtype, [rows, ...first.shape.slice(1)], joined(parts.map((part) => part.data))));
  }
  return stacked;
}

/** One view where the parts already lie side by side, else a copy. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  let end = first?.byteOffset ?? 0;
  for (const part of parts) {
    if (part.buffer !== first?.buffer || part.byteOffset !== end) return Buffer.concat(parts);
    end += part.byteLength;
  }
  return first === undefined
    ? new Uint8Array(0)
    : new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
}

function slice(outputs: TensorMap, rows: readonly number[]): FrameOutcome[] {
  const total = rows.reduce((sum, count) => sum + count, 0);
  const frames = rows.map(() => new Map<string, Tensor>());
  for (const [name, tensor] of outputs) {
    const rowBytes = tensor.data.byteLength / total;
    const isSliceable = tensor.shape[0] === total && tensor.dtype !== 'string' && !tensor.dtype.endsWith('int4');
    if (!isSliceable || elementCount(tensor.shape) === 0) {
      throw new KerfError('BACKEND_FAILED', `output '${name}' does not grow with the first axis`);
    }
    let at = 0;
    for (const [index, count] of rows.entries()) {
      const data = tensor.data.subarray(at, at + count * rowBytes);
      frames[index]?.set(name, makeTensor(tensor.dtype, [count, ...tensor.shape.slice(1)], data));
      at += count * rowBytes;
    }
  }
  return frames.map((map) => ({ outputs: map }));
}

function answerOf(
  { job, losslessAnswers }: RunRequest,
  outcomes: readonly FrameOutcome[],
  coder: AnswerCoder,
  extra: Pick<RanReply, 'decodeMs' | 'computeMs' | 'trial'>,
): JobAnswer {
  const body: Uint8Array[] = [];
  const frames = outcomes.map((outcome, index): FrameReply => {
    if ('fault' in outcome) return { outputs: null, fault: outcome.fault };
    const mayCode = losslessAnswers[index] === true;
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
