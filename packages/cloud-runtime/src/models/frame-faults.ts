// How a frame ends that gets no result: what its edge is told, and when it may try again.
import type { ErrorCode } from '@kerf/protocol';
import type { FrameOutcome, FrameTask } from './frame-task.ts';

const LONGEST_HINT_MS = 60_000;

export function fault(code: ErrorCode, message: string, retryAfterMs: number | null = null): FrameOutcome {
  return { kind: 'fault', code, message, retryAfterMs };
}

export function isUnloading(): FrameOutcome {
  return fault('OVERLOADED', 'the model is being unloaded; try again', 100);
}

export function wasUnloaded(): FrameOutcome {
  return fault('OVERLOADED', 'the model was unloaded', 100);
}

/** @param answerMs how long an answer takes now. */
export function queueIsFull(answerMs: number): FrameOutcome {
  return fault('OVERLOADED', 'too many frames wait for this model; send fewer', retryHint(answerMs));
}

/** @param lateMs after its deadline. */
export function wouldBeLate(lateMs: number): FrameOutcome {
  const message = 'the frame would not be answered by its deadline; send fewer or give more time';
  return fault('OVERLOADED', message, retryHint(lateMs));
}

export function isPoison(): FrameOutcome {
  return fault('BACKEND_FAILED', 'this frame stopped the runtime before; it is not tried again');
}

export function wasCancelled(): FrameOutcome {
  return fault('CANCELLED', 'the frame was cancelled');
}

export function lostItsWorker(): FrameOutcome {
  return fault('WORKER_LOST', 'the worker process died while it held the frame; send it again', 100);
}

export function expired(frame: FrameTask): FrameOutcome {
  if (frame.losses > 0) return lostItsWorker();
  return fault('DEADLINE_EXCEEDED', 'the frame waited for its turn until its deadline had passed');
}

function retryHint(ms: number): number {
  return Math.ceil(Math.min(LONGEST_HINT_MS, Math.max(1, ms)));
}
