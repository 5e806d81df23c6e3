// Bounds of links -> a grid of them, evenly spaced in the logarithm, the ends included.

/** Links for which a chain is chosen. */
export interface LinkGrid {
  /** Ascending. The downlink is as fast as the uplink. */
  readonly uplinkBitsPerSecond: readonly number[];
  /** Ascending. */
  readonly roundTripMs: readonly number[];
}

const POINTS_PER_DECADE = 10;

/** 0.1 to 1000 Mbit/s and 1 to 200 ms, at least ten points a decade: 41 by 25 links. */
export const DEFAULT_LINKS: LinkGrid = {
  uplinkBitsPerSecond: logSpaced(1e5, 1e9),
  roundTripMs: logSpaced(1, 200),
};

/** From `least` to `most`, both included, at least {@link POINTS_PER_DECADE} points a decade. */
export function logSpaced(least: number, most: number): number[] {
  const decades = Math.log10(most / least);
  const steps = Math.max(1, Math.ceil(decades * POINTS_PER_DECADE - 1e-9));
  return Array.from({ length: steps + 1 }, (_, at) => (at === steps ? most : least * 10 ** ((decades * at) / steps)));
}
