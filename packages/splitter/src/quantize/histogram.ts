// Values of a tensor, sample after sample -> how often each size of value comes, in bins that grow with the range.
import type { Range } from './affine.ts';

/** Bins over [-limit, limit). */
const BINS = 8192;
const HALF = BINS / 2;
/** Of one tensor of one sample; least and largest value are taken of all. */
const SORTED_PER_SAMPLE = 65_536;

/**
 * One pass, whatever comes: when a value is larger than all before, the bins get twice as wide and are joined in pairs.
 * NaN and infinities are counted apart.
 */
export class Histogram {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Finite values. */
  count = 0;
  notFinite = 0;
  /** Values in the bins; of a large tensor only every few are sorted in. */
  binned = 0;
  /** Of those in the bins, exact zeros: they have a level of their own whatever the range. */
  zeros = 0;
  /** A power of two. */
  limit = 0;
  readonly bins = new Float64Array(BINS);

  add(values: Float32Array): void {
    this.#extend(values);
    if (this.limit === 0) return;
    const { bins } = this;
    const perUnit = HALF / this.limit;
    // An odd step does not keep to rows and columns.
    const step = Math.floor(values.length / SORTED_PER_SAMPLE) | 1;
    for (let at = 0; at < values.length; at += step) {
      const value = values[at] as number;
      const bin = Math.floor(value * perUnit) + HALF;
      // NaN and infinities fall through.
      if (!(bin >= 0 && bin < BINS)) continue;
      bins[bin] = (bins[bin] as number) + 1;
      this.binned++;
      if (value === 0) this.zeros++;
    }
  }

  /** Of the finite values; zero where there are none. */
  get range(): Range {
    return this.count === 0 ? { min: 0, max: 0 } : { min: this.min, max: this.max };
  }

  /** Width of a bin. */
  get width(): number {
    return this.limit / HALF;
  }

  #extend(values: Float32Array): void {
    let { min, max } = this;
    let finite = 0;
    for (let at = 0; at < values.length; at++) {
      const value = values[at] as number;
      if (value - value !== 0) continue;
      finite++;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.count += finite;
    this.notFinite += values.length - finite;
    this.min = min;
    this.max = max;
    if (this.count === 0) return;
    const largest = Math.max(Math.abs(min), Math.abs(max));
    const needed = largest === 0 ? 2 ** -100 : 2 ** (Math.floor(Math.log2(largest)) + 1);
    if (this.limit === 0) this.limit = needed;
    while (this.limit < needed) this.#widen();
  }

  #widen(): void {
    const { bins } = this;
    const joined = new Float64Array(BINS);
    for (let bin = 0; bin < BINS; bin++) {
      const to = HALF + Math.floor((bin - HALF) / 2);
      joined[to] = (joined[to] as number) + (bins[bin] as number);
    }
    bins.set(joined);
    this.limit *= 2;
  }
}
