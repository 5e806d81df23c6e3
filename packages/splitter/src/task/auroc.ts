// Scores of defective and of sound things -> the chance that a defective one scores higher; ties count half.
import { KerfError } from '@kerf/protocol';
import { type BootstrapOptions, bootstrapInterval, type Interval } from './intervals.ts';
import type { PixelCounts } from './pixel-counts.ts';

export interface Scored {
  /** Higher means more likely defective. Not NaN. */
  readonly score: number;
  readonly isDefective: boolean;
}

/**
 * Area under the ROC curve of images, exact, ties included (the Mann-Whitney statistic).
 * @returns 0 to 1; NaN without a defective or without a sound one.
 * @throws {KerfError} INVALID_ARGUMENT for a score that is NaN.
 */
export function imageAuroc(scored: readonly Scored[]): number {
  return areaOf(sorted(scored), new Uint32Array(scored.length).fill(1));
}

/** Bootstrap over images at 95 %. @throws {KerfError} INVALID_ARGUMENT for none, or a NaN. */
export function imageAurocInterval(scored: readonly Scored[], options?: BootstrapOptions): Interval {
  const order = sorted(scored);
  return bootstrapInterval(scored.length, (weights) => areaOf(order, weights), options);
}

/**
 * Area under the ROC curve of all pixels of all samples together.
 * @returns 0 to 1; NaN without a defective or without a sound pixel.
 */
export function pixelAuroc(samples: readonly PixelCounts[]): number {
  return pooledArea(samples, new Uint32Array(samples.length).fill(1));
}

/** Bootstrap over samples, not pixels: those of one picture are not independent. @throws {KerfError} INVALID_ARGUMENT. */
export function pixelAurocInterval(samples: readonly PixelCounts[], options?: BootstrapOptions): Interval {
  return bootstrapInterval(samples.length, (weights) => pooledArea(samples, weights), options);
}

interface Placed extends Scored {
  readonly index: number;
}

function sorted(scored: readonly Scored[]): Placed[] {
  if (scored.some(({ score }) => Number.isNaN(score))) {
    throw new KerfError('INVALID_ARGUMENT', 'a score is not a number; look at the model and its input');
  }
  return scored.map((item, index) => ({ ...item, index })).sort((left, right) => compare(left.score, right.score));
}

/** Not a difference: that of two infinities is NaN. */
function compare(left: number, right: number): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function areaOf(ascending: readonly Placed[], weights: Uint32Array): number {
  const area = new Area();
  let at = 0;
  while (at < ascending.length) {
    const { score } = ascending[at] as Placed;
    let defective = 0;
    let sound = 0;
    for (; at < ascending.length && ascending[at]?.score === score; at++) {
      const { index, isDefective } = ascending[at] as Placed;
      if (isDefective) defective += weights[index] as number;
      else sound += weights[index] as number;
    }
    area.add(defective, sound);
  }
  return area.value;
}

function pooledArea(samples: readonly PixelCounts[], weights: Uint32Array): number {
  const levels = samples[0]?.defective.length ?? 0;
  const defective = new Float64Array(levels);
  const sound = new Float64Array(levels);
  for (const [at, sample] of samples.entries()) {
    const weight = weights[at] as number;
    if (weight === 0) continue;
    if (sample.defective.length !== levels) {
      throw new KerfError('INVALID_ARGUMENT', 'masks of 8 bits and of floats cannot be pooled');
    }
    addWeighted(defective, sample.defective, weight);
    addWeighted(sound, sample.sound, weight);
  }
  const area = new Area();
  for (let level = 0; level < levels; level++) area.add(defective[level] as number, sound[level] as number);
  return area.value;
}

function addWeighted(total: Float64Array, counts: Uint32Array, weight: number): void {
  for (let level = 0; level < total.length; level++) {
    total[level] = (total[level] as number) + weight * (counts[level] as number);
  }
}

/** Takes groups of equal score in ascending order. */
class Area {
  private defective = 0;
  private sound = 0;
  private won = 0;

  add(defective: number, sound: number): void {
    this.won += defective * (this.sound + sound / 2);
    this.defective += defective;
    this.sound += sound;
  }

  get value(): number {
    return this.won / (this.defective * this.sound);
  }
}
