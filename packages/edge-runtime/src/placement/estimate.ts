// Samples of a quantity that changes now and then -> its value now, how far single samples are from it, and how sure it is.

export interface Estimate {
  /** Middle of the recent samples, by weight. */
  readonly value: number;
  /** How far a single sample is from it, as a standard deviation. */
  readonly spread: number;
  /** How far `value` may be from the truth, as a standard deviation. */
  readonly error: number;
  /** Since the newest sample. */
  readonly ageMs: number;
  readonly samples: number;
}

export interface TrackOptions {
  /** Samples kept, at most. */
  readonly maxSamples: number;
  /** Older samples are forgotten, but for the newest one. */
  readonly maxAgeMs: number;
}

export const DEFAULT_TRACK: TrackOptions = { maxSamples: 15, maxAgeMs: 30_000 };

interface Sample {
  readonly value: number;
  readonly weight: number;
  readonly atMs: number;
}

/** A single sample says this much less than several that agree. */
const UNCONFIRMED = 0.3;
/** No estimate is surer than this share of its value. */
const LEAST_ERROR = 0.01;
/** Of a normal distribution: standard deviation over the median of the absolute deviations. */
const DEVIATION = 1.4826;
/** So many samples on one side of the others, by this factor and so many deviations, are a change: the others are forgotten. */
const SHIFTS = [
  { count: 2, factor: 1.5, deviations: 5 },
  { count: 3, factor: 1.12, deviations: 3 },
] as const;
/** Zero has no logarithm. */
const LEAST_VALUE = 1e-12;

/** Keeps few samples; outliers do not move it, and a lasting change moves it at the second or third sample. */
export class Track {
  readonly #options: TrackOptions;
  #samples: Sample[] = [];

  constructor(options: TrackOptions = DEFAULT_TRACK) {
    this.#options = options;
  }

  /** Takes a sample, at least 0; anything else says nothing. */
  add(value: number, atMs: number, weight = 1): void {
    if (!(Number.isFinite(value) && value >= 0 && weight > 0)) return;
    const { maxSamples, maxAgeMs } = this.#options;
    const young = this.#samples.filter((sample) => atMs - sample.atMs <= maxAgeMs);
    this.#samples = [...young, { value, weight, atMs }].slice(-maxSamples);
    this.#forgetBeforeShift();
  }

  /** Forgets everything. */
  clear(): void {
    this.#samples = [];
  }

  /** Null before the first sample. */
  at(nowMs: number): Estimate | null {
    const newest = this.#samples.at(-1);
    if (newest === undefined) return null;
    const young = this.#samples.filter(({ atMs }) => nowMs - atMs <= this.#options.maxAgeMs);
    const samples = young.length > 0 ? young : [newest];
    const value = middle(samples);
    const spread = samples.length === 1 ? value * UNCONFIRMED : deviation(samples, value);
    const error = Math.max(spread / Math.sqrt(samples.length), value * LEAST_ERROR);
    return { value, spread, error, ageMs: Math.max(0, nowMs - newest.atMs), samples: samples.length };
  }

  #forgetBeforeShift(): void {
    const logs = this.#samples.map((sample) => ({ ...sample, value: Math.log(Math.max(sample.value, LEAST_VALUE)) }));
    for (const { count, factor, deviations } of SHIFTS) {
      const before = logs.slice(0, -count);
      if (before.length < 2) continue;
      const value = middle(before);
      const limit = Math.max(Math.log(factor), deviations * deviation(before, value));
      const away = logs.slice(-count).map((sample) => sample.value - value);
      if (away.every((by) => by > limit) || away.every((by) => by < -limit))
        this.#samples = this.#samples.slice(-count);
    }
  }
}

/** Where half of the weight is; between two samples where it is reached just there. */
function middle(samples: readonly Sample[]): number {
  const sorted = [...samples].sort((left, right) => left.value - right.value);
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let reached = 0;
  for (const [at, { value, weight }] of sorted.entries()) {
    reached += weight;
    if (Math.abs(reached - half) <= 1e-9 * half) return (value + (sorted[at + 1]?.value ?? value)) / 2;
    if (reached > half) return value;
  }
  return sorted.at(-1)?.value ?? 0;
}

function deviation(samples: readonly Sample[], value: number): number {
  const distances = samples.map((sample) => ({ ...sample, value: Math.abs(sample.value - value) }));
  return DEVIATION * middle(distances);
}
