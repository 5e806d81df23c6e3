// Items of the latest records, in memory; the oldest are let go.

export class HeldItems<T> {
  readonly #limit: number;
  readonly #weightOf: (item: T) => number;
  readonly #items = new Map<number, T>();
  #weight = 0;

  /** @param limit of all items together, in what `weightOf` counts; one that is heavier alone is not held. */
  constructor(limit: number, weightOf: (item: T) => number = () => 1) {
    this.#limit = limit;
    this.#weightOf = weightOf;
  }

  /** Of all items together, in what `weightOf` counts. */
  get weight(): number {
    return this.#weight;
  }

  get(seq: number): T | null {
    return this.#items.get(seq) ?? null;
  }

  set(seq: number, item: T): void {
    this.delete(seq);
    this.#items.set(seq, item);
    this.#weight += this.#weightOf(item);
    for (const oldest of this.#items.keys()) {
      if (this.#weight <= this.#limit) return;
      this.delete(oldest);
    }
  }

  delete(seq: number): void {
    const item = this.#items.get(seq);
    if (item === undefined) return;
    this.#items.delete(seq);
    this.#weight -= this.#weightOf(item);
  }
}
