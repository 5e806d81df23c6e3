// Bytes of the planes of a segment -> what a tensor would save with tables of its own, in a segment of its own.
//
// All planes of a place share a table, so integers of one scale take more bits beside those of another.

import { entropyBitsOf } from '../coder/cluster.ts';

/** How often each byte occurs, by its place in an element. */
export type PlaneCounts = readonly Uint32Array[];

export class SegmentPlanes {
  readonly #counts: Uint32Array[] = [];

  add(counts: PlaneCounts): void {
    for (const [place, plane] of counts.entries()) {
      const known = this.#counts[place];
      if (known === undefined) this.#counts[place] = plane.slice();
      else for (const [value, count] of plane.entries()) known[value] = (known[value] as number) + count;
    }
  }

  /** Bits that the planes of both together take more than apart; tables count for nothing. */
  bitsShared(counts: PlaneCounts): number {
    let bits = 0;
    for (const [place, plane] of counts.entries()) {
      const known = this.#counts[place];
      if (known === undefined) continue;
      const both = known.map((count, value) => count + (plane[value] as number));
      bits += entropyBitsOf(both) - entropyBitsOf(known) - entropyBitsOf(plane);
    }
    return bits;
  }
}
