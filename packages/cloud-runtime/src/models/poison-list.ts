// Frames that killed a worker twice -> a short memory by which they are refused when they come again.
import { createHash } from 'node:crypto';
import type { Clock } from '@kerf/protocol';
import type { FrameTask } from './frame-task.ts';

const MAX_ENTRIES = 64;
const REMEMBER_MS = 10 * 60_000;

interface Entry {
  readonly digest: string;
  readonly untilMs: number;
}

export class PoisonList {
  /** By bytes of the frame: hashing is only worth while where the size already fits. */
  readonly #byBytes = new Map<number, Entry[]>();
  readonly #clock: Clock;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(frame: FrameTask): void {
    if (this.#count >= MAX_ENTRIES) {
      this.#byBytes.clear();
      this.#count = 0;
    }
    const entries = this.#byBytes.get(frame.bytes) ?? [];
    entries.push({ digest: digestOf(frame), untilMs: this.#clock.nowMs() + REMEMBER_MS });
    this.#byBytes.set(frame.bytes, entries);
    this.#count++;
  }

  has(frame: FrameTask): boolean {
    const entries = this.#byBytes.get(frame.bytes);
    if (entries === undefined) return false;
    const digest = digestOf(frame);
    const nowMs = this.#clock.nowMs();
    return entries.some((entry) => entry.digest === digest && entry.untilMs > nowMs);
  }
}

function digestOf(frame: FrameTask): string {
  const hash = createHash('sha256');
  for (const { name, dtype, shape, codec, bytes } of frame.tensors) {
    hash.update(JSON.stringify([name, dtype, shape, codec, bytes.byteLength]));
    hash.update(bytes);
  }
  return hash.digest('hex');
}
