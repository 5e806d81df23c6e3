// Scores -> how many fall into each of equal bins over a range that also shows the thresholds.

export interface Bins {
  readonly counts: readonly number[];
  readonly least: number;
  readonly most: number;
}

/** Scores that are no numbers are left out. The range is 0 to 1 unless something lies outside. */
export function countBins(scores: readonly number[], marks: readonly number[], bins: number): Bins {
  const finite = scores.filter(Number.isFinite);
  const shown = [...finite, ...marks.filter(Number.isFinite)];
  const least = Math.min(0, ...shown);
  const most = Math.max(1, ...shown);
  const counts = Array.from({ length: bins }, () => 0);
  for (const score of finite) {
    const bin = Math.min(bins - 1, Math.floor(((score - least) / (most - least)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { counts, least, most };
}

export interface Axis {
  readonly ticks: readonly number[];
  /** Decimal places that tell them apart. */
  readonly digits: number;
}

/** About `most` round values between two, such as 0, 0.2, 0.4: steps of 1, 2 or 5 at a power of ten. */
export function axisTicks(least: number, greatest: number, most: number): Axis {
  const rough = (greatest - least) / Math.max(1, Math.floor(most));
  const exponent = Math.floor(Math.log10(rough) + 1e-9);
  const times = [1, 2, 5].find((each) => each * 10 ** exponent >= rough * 0.999) ?? 10;
  const step = times * 10 ** exponent;
  const first = Math.ceil(least / step - 1e-9);
  const count = Math.floor(greatest / step + 1e-9) - first + 1;
  return {
    ticks: Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(12))),
    digits: Math.max(0, times === 10 ? -exponent - 1 : -exponent),
  };
}
