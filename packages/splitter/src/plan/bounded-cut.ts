// A problem with a limit on the edge's weights -> the best division found, and how far from the best possible it may be.
import { CutNetwork, type CutProblem, type Division, PIN } from './min-cut.ts';

export interface BoundedCut {
  readonly best: Division;
  /** No division within the limit costs less. */
  readonly lowerBound: number;
  /** `best.cost - lowerBound`, 0 when proven best. */
  readonly gap: number;
  readonly solves: number;
}

/** Without a clock the effort is bounded in least cuts, fewer on large graphs. */
const MAX_SOLVES = 4000;
const MIN_SOLVES = 48;
const SOLVES_TIMES_NODES = 200_000;

/** Relative difference below which two costs are the same. */
const TOLERANCE = 1e-8;

/** Prices tried for one bound; a handful is usual. */
const MAX_STEPS = 40;

/** A part of the search: some nodes pinned, no division in it costs less than `bound`. */
interface Branch {
  readonly pins: Uint8Array;
  readonly bound: number;
  /** Node to decide next. */
  readonly split: number;
}

/**
 * The least cost with at most `maxWeightsBytes` of weights on the edge: NP-hard (a knapsack with precedence), so a
 * Lagrangian bound (a price per byte) steers branch and bound, best bound first, until proven or out of effort.
 * @returns null when no division keeps the pins within the limit.
 */
export function boundedCut(
  problem: CutProblem,
  maxWeightsBytes: number,
  options: { readonly maxSolves?: number } = {},
): BoundedCut | null {
  const effort = Math.floor(SOLVES_TIMES_NODES / Math.max(1, problem.edgeCost.length));
  const maxSolves = options.maxSolves ?? Math.min(MAX_SOLVES, Math.max(MIN_SOLVES, effort));
  const search = new Search(problem, maxWeightsBytes);
  const root = search.bound(problem.pins);
  let open = root === null ? [] : [root];
  let lowerBound = Number.POSITIVE_INFINITY;
  while (open.length > 0) {
    open = open.filter(({ bound }) => bound < search.cutoff);
    open.sort((left, right) => right.bound - left.bound);
    const branch = open.at(-1);
    if (branch === undefined) break;
    if (search.solves >= maxSolves) {
      lowerBound = branch.bound;
      break;
    }
    open.pop();
    for (const pin of [PIN.cloud, PIN.edge]) {
      const pins = branch.pins.slice();
      pins[branch.split] = pin;
      const child = search.bound(pins);
      if (child !== null) open.push({ ...child, bound: Math.max(child.bound, branch.bound) });
    }
  }
  const { best, solves } = search;
  if (best === null) return null;
  const bound = Math.min(lowerBound, best.cost);
  return { best, lowerBound: bound, gap: best.cost - bound, solves };
}

class Search {
  best: Division | null = null;
  solves = 0;
  readonly #network: CutNetwork;
  readonly #limit: number;

  constructor(problem: CutProblem, limit: number) {
    this.#network = new CutNetwork(problem);
    this.#limit = limit;
  }

  /** Branches that cannot beat this are dropped. */
  get cutoff(): number {
    return this.best === null ? Number.POSITIVE_INFINITY : this.best.cost - TOLERANCE * Math.abs(this.best.cost);
  }

  /** The Lagrangian bound of a branch; null when it holds nothing, or nothing better than what it gave to `best`. */
  bound(pins: Uint8Array): Branch | null {
    let heavy = this.#solve({ pins });
    if (heavy === null) return null;
    if (this.#fits(heavy)) return null;
    let light = this.#solve({ pins, pricePerByte: 1, factors: { edge: 0, cross: 0, cloud: 0 } });
    if (light === null || !this.#fits(light)) return null;
    // The dual function is the least of lines `cost + price * (weights - limit)`: walk to where the slopes change sign.
    let bound = heavy.cost;
    for (let step = 0; step < MAX_STEPS && bound < this.cutoff; step++) {
      const price: number = (light.cost - heavy.cost) / (heavy.weightsBytes - light.weightsBytes);
      const meeting: number = heavy.cost + price * (heavy.weightsBytes - this.#limit);
      const next = this.#solve({ pins, pricePerByte: price });
      if (next === null) return null;
      const value: number = next.cost + price * (next.weightsBytes - this.#limit);
      bound = Math.max(bound, value);
      if (value >= meeting - TOLERANCE * Math.abs(meeting)) break;
      if (this.#fits(next)) light = next;
      else heavy = next;
    }
    if (bound >= this.cutoff) return null;
    const split = this.#undecided(heavy, light, pins);
    return split < 0 ? null : { pins, bound, split };
  }

  #solve(options: Parameters<CutNetwork['solve']>[0]): Division | null {
    this.solves++;
    const found = this.#network.solve(options);
    if (found !== null && this.#fits(found) && (this.best === null || found.cost < this.best.cost)) this.best = found;
    return found;
  }

  #fits(division: Division): boolean {
    return division.weightsBytes <= this.#limit;
  }

  /** The heaviest free node that the two divisions place differently. */
  #undecided(heavy: Division, light: Division, pins: Uint8Array): number {
    let split = -1;
    let most = -1;
    for (const { bytes, nodes } of this.#network.problem.weights) {
      for (const node of nodes) {
        if (pins[node] !== PIN.free || heavy.onEdge[node] === light.onEdge[node] || bytes <= most) continue;
        most = bytes;
        split = node;
      }
    }
    return split;
  }
}
