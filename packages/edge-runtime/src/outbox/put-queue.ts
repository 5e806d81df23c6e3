// Calls of `put` -> each let in when there is room, in turn; told when the outbox closes or the caller gives up.
import { KerfError } from '@kerf/protocol';

interface Put {
  readonly bytes: number;
  readonly letIn: () => void;
  readonly reject: (error: KerfError) => void;
}

export class PutQueue {
  /** Not let in yet. */
  readonly #waiting = new Set<Put>();
  /** Not safe yet, waiting or not. */
  readonly #all = new Set<Put>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get count(): number {
    return this.#all.size;
  }

  /**
   * @param bytes that it needs room for.
   * @param letIn begins to write, and calls `done` when that is safe.
   * @throws {KerfError} OVERLOADED, CANCELLED, CLOSED.
   */
  async enter(bytes: number, letIn: (done: () => void) => void, signal: AbortSignal | undefined): Promise<void> {
    if (this.#all.size >= this.#limit)
      throw new KerfError(
        'OVERLOADED',
        `${this.#limit} records wait to be stored already; capture less, or wait for each`,
      );
    let leave = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        const put: Put = { bytes, reject, letIn: () => letIn(resolve) };
        const cancel = (): void => {
          if (this.#waiting.has(put))
            reject(new KerfError('CANCELLED', 'the wait for room in the outbox was cancelled'));
        };
        leave = () => {
          this.#waiting.delete(put);
          this.#all.delete(put);
          signal?.removeEventListener('abort', cancel);
        };
        this.#waiting.add(put);
        this.#all.add(put);
        signal?.addEventListener('abort', cancel);
        if (signal?.aborted === true) cancel();
      });
    } finally {
      leave();
    }
  }

  /** Lets in who can be, in turn. */
  admit(hasRoom: (bytes: number) => boolean): void {
    for (const put of this.#waiting) {
      if (!hasRoom(put.bytes)) return;
      this.#waiting.delete(put);
      put.letIn();
    }
  }

  close(error: KerfError): void {
    for (const { reject } of this.#all) reject(error);
  }
}
