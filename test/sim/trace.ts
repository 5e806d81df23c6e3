// What happened, in order -> a hash that two equal runs share, and the last lines for people.

const KEPT_LINES = 4000;

export class Trace {
  readonly #isKept: boolean;
  readonly lines: string[] = [];
  events = 0;
  #low = 0x811c9dc5;
  #high = 0x1b873593;

  /** @param isKept whether lines are kept, or only counted and hashed. */
  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  note(atMs: number, line: string): void {
    this.events++;
    const text = `${atMs.toFixed(3)} ${line}`;
    // Two streams of FNV-1a.
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      this.#low = Math.imul(this.#low ^ code, 0x01000193);
      this.#high = Math.imul(this.#high ^ (code + index), 0x01000193);
    }
    if (!this.#isKept) return;
    this.lines.push(text);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
  }

  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
