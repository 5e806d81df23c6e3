// Buffers for arriving bodies, used again once their job is done: fresh memory costs a page fault every 4 KiB.

/** Buffers beyond this are left to the garbage collector. */
const KEEP_BYTES = 64 * 1024 * 1024;
/** One runs, one waits, one arrives. */
const KEEP_COUNT = 3;

export class BodyPool {
  readonly #free: Buffer[] = [];

  take(bytes: number): Uint8Array {
    const index = this.#free.findIndex((buffer) => buffer.byteLength >= bytes);
    const buffer = index === -1 ? undefined : this.#free.splice(index, 1)[0];
    // Slow: from no pool, so that it starts where every typed array may start.
    return (buffer ?? Buffer.allocUnsafeSlow(Math.max(bytes, 4096))).subarray(0, bytes);
  }

  give(body: Uint8Array): void {
    if (body.buffer.byteLength > KEEP_BYTES) return;
    this.#free.push(Buffer.from(body.buffer as ArrayBuffer));
    if (this.#free.length > KEEP_COUNT) {
      this.#free.sort((a, b) => b.byteLength - a.byteLength);
      this.#free.length = KEEP_COUNT;
    }
  }
}
