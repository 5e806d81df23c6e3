// A graph and a request -> the best of each placement against the uplink, and where one placement takes over from another.
import type { ModelGraph } from '@kerf/onnx';
import { calibratedSplits } from './calibrated-splits.ts';
import { type Candidate, candidateKey, keepsAll, type Prediction, predict, transferMs } from './candidate.ts';
import { LATENCY } from './part-prices.ts';
import { planCosts } from './plan-costs.ts';
import type { PlanRequest } from './request.ts';
import { type Scope, scopeOf } from './scope.ts';
import { type Goal, listedSplits, objective, type Priced, splitAt, wholeCandidates } from './search.ts';
import { throughputCuts } from './throughput-cuts.ts';

/** All but the uplink is as the request states it, the downlink too. */
export interface Curve {
  /** Ascending. */
  readonly uplinkBitsPerSecond: readonly number[];
  /** Null where no candidate of the placement keeps the constraints. */
  readonly edge: readonly (Priced | null)[];
  readonly cloud: readonly (Priced | null)[];
  readonly split: readonly (Priced | null)[];
  /** From this uplink upwards `candidate` is the best; below the first, nothing keeps the constraints. */
  readonly reigns: readonly { readonly fromBitsPerSecond: number; readonly candidate: Candidate }[];
}

/** 0.1 to 1000 Mbit/s. */
const LEAST = 1e5;
const MOST = 1e9;
const POINTS_PER_DECADE = 12;

/** Least cuts solved to find the splits of the curve: fewer on large graphs and where each is a search. */
const MAX_SOLVES = 40;
const MAX_SOLVES_LARGE = 8;
const LARGE_NODES = 2000;
/** Uplinks for throughput, whose best split no envelope of straight lines gives. */
const THROUGHPUT_UPLINKS = [1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** Halvings in the logarithm of the uplink: a cross-over is right to a thousandth. */
const BISECTIONS = 16;
/** Between two neighbouring points; more are passed over. */
const MAX_CHANGES = 16;

/**
 * Prices the placements at 0.1 to 1000 Mbit/s. Latency is a straight line in the time of a bit, so that the least cuts at
 * the ends and where two of them meet give the whole lower envelope: the split of every point is the exact one, unless
 * the graph is so large that the effort ends before, or a deadline or a limit on weights makes it a harder problem.
 * @throws {KerfError} as {@link plan}.
 */
export function planCurve(graph: ModelGraph, request: PlanRequest): Curve {
  const { constraints = {}, goal = 'latency', waitMs = 0 } = request;
  const scope = scopeOf(planCosts(graph, request), request, constraints);
  const all = [
    ...wholeCandidates(scope, request),
    ...exactSplits(scope, goal),
    ...listedSplits(scope),
    ...calibratedSplits(scope.costs, request.calibrated ?? [], request),
  ];
  const pool = [...new Map(all.map((candidate) => [candidateKey(candidate), candidate])).values()];
  const decades = Math.log10(MOST / LEAST);
  const points = Array.from(
    { length: decades * POINTS_PER_DECADE + 1 },
    (_, at) => LEAST * 10 ** (at / POINTS_PER_DECADE),
  );
  const bestOf = (placement: Candidate['placement'] | null) => {
    const some = pool.filter((one) => placement === null || one.placement === placement);
    return (uplinkBitsPerSecond: number): Priced | null => {
      const link = { ...scope.link, uplinkBitsPerSecond };
      return least(some, (one) => predict(one, link, waitMs), { goal, constraints });
    };
  };
  return {
    uplinkBitsPerSecond: points,
    edge: points.map(bestOf('edge')),
    cloud: points.map(bestOf('cloud')),
    split: points.map(bestOf('split')),
    reigns: reignsOf(points, bestOf(null)),
  };
}

function least(
  candidates: readonly Candidate[],
  predicted: (candidate: Candidate) => Prediction,
  { goal, constraints }: { readonly goal: Goal; readonly constraints: NonNullable<PlanRequest['constraints']> },
): Priced | null {
  let best: Priced | null = null;
  for (const candidate of candidates) {
    const prediction = predicted(candidate);
    if (best !== null && objective(prediction, goal) >= objective(best.prediction, goal)) continue;
    if (keepsAll(candidate, prediction, constraints)) best = { candidate, prediction };
  }
  return best;
}

function exactSplits(scope: Scope, goal: Goal): Candidate[] {
  const at = (uplinkBitsPerSecond: number): Scope => ({ ...scope, link: { ...scope.link, uplinkBitsPerSecond } });
  if (goal === 'throughput') {
    return THROUGHPUT_UPLINKS.flatMap((uplink) => throughputCuts(at(uplink), splitAt, 0).candidates);
  }
  const found: Candidate[] = [];
  const isHard = scope.constraints.maxEdgeWeightsBytes !== undefined;
  const maxSolves = isHard || scope.costs.work.nodes.length > LARGE_NODES ? MAX_SOLVES_LARGE : MAX_SOLVES;
  const line = (uplink: number): Line | null => {
    const cut = splitAt(at(uplink), LATENCY);
    if (cut?.candidate != null) found.push(cut.candidate);
    return cut?.modelled == null ? null : lineOf(cut.modelled, scope.link.downlinkBitsPerSecond);
  };
  const between = [{ left: line(LEAST), right: line(MOST) }];
  for (let solves = 2; solves < maxSolves; ) {
    const { left, right } = between.shift() ?? { left: null, right: null };
    if (left === null || right === null) break;
    const meetsAt = (right.bits - left.bits) / (left.fixedMs - right.fixedMs);
    if (!(meetsAt > LEAST && meetsAt < MOST)) continue;
    const middle = line(meetsAt);
    solves++;
    if (middle === null || middle.fixedMs + middle.bits / meetsAt >= left.fixedMs + left.bits / meetsAt - 1e-6)
      continue;
    between.push({ left, right: middle }, { left: middle, right });
  }
  return found;
}

/** Milliseconds of a split: `fixedMs + bits / uplink`, with `bits` in milliseconds times bits per second. */
interface Line {
  readonly fixedMs: number;
  readonly bits: number;
}

function lineOf(candidate: Candidate, downlinkBitsPerSecond: number): Line {
  const { edgeMs, encodeMs, crossingMs, decodeMs, cloudMs, uplinkBytes } = candidate;
  const downlinkMs = transferMs(candidate.downlinkBytes, downlinkBitsPerSecond);
  return { fixedMs: edgeMs + encodeMs + crossingMs + decodeMs + cloudMs + downlinkMs, bits: uplinkBytes * 8000 };
}

/** Walks up from the least uplink; between two points with different winners the change is found by bisection. */
function reignsOf(points: readonly number[], bestAt: (uplink: number) => Priced | null): Curve['reigns'] {
  const reigns: { fromBitsPerSecond: number; candidate: Candidate }[] = [];
  let from = points[0] as number;
  let now = bestAt(from)?.candidate ?? null;
  if (now !== null) reigns.push({ fromBitsPerSecond: from, candidate: now });
  for (const point of points.slice(1)) {
    const end = bestAt(point)?.candidate ?? null;
    for (let changes = 0; now !== end && changes < MAX_CHANGES; changes++) {
      const change = firstChange(from, point, now, bestAt);
      if (change.candidate !== null) reigns.push({ fromBitsPerSecond: change.at, candidate: change.candidate });
      from = change.at;
      now = change.candidate;
    }
    now = end;
    from = point;
  }
  return reigns;
}

function firstChange(
  from: number,
  to: number,
  now: Candidate | null,
  bestAt: (uplink: number) => Priced | null,
): { readonly at: number; readonly candidate: Candidate | null } {
  let same = from;
  let other = to;
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = Math.sqrt(same * other);
    if ((bestAt(middle)?.candidate ?? null) === now) same = middle;
    else other = middle;
  }
  return { at: other, candidate: bestAt(other)?.candidate ?? null };
}
