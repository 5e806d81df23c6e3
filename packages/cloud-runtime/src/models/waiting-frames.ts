// Frames of one model that wait for a worker -> the next ones to run; one that waits until its deadline is handed back.
import type { Clock } from '@kerf/protocol';
import { type BatchPolicy, FairQueue, type NextRun } from './fair-queue.ts';
import type { FrameTask } from './frame-task.ts';

export class WaitingFrames {
  readonly #queue: FairQueue;
  readonly #clock: Clock;
  readonly #onExpired: (frame: FrameTask) => void;
  readonly #deadlines = new Map<FrameTask, () => void>();

  /** @param onExpired told of a frame whose deadline has passed; it waits no more then. */
  constructor(policy: BatchPolicy, clock: Clock, onExpired: (frame: FrameTask) => void) {
    this.#queue = new FairQueue(policy);
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#queue.size;
  }

  push(frame: FrameTask): void {
    this.#queue.push(frame);
    this.#watch(frame);
  }

  /** Puts a frame before all others of its level: it has waited once already. */
  pushFirst(frame: FrameTask): void {
    this.#queue.pushFirst(frame);
    this.#watch(frame);
  }

  /** Rows that would run before the frame if it came now. */
  rowsBefore(frame: FrameTask): number {
    return this.#queue.rowsBefore(frame);
  }

  /** As {@link FairQueue.next}. A deadline may have passed just now. */
  next(nowMs: number, ahead: boolean): NextRun {
    const next = this.#queue.next(nowMs, ahead);
    if (next.kind === 'run') for (const frame of next.frames) this.#forget(frame);
    return next;
  }

  /** @returns false when the frame does not wait here (any more). */
  remove(frame: FrameTask): boolean {
    this.#forget(frame);
    return this.#queue.remove(frame);
  }

  /** Everything, in no particular order; nobody waits afterwards. */
  drain(): FrameTask[] {
    const frames = this.#queue.drain();
    for (const frame of frames) this.#forget(frame);
    return frames;
  }

  #watch(frame: FrameTask): void {
    const leftMs = Math.max(0, frame.deadlineAtMs - this.#clock.nowMs());
    const cancel = this.#clock.after(leftMs, () => {
      if (this.remove(frame)) this.#onExpired(frame);
    });
    this.#deadlines.set(frame, cancel);
  }

  #forget(frame: FrameTask): void {
    this.#deadlines.get(frame)?.();
    this.#deadlines.delete(frame);
  }
}
