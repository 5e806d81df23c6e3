// Keys of records -> whether one was there lately, within a bounded window.

export class SeenKeys {
  readonly #window: number;
  /** In the order they came; a Set keeps it. */
  readonly #keys = new Set<string>();

  constructor(window: number) {
    this.#window = window;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.add(key);
    if (this.#keys.size <= this.#window) return;
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest);
      return;
    }
  }

  /** Oldest first. */
  toJSON(): string[] {
    return [...this.#keys];
  }
}
