// Samples of a worker's memory -> whether it has grown so much that a fresh process should take its place.

export interface GrowthLimits {
  /** Resident bytes; 0: no bound. */
  readonly maxWorkerRssBytes: number;
  /** Growth over the baseline, as a share of it; 0: no bound. */
  readonly maxWorkerGrowth: number;
}

/** The first samples, while arenas fill, make the baseline. */
const BASELINE_SAMPLES = 5;
/** Less growth than this is never worth a new process. */
const LEAST_GROWTH_BYTES = 64 * 1024 * 1024;

export class GrowthWatch {
  readonly #limits: GrowthLimits;
  #samples = 0;
  #baselineBytes = 0;

  constructor(limits: GrowthLimits) {
    this.#limits = limits;
  }

  /** @returns why the worker should be replaced, or null. */
  sample(rssBytes: number): string | null {
    const { maxWorkerRssBytes, maxWorkerGrowth } = this.#limits;
    if (this.#samples < BASELINE_SAMPLES) {
      this.#samples++;
      this.#baselineBytes = Math.max(this.#baselineBytes, rssBytes);
    }
    if (maxWorkerRssBytes > 0 && rssBytes > maxWorkerRssBytes) return `holds ${rssBytes} bytes, more than it may`;
    const grown = rssBytes - this.#baselineBytes;
    if (maxWorkerGrowth === 0 || grown < LEAST_GROWTH_BYTES || grown <= maxWorkerGrowth * this.#baselineBytes) {
      return null;
    }
    return `grew from ${this.#baselineBytes} to ${rssBytes} bytes`;
  }
}
