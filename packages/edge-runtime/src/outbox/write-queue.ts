// Jobs that ask to be written -> batches for one write each, and what has to be written again when a disk failed.
import type { Place } from './segments.ts';

/** Frames that go into the log together and in this order. */
export interface WriteJob {
  readonly frames: readonly Uint8Array[];
  /** Called with where each frame stands; again when a failing disk made it move. */
  onWritten?(places: readonly Place[]): void;
  /** Called once: a loss of power cannot undo it. */
  onDurable?(): void;
}

/** Written in one call, at most; a larger frame goes alone. */
const BATCH_BYTES = 1024 * 1024;
/** Unsynced bytes that are kept to be written again, at most; then a sync comes early. */
const UNSYNCED_BYTES = 8 * 1024 * 1024;

export class WriteQueue {
  readonly #batchBytes: number;
  #waiting: WriteJob[] = [];
  /** Written and not synced. */
  #unsynced: WriteJob[] = [];
  #unsyncedBytes = 0;

  constructor(segmentBytes: number) {
    this.#batchBytes = Math.min(BATCH_BYTES, segmentBytes);
  }

  get length(): number {
    return this.#waiting.length;
  }

  get hasUnsynced(): boolean {
    return this.#unsynced.length > 0;
  }

  /** So much is unsynced that a sync must not wait. */
  get isLong(): boolean {
    return this.#unsyncedBytes > UNSYNCED_BYTES;
  }

  push(job: WriteJob): void {
    this.#waiting.push(job);
  }

  /** What goes out in the next write. @param single where all of it does not fit, the first may */
  next(single: boolean): readonly WriteJob[] {
    if (single) return this.#waiting.slice(0, 1);
    let bytes = 0;
    const end = this.#waiting.findIndex((job, index) => {
      bytes += byteLengthOf(job);
      return index > 0 && bytes > this.#batchBytes;
    });
    return this.#waiting.slice(0, end < 0 ? undefined : end);
  }

  /** The first `count` jobs have left the queue: their bytes are written. */
  take(count: number): void {
    this.#waiting.splice(0, count);
  }

  /** Waits for the next sync. */
  wrote(jobs: readonly WriteJob[]): void {
    this.#unsynced.push(...jobs);
    this.#unsyncedBytes += jobs.reduce((sum, job) => sum + byteLengthOf(job), 0);
  }

  /** A sync has made them durable. @returns them */
  synced(): readonly WriteJob[] {
    const jobs = this.#unsynced;
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
    return jobs;
  }

  /** Nothing is known of what was not synced: it is written once more, before the others. */
  again(): void {
    this.#waiting = [...this.synced(), ...this.#waiting];
  }
}

function byteLengthOf({ frames }: WriteJob): number {
  return frames.reduce((sum, frame) => sum + frame.byteLength, 0);
}
