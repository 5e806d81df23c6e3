// Frames that run together -> the request and the body for a worker; its reply -> an outcome for each frame.
import type { Payload } from '@kerf/protocol';
import type { AnswerBuffer } from '../worker/answer-buffers.ts';
import {
  type FrameReply,
  groupsByEntry,
  paddingAfter,
  type RanReply,
  type RunRequest,
  type TensorHeader,
  ZEROS,
} from '../worker/jobs.ts';
import type { FrameOutcome, FrameTask } from './frame-task.ts';
import type { PlannedStacks } from './stack-plan.ts';

export interface OutgoingJob {
  readonly request: RunRequest;
  readonly body: readonly Uint8Array[];
}

/** The body holds views of the frames' payloads, input by input: see {@link RunRequest}. */
export function jobOf(
  job: number,
  { mode, stacks, trial }: PlannedStacks,
  tolerance: number,
  frames: readonly FrameTask[],
): OutgoingJob {
  const body: Uint8Array[] = [];
  let bytes = 0;
  for (const group of groupsByEntry(frames)) {
    for (const input of (frames[group[0] ?? 0]?.tensors ?? []).keys()) {
      for (const index of group) {
        const payload = ((frames[index] as FrameTask).tensors[input] as Payload).bytes;
        body.push(payload);
        bytes += payload.byteLength;
      }
      const padding = paddingAfter(bytes);
      if (padding > 0) body.push(ZEROS.subarray(0, padding));
      bytes += padding;
    }
  }
  const asked = frames.map(({ entry, tensors, losslessAnswer }) => ({
    entry,
    inputs: tensors.map(headerOf),
    losslessAnswer,
  }));
  return { request: { type: 'run', job, mode, tolerance, frames: asked, stacks, trial }, body };
}

function headerOf({ name, dtype, shape, codec, bytes }: Payload): TensorHeader {
  return { name, dtype, shape, codec, byteLength: bytes.byteLength };
}

/** The outcome of every frame; tensors are views of the answer's body. */
export function outcomesOf(
  reply: RanReply,
  answer: AnswerBuffer,
  frames: readonly FrameTask[],
  startedAtMs: number,
  nowMs: number,
): FrameOutcome[] {
  const batchRows = frames.reduce((sum, frame) => sum + frame.rows, 0);
  let at = 0;
  return reply.frames.map((frameReply: FrameReply, index): FrameOutcome => {
    if (frameReply.fault !== null) return { kind: 'fault', ...frameReply.fault, retryAfterMs: null };
    const tensors = frameReply.outputs.map(({ name, dtype, shape, codec, byteLength }): Payload => {
      const bytes = answer.body.subarray(at, at + byteLength);
      at += byteLength + paddingAfter(byteLength);
      return { name, dtype, shape, codec, bytes };
    });
    const frame = frames[index];
    const receivedAtMs = frame?.receivedAtMs ?? startedAtMs;
    const spans = {
      queueMs: startedAtMs - receivedAtMs,
      decodeMs: reply.decodeMs,
      computeMs: reply.computeMs,
      totalMs: nowMs - receivedAtMs,
      batchRows,
      receivedMs: receivedAtMs,
    };
    return { kind: 'result', tensors, spans, whole: frames.length === 1 ? answer : null };
  });
}
