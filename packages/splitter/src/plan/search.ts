// Costs, link and a set of constraints -> every candidate that keeps them, and what no other placement can beat.
import { MAX_CROSSING } from '../carried-names.ts';
import { listCuts } from '../list-cuts.ts';
import { calibratedSplits } from './calibrated-splits.ts';
import {
  type Candidate,
  cloudOnly,
  edgeOnly,
  headCosts,
  keepsAll,
  markHead,
  type Prediction,
  predict,
  splitCandidate,
  uniform,
} from './candidate.ts';
import { type ExactCut, exactCut, type PartPrices, type StageLimit } from './exact-cut.ts';
import { addPrices, DEADLINE_WEIGHTS, LATENCY, percentilePrices } from './part-prices.ts';
import type { PlanCosts } from './plan-costs.ts';
import type { LinkProfile } from './profile.ts';
import type { PlanConstraints, PlanRequest } from './request.ts';
import { type Scope, scopeOf } from './scope.ts';
import { type Bounded, throughputCuts } from './throughput-cuts.ts';

export type Goal = 'latency' | 'throughput';

export interface Priced {
  readonly candidate: Candidate;
  readonly prediction: Prediction;
}

export interface SearchResult {
  /** Candidates that keep the constraints, best first. */
  readonly kept: readonly Priced[];
  /** All that were looked at. */
  readonly pool: readonly Candidate[];
  /** In the goal's milliseconds. */
  readonly lowerBound: number;
}

/** Uplinks whose best cuts are looked at too, so that what would change the decision is known: bits per second. */
const OTHER_UPLINKS = [1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** What is minimised: milliseconds a frame, or milliseconds between frames. */
export function objective(prediction: Prediction, goal: Goal): number {
  return goal === 'latency' ? prediction.latencyMs : 1000 / prediction.framesPerSecond;
}

export function search(all: PlanCosts, request: PlanRequest, constraints: PlanConstraints): SearchResult {
  const { link, goal = 'latency', waitMs = 0 } = request;
  const scope = scopeOf(all, request, constraints);
  const calibrated = calibratedSplits(scope.costs, request.calibrated ?? [], request);
  const known = [...wholeCandidates(scope, request), ...listedSplits(scope), ...calibrated];
  const keptOf = (candidates: readonly Candidate[]): Priced[] =>
    candidates
      .map((candidate) => ({ candidate, prediction: predict(candidate, link, waitMs) }))
      .filter(({ candidate, prediction }) => keepsAll(candidate, prediction, constraints))
      .sort((left, right) => objective(left.prediction, goal) - objective(right.prediction, goal));
  const exact = goal === 'latency' ? latencyCuts(scope) : throughputCuts(scope, splitAt, bestMs(keptOf(known)));
  const pool = [...known, ...exact.candidates];
  const kept = keptOf(pool);
  // What the exact cut knows nothing of: placements that are no split, and codecs that exist at one cut only.
  const others = kept.filter(({ candidate }) => candidate.placement !== 'split' || candidate.calibrated !== null);
  const bounds = [exact.lowerBound, ...others.map(({ prediction }) => objective(prediction, goal))];
  return { kept, pool, lowerBound: Math.min(...bounds) };
}

/** Milliseconds between frames of the best; Infinity when there is none. */
function bestMs([best]: readonly Priced[]): number {
  return best === undefined ? Number.POSITIVE_INFINITY : objective(best.prediction, 'throughput');
}

/** The edge alone, and the cloud alone with its inputs in each codec and as each image. */
export function wholeCandidates({ costs, codecs }: Scope, { images = [] }: PlanRequest): Candidate[] {
  return [edgeOnly(costs), ...cloudOnly(costs, codecs, images)];
}

/** Every listed cut in every codec. */
export function listedSplits({ costs, codecs }: Scope): Candidate[] {
  const onEdge = new Uint8Array(costs.work.nodes.length);
  return listCuts(costs.graph).flatMap(({ tensors, inputs }) => {
    const names = [...tensors, ...inputs];
    if (!names.every((name) => costs.valueByName.get(name)?.mayCross === true)) return [];
    markHead(costs, tensors, onEdge);
    const head = headCosts(costs, onEdge, names);
    return codecs.flatMap((codec) => splitCandidate(costs, head, names, uniform(codec, codecs)) ?? []);
  });
}

/** The exact cut at these prices; its candidate only where one message carries it. */
export function splitAt(
  scope: Scope,
  prices: PartPrices,
  { link = scope.link, within }: { readonly link?: LinkProfile; readonly within?: StageLimit } = {},
): ExactCut | null {
  const found = exactCut({ ...scope, link, prices, ...(within === undefined ? {} : { within }) });
  if (found === null || (found.candidate?.crossing.length ?? 0) <= MAX_CROSSING) return found;
  return { ...found, candidate: null };
}

function latencyCuts(scope: Scope): Bounded {
  const { costs, link, waitMs, constraints } = scope;
  const candidates: Candidate[] = [];
  const solve = (prices: PartPrices, on = link): ExactCut | null => {
    const found = splitAt(scope, prices, { link: on });
    if (found?.candidate != null) candidates.push(found.candidate);
    return found;
  };
  const fastest = solve(LATENCY);
  if (fastest === null) return { candidates, lowerBound: Number.POSITIVE_INFINITY };
  let lowerBound = fastest.lowerBound + link.roundTripMs + waitMs;
  const { deadlineMs = Number.POSITIVE_INFINITY } = constraints;
  if (fastest.modelled !== null && predict(fastest.modelled, link, waitMs).p99Ms > deadlineMs) {
    const percentile = percentilePrices(costs);
    // The split whose 99th percentile is least decides whether the deadline can be kept at all.
    solve(percentile);
    for (const factor of DEADLINE_WEIGHTS) {
      // In time, the 99th percentile exceeds the deadline by nothing: a price on the excess gives a bound.
      const found = solve(addPrices(LATENCY, percentile, factor));
      const fixedMs = link.roundTripMs + waitMs - factor * (deadlineMs - link.roundTripMs - link.jitterMs - waitMs);
      lowerBound = Math.max(lowerBound, (found?.lowerBound ?? 0) + fixedMs);
    }
  }
  if (constraints.maxEdgeWeightsBytes === undefined) {
    for (const uplinkBitsPerSecond of OTHER_UPLINKS) solve(LATENCY, { ...link, uplinkBitsPerSecond });
  }
  return { candidates, lowerBound };
}
