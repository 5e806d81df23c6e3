// How far a level is from the usual one, told in groups: what a table says of each group -> where it lies in the range.
//
// These odds stay as they are, so that a magnitude is found at once, without waiting for what the one before has taught. What
// samples say of some hundred contexts in each set of models is as near as what adaptive models make of one frame.
import { GROUP_ODDS_BITS, MAGNITUDE_GROUPS, SET_MAGNITUDES } from './level-numbers.ts';

/** The least magnitude of each group, and how many bits tell those of the group apart, each as likely as the others. */
export const GROUP_FIRST = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 19, 23, 31, 47);
export const GROUP_BITS = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5);
/** Magnitude, 0 to 63 -> its group. */
export const GROUP_OF = Uint8Array.from({ length: 64 }, (_, magnitude) =>
  Math.max(
    0,
    GROUP_FIRST.findLastIndex((first) => first <= magnitude),
  ),
);

/** A stored weight at most. */
export const MAX_WEIGHT = 127;

/** A weight's share: three bits behind the leading one, and its exponent. 0 is none. */
function shareOf(weight: number): number {
  return weight === 0 ? 0 : (8 + (weight & 7)) * 2 ** (weight >> 3);
}

/** The weight whose share is nearest to one of 0 to 1. */
function weightOf(share: number): number {
  const wanted = share * shareOf(MAX_WEIGHT);
  let weight = 0;
  while (weight < MAX_WEIGHT && wanted > (shareOf(weight) + shareOf(weight + 1)) / 2) weight++;
  return weight;
}

const keptEdges = new WeakMap<Uint8Array, Int16Array>();

/**
 * Where each group begins, of 2^14, which every group has at least one of; 16 for each context.
 * @param weights as many, 0 to {@link MAX_WEIGHT}. Made once for weights that do not change any more.
 */
export function groupEdges(weights: Uint8Array): Int16Array {
  const known = keptEdges.get(weights);
  if (known !== undefined) return known;
  const edges = new Int16Array(weights.length);
  for (let from = 0; from < weights.length; from += MAGNITUDE_GROUPS) {
    const shares = Array.from(weights.subarray(from, from + MAGNITUDE_GROUPS), shareOf);
    const total = shares.reduce((sum, share) => sum + share, 0);
    let before = 0;
    for (const [group, share] of shares.entries()) {
      const even = total === 0 ? group / MAGNITUDE_GROUPS : before / total;
      edges[from + group] = group + Math.floor(even * (2 ** GROUP_ODDS_BITS - MAGNITUDE_GROUPS));
      before += share;
    }
  }
  keptEdges.set(weights, edges);
  return edges;
}

/** How many magnitudes of its own outweigh what the same context of all sets has seen. */
const COMMON_WEIGHT = 8;

/**
 * @param counts how often each group was seen, for each context of each set
 * @returns weights in the same places
 */
export function magnitudeWeights(counts: Int32Array): Uint8Array {
  const common = new Float64Array(SET_MAGNITUDES).fill(1 / 16);
  for (const [at, count] of counts.entries()) {
    const inSet = at % SET_MAGNITUDES;
    common[inSet] = (common[inSet] as number) + count;
  }
  const weights = new Uint8Array(counts.length);
  for (let from = 0; from < counts.length; from += MAGNITUDE_GROUPS) {
    const inSet = from % SET_MAGNITUDES;
    const all = common.subarray(inSet, inSet + MAGNITUDE_GROUPS);
    const seen = all.reduce((sum, count) => sum + count, 0);
    const shares = Array.from(all, (count, group) => (counts[from + group] as number) + (COMMON_WEIGHT * count) / seen);
    const most = Math.max(...shares);
    for (const [group, share] of shares.entries()) weights[from + group] = weightOf(share / most);
  }
  return weights;
}

/** Weights of a table with as many sets. */
export function magnitudeCount(sets: number): number {
  return sets * SET_MAGNITUDES;
}
