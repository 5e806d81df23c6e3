// Costs, link and a set of constraints -> every candidate that keeps them, and what no other placement can beat.
import { listCuts } from '../list-cuts.ts';
import {
  type Candidate,
  cloudOnly,
  edgeOnly,
  headCosts,
  keepsAll,
  type Prediction,
  predict,
  splitCandidate,
  uniform,
} from './candidate.ts';
import { exactCut, type StagePrices } from './exact-cut.ts';
import type { PlanCosts } from './plan-costs.ts';
import type { LinkProfile } from './profile.ts';
import { type PlanCodec, type PlanConstraints, type PlanRequest, RAW_CODEC } from './request.ts';

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
  /** Of the goal's objective: no placement is below, counting unmeasured splits by their nodes. */
  readonly lowerBound: number;
}

const LATENCY: StagePrices = { edge: 1, uplink: 1, cloud: 1, downlink: 1 };

/** Values that one message carries. */
const MAX_CROSSING = 256;

/** Uplinks whose best cuts are looked at too, so that what would change the decision is known: bits per second. */
const OTHER_UPLINKS = [1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** Prices of the slowest stage that are tried for the bound on throughput. */
const THROUGHPUT_STEPS = 6;

/** What is minimised: milliseconds a frame, or milliseconds between frames. */
export function objective(prediction: Prediction, goal: Goal): number {
  return goal === 'latency' ? prediction.latencyMs : 1000 / prediction.framesPerSecond;
}

export function search(all: PlanCosts, request: PlanRequest, constraints: PlanConstraints): SearchResult {
  const { link, goal = 'latency', waitMs = 0 } = request;
  const costs = constraints.keepOnEdge === undefined ? { ...all, kept: { nodes: [], values: NO_VALUES } } : all;
  const allowed = (loss: number): boolean => constraints.maxLoss === undefined || loss <= constraints.maxLoss;
  const codecs = (request.codecs ?? [RAW_CODEC]).filter((codec) => allowed(codec.maxLoss));
  const images = (request.images ?? []).filter((image) => allowed(image.maxLoss));
  const single = [edgeOnly(costs), ...cloudOnly(costs, codecs, images)];
  const exact = exactCuts(costs, link, codecs, constraints, goal);
  const pool = [...single, ...exact.candidates, ...listedSplits(costs, codecs)];
  const kept = pool
    .map((candidate) => ({ candidate, prediction: predict(candidate, link, waitMs) }))
    .filter(({ candidate, prediction }) => keepsAll(candidate, prediction, constraints))
    .sort((left, right) => objective(left.prediction, goal) - objective(right.prediction, goal));
  const fixedMs = goal === 'latency' ? link.roundTripMs + waitMs : 0;
  const wholes = kept.filter(({ candidate }) => candidate.placement !== 'split');
  const bounds = [exact.lowerBound + fixedMs, ...wholes.map(({ prediction }) => objective(prediction, goal))];
  return { kept, pool, lowerBound: Math.min(...bounds) };
}

const NO_VALUES: ReadonlySet<string> = new Set();

/** Every listed cut in every codec. */
function listedSplits(costs: PlanCosts, codecs: readonly PlanCodec[]): Candidate[] {
  const onEdge = new Uint8Array(costs.work.nodes.length);
  return listCuts(costs.graph, { maxTensors: MAX_CROSSING }).flatMap(({ tensors, inputs }) => {
    markHead(costs, tensors, onEdge);
    const names = [...tensors, ...inputs];
    const head = headCosts(costs, onEdge, names);
    return codecs.flatMap((codec) => splitCandidate(costs, head, names, uniform(codec, codecs)) ?? []);
  });
}

/** Marks what the tensors depend on. */
function markHead({ work }: PlanCosts, tensors: readonly string[], onEdge: Uint8Array): void {
  onEdge.fill(0);
  const waiting: number[] = [];
  const visit = (name: string): void => {
    const at = work.producer.get(name);
    if (at === undefined || onEdge[at] === 1) return;
    onEdge[at] = 1;
    waiting.push(at);
  };
  for (const name of tensors) visit(name);
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const name of work.nodes[at]?.reads ?? []) visit(name);
  }
}

function exactCuts(
  costs: PlanCosts,
  link: LinkProfile,
  codecs: readonly PlanCodec[],
  constraints: PlanConstraints,
  goal: Goal,
): { readonly candidates: Candidate[]; readonly lowerBound: number } {
  const candidates: Candidate[] = [];
  const solve = (on: LinkProfile, prices: StagePrices, table = costs): number => {
    const found = exactCut(table, on, prices, codecs, constraints);
    const { candidate } = found ?? { candidate: null };
    if (candidate !== null && candidate.crossing.length <= MAX_CROSSING) {
      // The head's real costs, whatever prices it was found at.
      candidates.push(candidate);
    }
    return found?.lowerBound ?? Number.POSITIVE_INFINITY;
  };
  const latencyBound = solve(link, LATENCY);
  if (latencyBound === Number.POSITIVE_INFINITY) return { candidates, lowerBound: latencyBound };
  const { deadlineMs, maxEdgeWeightsBytes } = constraints;
  const { edge, cloud } = costs;
  // The split whose 99th percentile is least decides whether a deadline can be kept at all.
  if (deadlineMs !== undefined) solve(link, { ...LATENCY, edge: edge.p99Ratio, cloud: cloud.p99Ratio });
  if (goal === 'throughput') {
    return { candidates, lowerBound: throughputBound(candidates, link, (prices) => solve(link, prices)) };
  }
  if (maxEdgeWeightsBytes === undefined) {
    for (const uplinkBitsPerSecond of OTHER_UPLINKS) solve({ ...link, uplinkBitsPerSecond }, LATENCY);
  }
  return { candidates, lowerBound: latencyBound };
}

/**
 * The slowest stage takes at least any weighted mean of the stages: the least cut at prices that sum to 1 is a bound.
 * Prices move towards the stage that was slowest, and each cut found on the way is a candidate.
 */
function throughputBound(
  candidates: readonly Candidate[],
  link: LinkProfile,
  solve: (prices: StagePrices) => number,
): number {
  let prices: StagePrices = { edge: 1 / 3, uplink: 1 / 3, cloud: 1 / 3, downlink: 0 };
  let bound = 0;
  for (let step = 0; step < THROUGHPUT_STEPS; step++) {
    const before = candidates.length;
    bound = Math.max(bound, solve(prices));
    const found = candidates[before];
    if (found === undefined) break;
    const { slowestStage } = predict(found, link, 0);
    const moved = { ...prices, [slowestStage]: prices[slowestStage] + 1 / (step + 2) };
    const sum = moved.edge + moved.uplink + moved.cloud + moved.downlink;
    prices = {
      edge: moved.edge / sum,
      uplink: moved.uplink / sum,
      cloud: moved.cloud / sum,
      downlink: moved.downlink / sum,
    };
  }
  return bound;
}
