// Samples of a quantity that changes now and then -> its value now, how far single samples are from it, and how sure it is.

export interface Estimate {
  /** What the next sample is expected to be. */
  readonly value: number;
  /** How far a single sample is from it, as a standard deviation. */
  readonly spread: number;
  /** How far `value` may be from the truth, as a standard deviation. */
  readonly error: number;
  /** Since the newest sample. */
  readonly ageMs: number;
  readonly samples: number;
}

/**
 * Shares of a new sample in the value, from one that forgets everything to one that hardly moves. Whichever has foretold
 * the recent samples best is believed: a steady quantity is averaged, one that wanders is followed.
 */
const GAINS = [1, 0.5, 0.2, 0.07] as const;
/** Share of a new miss in how well a gain has foretold. */
const SCORE_GAIN = 0.12;
const QUICK_HANDICAP = 0.2;
/** A single sample says this much less than several that agree. */
const UNCONFIRMED = 0.3;
/** No estimate is surer than this share of its value. */
const LEAST_ERROR = 0.01;
/** What a slow gain takes for an outlier: so many of its usual misses. */
const OUTLIER = 3;
/** Two misses in a row to one side, each this many usual ones and this factor away: everything before is of another time. */
const CHANGE = { misses: 3, log: Math.log(1.3) } as const;
/** A miss counts up to here, in logarithms: one absurd sample must not decide which gain is best. */
const MOST_MISS = 1.5;
/** Zero has no logarithm. */
const LEAST_VALUE = 1e-9;
/** Of a normal distribution: standard deviation over the mean of the absolute deviations. */
const DEVIATION = 1.2533;

interface Follower {
  readonly gain: number;
  log: number;
  /** Mean of the recent absolute misses, in logarithms. */
  miss: number;
}

/** Takes samples one by one in the logarithm, so that a factor of two up or down is the same distance. */
export class Track {
  #followers: Follower[] = [];
  #samples = 0;
  #lastMs = 0;
  #lastLog = 0;
  /** Of the sample before: beyond what is usual, above or below; 0 for a usual one. */
  #lastSide = 0;

  /** Takes a sample, at least 0; anything else says nothing. @param weight up to 1: how much it says. */
  add(value: number, atMs: number, weight = 1): void {
    if (!(Number.isFinite(value) && value >= 0 && weight > 0)) return;
    const log = Math.log(Math.max(value, LEAST_VALUE));
    this.#lastMs = atMs;
    const side = this.#sideOf(log);
    const isChange = side !== 0 && side === this.#lastSide;
    if (this.#samples === 0) this.#restart(log, UNCONFIRMED / DEVIATION, 1);
    else if (isChange) this.#restart((log + this.#lastLog) / 2, this.#usualMiss(log), 2);
    else {
      this.#samples++;
      for (const follower of this.#followers) follow(follower, log, this.#samples, weight);
    }
    this.#lastSide = isChange ? 0 : side;
    this.#lastLog = log;
  }

  #restart(log: number, miss: number, samples: number): void {
    this.#followers = GAINS.map((gain) => ({ gain, log, miss }));
    this.#samples = samples;
  }

  /** What it was before the change; more where the two samples that show it differ more. */
  #usualMiss(log: number): number {
    const before = Math.min(...this.#followers.map(({ miss }) => miss), UNCONFIRMED / DEVIATION);
    return Math.max(before, Math.abs(log - this.#lastLog) / 2);
  }

  #sideOf(log: number): number {
    const best = this.#best();
    if (best === null || this.#samples < 3) return 0;
    const by = log - best.log;
    const isUsual = Math.abs(by) <= Math.max(CHANGE.log, CHANGE.misses * best.miss);
    return isUsual ? 0 : Math.sign(by);
  }

  #best(): Follower | null {
    // A quick one must be clearly better: by chance alone it now and then looks a little so.
    const score = ({ miss, gain }: Follower): number => miss * (1 + QUICK_HANDICAP * gain);
    return this.#followers.reduce<Follower | null>((one, other) => {
      return one === null || score(other) <= score(one) ? other : one;
    }, null);
  }

  /** Forgets everything. */
  clear(): void {
    this.#followers = [];
    this.#samples = 0;
    this.#lastSide = 0;
  }

  /** The last sample was far off, and no other has confirmed it yet: it may be a change. */
  get isInDoubt(): boolean {
    return this.#lastSide !== 0;
  }

  /** Null before the first sample. */
  at(nowMs: number): Estimate | null {
    const best = this.#best();
    if (best === null) return null;
    const value = Math.exp(best.log);
    const deviation = Math.min(1, DEVIATION * best.miss);
    const gain = Math.max(best.gain, 1 / this.#samples);
    const error = Math.max(deviation * Math.sqrt(gain / (2 - gain)), LEAST_ERROR);
    const ageMs = Math.max(0, nowMs - this.#lastMs);
    return { value, spread: value * deviation, error: value * error, ageMs, samples: this.#samples };
  }
}

function follow(follower: Follower, log: number, samples: number, weight: number): void {
  const by = log - follower.log;
  const scoreGain = Math.max(SCORE_GAIN, 1 / samples) * weight;
  const isQuick = follower.gain === 1;
  const limit = isQuick || samples < 4 ? Number.POSITIVE_INFINITY : OUTLIER * DEVIATION * follower.miss;
  follower.miss += scoreGain * (Math.min(Math.abs(by), MOST_MISS) - follower.miss);
  // The first samples are averaged, whatever the gain.
  const gain = Math.max(follower.gain, 1 / samples) * weight;
  follower.log += gain * Math.max(-limit, Math.min(limit, by));
}
