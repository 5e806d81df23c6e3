// Items of the latest few records, in memory; older ones are let go.

export class HeldItems<T> {
  readonly #limit: number;
  readonly #items = new Map<number, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(seq: number): T | null {
    return this.#items.get(seq) ?? null;
  }

  set(seq: number, item: T): void {
    this.#items.set(seq, item);
    if (this.#items.size <= this.#limit) return;
    for (const oldest of this.#items.keys()) {
      this.#items.delete(oldest);
      return;
    }
  }

  delete(seq: number): void {
    this.#items.delete(seq);
  }
}
