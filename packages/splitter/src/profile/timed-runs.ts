// Something that can be run again and again -> its median and its 99th percentile.
import type { Clock } from '@kerf/protocol';

export interface Distribution {
  /** Median. */
  readonly ms: number;
  /** Null below {@link MIN_P99_RUNS}. */
  readonly p99Ms: number | null;
  readonly runs: number;
}

/** Below this the 99th percentile says nothing; up to 100 runs it is the slowest of them. */
export const MIN_P99_RUNS = 20;

/** Ticks of the clock that one sample takes at least, so that its steps are no more than 5 %. */
const TICKS_PER_SAMPLE = 20;

/** Reads of the clock in search of its step; a clock that stands still ends it. */
const TICK_READS = 20_000;

const MAX_REPEATS = 10_000;

/** @param samplesMs at least one. */
export function distributionOf(samplesMs: readonly number[]): Distribution {
  const sorted = samplesMs.toSorted((left, right) => left - right);
  const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? null;
  return { ms: median(sorted), p99Ms: sorted.length < MIN_P99_RUNS ? null : p99, runs: sorted.length };
}

/** 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The least step that the clock was seen to make: a browser's may be 0.1 ms and more. */
export function tickOf(clock: Clock): number {
  let tickMs = Number.POSITIVE_INFINITY;
  let beforeMs = clock.nowMs();
  for (let read = 0; read < TICK_READS; read++) {
    const nowMs = clock.nowMs();
    if (nowMs > beforeMs) tickMs = Math.min(tickMs, nowMs - beforeMs);
    beforeMs = nowMs;
  }
  return Number.isFinite(tickMs) ? tickMs : 0;
}

/** Runs that are timed. Where one run is too short for the clock, a sample is the mean of several. */
export class TimedRuns {
  readonly samplesMs: number[] = [];
  readonly #clock: Clock;
  readonly #leastMs: number;
  readonly #run: () => Promise<unknown>;
  #repeats = 1;

  constructor(clock: Clock, tickMs: number, run: () => Promise<unknown>) {
    this.#clock = clock;
    this.#leastMs = tickMs * TICKS_PER_SAMPLE;
    this.#run = run;
  }

  /** Drops the first runs. @returns milliseconds of the last of them. */
  async warmUp(runs: number): Promise<number> {
    let lastMs = 0;
    for (let run = 0; run < runs; run++) lastMs = await this.#timed(1);
    if (lastMs < this.#leastMs) {
      const meanMs = await this.#timed(TICKS_PER_SAMPLE);
      this.#repeats = Math.min(MAX_REPEATS, Math.ceil(this.#leastMs / Math.max(meanMs, this.#leastMs / MAX_REPEATS)));
    }
    return lastMs;
  }

  /** @returns milliseconds of one run. */
  async sample(): Promise<number> {
    const ms = await this.#timed(this.#repeats);
    this.samplesMs.push(ms);
    return ms;
  }

  async #timed(repeats: number): Promise<number> {
    const startMs = this.#clock.nowMs();
    for (let run = 0; run < repeats; run++) await this.#run();
    return (this.#clock.nowMs() - startMs) / repeats;
  }
}
