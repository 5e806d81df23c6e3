// Pieces of bytes -> the same pieces, no faster than the line may carry.
import type { Clock } from '@kerf/protocol';

/** One for all that a device fetches. */
export class Throttle {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | null;
  /** When what was taken so far has had its time. */
  #freeAtMs = 0;

  constructor(clock: Clock, bytesPerSecond: number | null) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  async *slow(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      await this.#take(piece.byteLength);
      yield piece;
    }
  }

  async #take(bytes: number): Promise<void> {
    if (this.#bytesPerSecond === null) return;
    const nowMs = this.#clock.nowMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (1000 * bytes) / this.#bytesPerSecond;
    await pause(this.#clock, this.#freeAtMs - nowMs);
  }
}

export function pause(clock: Clock, delayMs: number): Promise<void> {
  if (delayMs <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
