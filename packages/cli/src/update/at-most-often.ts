// Calls that may come thick and fast -> one at once, then one in so many milliseconds, and always one after the last.

export class AtMostOften {
  readonly #everyMs: number;
  readonly #work: () => void;
  #timer: NodeJS.Timeout | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number, work: () => void) {
    this.#everyMs = everyMs;
    this.#work = work;
  }

  call(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        this.#lastMs = performance.now();
        this.#work();
      },
      Math.max(0, this.#lastMs + this.#everyMs - performance.now()),
    );
  }

  /** What has not come yet never does. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
