// Costs and a link -> splits whose slowest stage is short, and what no split's slowest stage can be shorter than.
import { type Candidate, type Stages, stagesOf } from './candidate.ts';
import type { ExactCut, PartPrices } from './exact-cut.ts';
import { hardestWeights } from './matrix-game.ts';
import { addPrices, DEADLINE_WEIGHTS, percentilePrices, stagePrices } from './part-prices.ts';
import type { Scope } from './search.ts';

export interface Bounded {
  readonly candidates: readonly Candidate[];
  /** In the goal's milliseconds; Infinity when there is no split at all. */
  readonly lowerBound: number;
}

/** Least cuts solved for one bound: fewer on large graphs. */
const STEPS = 14;
const STEPS_LARGE = 6;
const LARGE_NODES = 2000;

/** The bound is as good as it gets when a step gains less than this share. */
const SETTLED = 1e-3;

/**
 * The slowest stage takes at least any weighted mean of the stages, so that a least cut at such prices is a bound. The
 * weights are those at which the cuts found so far look worst (a cutting-plane method); each cut is a candidate too.
 * What is left between bound and best candidate is what a mixture of two cuts would do better than either.
 */
export function throughputCuts(scope: Scope, splitAt: (scope: Scope, prices: PartPrices) => ExactCut | null): Bounded {
  const { costs, link, waitMs, constraints } = scope;
  const candidates: Candidate[] = [];
  const solve = (prices: PartPrices): ExactCut | null => {
    const found = splitAt(scope, prices);
    if (found?.candidate != null) candidates.push(found.candidate);
    return found;
  };
  const rows: number[][] = [];
  const steps = costs.work.nodes.length > LARGE_NODES ? STEPS_LARGE : STEPS;
  let lowerBound = 0;
  let weights: readonly number[] = [1 / 3, 1 / 3, 1 / 3, 0];
  for (let step = 0; step < steps; step++) {
    const found = solve(stagePrices(asStages(weights)));
    if (found === null) return { candidates, lowerBound: Number.POSITIVE_INFINITY };
    lowerBound = Math.max(lowerBound, found.lowerBound);
    if (found.modelled === null) break;
    const { edge, uplink, cloud, downlink } = stagesOf(found.modelled, link);
    rows.push([edge, uplink, cloud, downlink]);
    weights = hardestWeights(rows);
    if (valueOf(rows, weights) <= lowerBound * (1 + SETTLED)) break;
  }
  const { deadlineMs } = constraints;
  if (deadlineMs === undefined) return { candidates, lowerBound };
  // In time, what a frame may take beside its priced parts is known: the rest of the deadline is a bound as well.
  const restMs = deadlineMs - link.roundTripMs - link.jitterMs - waitMs;
  const percentile = percentilePrices(costs);
  solve(percentile);
  for (const factor of DEADLINE_WEIGHTS) {
    const found = solve(addPrices(stagePrices(asStages(weights)), percentile, factor));
    lowerBound = Math.max(lowerBound, (found?.lowerBound ?? 0) - factor * restMs);
  }
  return { candidates, lowerBound };
}

function asStages([edge = 0, uplink = 0, cloud = 0, downlink = 0]: readonly number[]): Stages {
  return { edge, uplink, cloud, downlink };
}

/** The least weighted sum of any row. */
function valueOf(rows: readonly (readonly number[])[], weights: readonly number[]): number {
  return Math.min(...rows.map((row) => row.reduce((sum, cost, at) => sum + cost * (weights[at] ?? 0), 0)));
}
