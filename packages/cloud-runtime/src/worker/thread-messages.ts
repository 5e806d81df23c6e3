// What the two threads of a worker say to each other; the memory of tensors changes hands, nothing is copied.
import type { DecodedFrame } from './decode-frames.ts';
import type { LoadedReply, LoadRequest, WorkerFault } from './jobs.ts';
import type { RanFrames, RunPlan } from './run-frames.ts';

export interface ThreadJob {
  readonly type: 'run';
  readonly frames: readonly DecodedFrame[];
  readonly plan: RunPlan;
  /** Where raw inputs lie; it comes back with the answer. */
  readonly body: ArrayBuffer;
}

export type ToRuntime = LoadRequest | ThreadJob;

/** Given to the thread when it starts. */
export interface RuntimeThreadData {
  /** One int32: how many jobs the runtime has run, while their answers are on the way. */
  readonly finished: SharedArrayBuffer;
}

export type FromRuntime =
  | { readonly type: 'loaded'; readonly loaded: LoadedReply }
  | { readonly type: 'load-failed'; readonly fault: WorkerFault }
  | { readonly type: 'ran'; readonly ran: RanFrames; readonly body: ArrayBuffer };

interface Port {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
}

/** Hands the buffers over with the message; memory that cannot change hands (Node's pool, some runtimes') is copied. */
export function handOver(port: Port, message: ToRuntime | FromRuntime, buffers: Iterable<ArrayBufferLike>): void {
  const own = [...new Set(buffers)].filter((buffer) => buffer instanceof ArrayBuffer);
  try {
    port.postMessage(message, own);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'DataCloneError')) throw error;
    port.postMessage(message, []);
  }
}
