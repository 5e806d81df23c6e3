// Memory for outputs on their way from a worker to a socket: read once, sent from there, then used again.
//
// Fresh memory for every answer costs a page fault for each 4 KiB and, since answers are kept for a while in case a link
// is lost, a full garbage collection every few dozen of them.

/** Room before the body for a message's preamble and header. */
const HEADROOM_BYTES = 4096;
/** Free buffers beyond this are left to the garbage collector. */
const MAX_FREE_BYTES = 64 * 1024 * 1024;
const ROUND_BYTES = 4096;

export class AnswerBuffers {
  readonly #free: Buffer[] = [];
  #freeBytes = 0;

  /** A buffer for a body of `bytes`; the caller holds it once. */
  take(bytes: number): AnswerBuffer {
    const needed = HEADROOM_BYTES + bytes;
    const index = this.#free.findIndex(({ byteLength }) => byteLength >= needed && byteLength <= 2 * needed);
    const [found] = index === -1 ? [] : this.#free.splice(index, 1);
    if (found !== undefined) this.#freeBytes -= found.byteLength;
    const memory = found ?? Buffer.allocUnsafeSlow(Math.ceil(needed / ROUND_BYTES) * ROUND_BYTES);
    return new AnswerBuffer(memory, bytes, () => this.#give(memory));
  }

  #give(memory: Buffer): void {
    if (this.#freeBytes + memory.byteLength > MAX_FREE_BYTES) return;
    this.#free.push(memory);
    this.#freeBytes += memory.byteLength;
  }
}

/** Memory that is free again when everyone who held it has let go. */
export class AnswerBuffer {
  readonly body: Uint8Array;
  readonly #memory: Buffer;
  readonly #onFree: () => void;
  #holders = 1;

  constructor(memory: Buffer, bodyBytes: number, onFree: () => void) {
    this.#memory = memory;
    this.body = memory.subarray(HEADROOM_BYTES, HEADROOM_BYTES + bodyBytes);
    this.#onFree = onFree;
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#onFree();
  }

  /** The message that `head` makes with the body behind it; null when there is no room for the head. */
  withHead(head: Uint8Array, totalBytes: number): Uint8Array | null {
    const start = HEADROOM_BYTES - head.byteLength;
    if (start < 0) return null;
    this.#memory.set(head, start);
    return this.#memory.subarray(start, start + totalBytes);
  }
}
