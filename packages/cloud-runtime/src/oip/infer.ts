// An inference request and a lease on a model -> a frame in the queue of its runner, and the response.
import { type Clock, KerfError } from '@kerf/protocol';
import type { CloudLimits, QueueOptions } from '../limits.ts';
import { type FrameOutcome, type FrameTask, levelOf } from '../models/frame-task.ts';
import type { ModelLease } from '../models/model-pool.ts';
import { shapeClassOf } from '../models/shape-class.ts';
import { payloadsInOrder } from '../session/check-frame.ts';
import type { InferRequest } from './infer-request.ts';
import { type InferResponse, writeInferResponse } from './infer-response.ts';

export interface InferContext {
  readonly limits: CloudLimits;
  readonly queue: QueueOptions;
  readonly clock: Clock;
}

export interface Caller {
  /** Requests of one connection are one owner in the queue. */
  readonly owner: object;
  /** W3C `traceparent`, or null. */
  readonly trace: string | null;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** @throws {KerfError} TENSOR_MISMATCH, and whatever the frame is answered with. */
export async function infer(
  { limits, queue, clock }: InferContext,
  lease: ModelLease,
  request: InferRequest,
  { owner, trace, signal }: Caller,
): Promise<InferResponse> {
  const { runner, entry, specs, shapes, release } = lease;
  const tensors = payloadsInOrder(request.inputs, specs.inputs);
  const { key, rows } = shapeClassOf(tensors, shapes);
  const receivedAtMs = clock.nowMs();
  const deadlineMs = Math.min(request.timeoutMs ?? limits.maxDeadlineMs, limits.maxDeadlineMs);
  return new Promise((resolve, reject) => {
    const task: FrameTask = {
      owner,
      entry,
      tensors,
      bytes: tensors.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
      receivedAtMs,
      deadlineAtMs: receivedAtMs + deadlineMs,
      level: levelOf(request.priority, queue),
      trace,
      shapeClass: key,
      rows,
      losslessAnswer: false,
      losses: 0,
      alone: false,
      settle: (outcome) => {
        signal.removeEventListener('abort', cancel);
        try {
          resolve(responseOf(request, release, outcome));
        } catch (error) {
          reject(KerfError.from(error, 'INTERNAL', 'the answer could not be written'));
        }
      },
    };
    const cancel = (): void => void runner.cancel(task);
    signal.addEventListener('abort', cancel);
    runner.submit(task);
  });
}

function responseOf(request: InferRequest, release: ModelLease['release'], outcome: FrameOutcome): InferResponse {
  if (outcome.kind === 'result') return writeInferResponse(request, release, outcome.tensors);
  const { code, message, retryAfterMs } = outcome;
  throw new KerfError(code, message, retryAfterMs === null ? {} : { details: { retryAfterMs } });
}
