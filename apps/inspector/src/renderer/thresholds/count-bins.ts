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
