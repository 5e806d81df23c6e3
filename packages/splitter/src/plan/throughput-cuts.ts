// Costs and a link -> splits whose slowest stage is short, and what no split's slowest stage can be shorter than.
import { type Candidate, type Stages, stagesOf } from './candidate.ts';
import { closureSums } from './closure-sums.ts';
import type { ExactCut, PartPrices, StageLimit } from './exact-cut.ts';
import { hardestWeights } from './matrix-game.ts';
import { addPrices, DEADLINE_WEIGHTS, percentilePrices, stagePrices } from './part-prices.ts';
import type { Scope } from './scope.ts';

export interface Bounded {
  readonly candidates: readonly Candidate[];
  /** In the goal's milliseconds; Infinity when there is no split at all. */
  readonly lowerBound: number;
}

/** Least cuts solved for one bound, and times that a limit on the stages is tried to raise it: fewer on large graphs. */
const EFFORT = { steps: 14, limits: 8, stepsOfLimit: 4 };
const EFFORT_LARGE = { steps: 6, limits: 2, stepsOfLimit: 2 };
const LARGE_NODES = 2000;

/** The bound is as good as it gets when a step gains less than this share. */
const SETTLED = 1e-3;

type SplitAt = (scope: Scope, prices: PartPrices, options?: { readonly within?: StageLimit }) => ExactCut | null;

/**
 * The slowest stage takes at least any weighted mean of the stages, so that a least cut at such prices is a bound. The
 * weights are those at which the cuts found so far look worst (a cutting-plane method); each cut is a candidate too.
 * Such a bound allows mixtures of cuts, so it is raised by trying limits: within one, what alone takes longer than the
 * limit is ruled out, and where the rest is then above the limit, no split keeps it.
 * @param knownMs the best slowest stage of all other candidates: no higher bound is looked for. 0: only candidates are.
 */
export function throughputCuts(scope: Scope, splitAt: SplitAt, knownMs: number): Bounded {
  const search = new ThroughputSearch(scope, splitAt);
  const bound = search.relaxed();
  if (bound === Number.POSITIVE_INFINITY) return { candidates: search.candidates, lowerBound: bound };
  search.raise(knownMs);
  search.useDeadline();
  return { candidates: search.candidates, lowerBound: search.lowerBound };
}

class ThroughputSearch {
  readonly candidates: Candidate[] = [];
  lowerBound = 0;
  readonly #scope: Scope;
  readonly #splitAt: SplitAt;
  readonly #effort: typeof EFFORT;
  #weights: readonly number[] = [1 / 3, 1 / 3, 1 / 3, 0];
  #bestMs = Number.POSITIVE_INFINITY;

  constructor(scope: Scope, splitAt: SplitAt) {
    this.#scope = scope;
    this.#splitAt = splitAt;
    this.#effort = scope.costs.work.nodes.length > LARGE_NODES ? EFFORT_LARGE : EFFORT;
  }

  /** The bound without a limit; Infinity when no split keeps the constraints. */
  relaxed(): number {
    const { least, weights } = this.#descend(this.#effort.steps, Number.POSITIVE_INFINITY, undefined);
    this.lowerBound = least;
    this.#weights = weights;
    return least;
  }

  /** Halves the way between the bound and the best that is known. */
  raise(knownMs: number): void {
    const { costs, constraints } = this.#scope;
    // With a limit on weights each cut is a search of its own.
    if (constraints.maxEdgeWeightsBytes !== undefined) return;
    let above = Math.min(knownMs, this.#bestMs);
    if (above <= this.lowerBound * (1 + SETTLED)) return;
    const sums = closureSums(costs.work, costs.edge.nodeMs, costs.cloud.nodeMs);
    let ms = above * (1 - SETTLED / 2);
    for (let tries = 0; tries < this.#effort.limits && above > this.lowerBound * (1 + SETTLED); tries++) {
      const { least } = this.#descend(this.#effort.stepsOfLimit, ms, { ms, sums });
      if (least > ms) this.lowerBound = Math.max(this.lowerBound, ms);
      else above = ms;
      above = Math.min(above, this.#bestMs);
      ms = (this.lowerBound + above) / 2;
    }
  }

  /** In time, what a frame may take beside its priced parts is known: the rest of the deadline is a bound as well. */
  useDeadline(): void {
    const { costs, link, waitMs, constraints } = this.#scope;
    const { deadlineMs } = constraints;
    if (deadlineMs === undefined) return;
    const restMs = deadlineMs - link.roundTripMs - link.jitterMs - waitMs;
    const percentile = percentilePrices(costs);
    this.#solve(percentile, undefined);
    for (const factor of DEADLINE_WEIGHTS) {
      const found = this.#solve(addPrices(stagePrices(asStages(this.#weights)), percentile, factor), undefined);
      this.lowerBound = Math.max(this.lowerBound, (found?.lowerBound ?? 0) - factor * restMs);
    }
  }

  /** Moves the weights until the bound settles or exceeds `enoughMs`; Infinity when there is no split. */
  #descend(
    steps: number,
    enoughMs: number,
    within: StageLimit | undefined,
  ): { readonly least: number; readonly weights: readonly number[] } {
    let least = 0;
    let weights = this.#weights;
    const rows: number[][] = [];
    for (let step = 0; step < steps; step++) {
      const found = this.#solve(stagePrices(asStages(weights)), within);
      if (found === null) return { least: Number.POSITIVE_INFINITY, weights };
      least = Math.max(least, found.lowerBound);
      if (least > enoughMs || found.modelled === null) break;
      const { edge, uplink, cloud, downlink } = stagesOf(found.modelled, this.#scope.link);
      rows.push([edge, uplink, cloud, downlink]);
      weights = hardestWeights(rows);
      if (valueOf(rows, weights) <= least * (1 + SETTLED)) break;
    }
    return { least, weights };
  }

  #solve(prices: PartPrices, within: StageLimit | undefined): ExactCut | null {
    const found = this.#splitAt(this.#scope, prices, within === undefined ? {} : { within });
    if (found?.candidate == null) return found;
    this.candidates.push(found.candidate);
    this.#bestMs = Math.min(this.#bestMs, Math.max(...Object.values(stagesOf(found.candidate, this.#scope.link))));
    return found;
  }
}

function asStages([edge = 0, uplink = 0, cloud = 0, downlink = 0]: readonly number[]): Stages {
  return { edge, uplink, cloud, downlink };
}

/** The least weighted sum of any row. */
function valueOf(rows: readonly (readonly number[])[], weights: readonly number[]): number {
  return Math.min(...rows.map((row) => row.reduce((sum, cost, at) => sum + cost * (weights[at] ?? 0), 0)));
}
