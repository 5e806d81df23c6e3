// A graph, a request and the cuts of a chain -> what each division of the chain costs, in the codec that is best there.
import type { ModelGraph } from '@kerf/onnx';
import { calibratedSplits } from './calibrated-splits.ts';
import { type Candidate, headCosts, keepsAll, markHead, predict, splitCandidate, uniform } from './candidate.ts';
import { planCosts } from './plan-costs.ts';
import type { PlanRequest } from './request.ts';
import { scopeOf } from './scope.ts';
import { wholeCandidates } from './search.ts';

/** By division: the edge alone, the cloud alone, and each cut in the order given; null where no constraint keeps it. */
export interface DivisionPrices {
  readonly edge: Candidate | null;
  readonly cloud: Candidate | null;
  readonly cuts: readonly (Candidate | null)[];
}

/**
 * Pure. Prices come as those of {@link plan}: measured sessions, else calibrated sums of nodes.
 * @param cuts all tensors that cross, as chain.json has them. @throws {KerfError} as {@link plan}.
 */
export function priceDivisions(
  graph: ModelGraph,
  request: PlanRequest,
  cuts: readonly (readonly string[])[],
): DivisionPrices {
  const { constraints = {}, link, waitMs = 0 } = request;
  // A chain is there: whether its cuts are inside fusions is no question any more.
  const costs = planCosts(graph, { ...request, allowFusedCuts: true });
  const scope = scopeOf(costs, request, constraints);
  const calibrated = calibratedSplits(scope.costs, request.calibrated ?? [], request);
  const best = (candidates: readonly Candidate[]): Candidate | null => {
    const priced = candidates.map((candidate) => ({ candidate, prediction: predict(candidate, link, waitMs) }));
    const kept = priced.filter(({ candidate, prediction }) => keepsAll(candidate, prediction, constraints));
    return kept.sort((left, right) => left.prediction.latencyMs - right.prediction.latencyMs)[0]?.candidate ?? null;
  };
  const whole = wholeCandidates(scope, request);
  const onEdge = new Uint8Array(scope.costs.work.nodes.length);
  return {
    edge: best(whole.filter(({ placement }) => placement === 'edge')),
    cloud: best(whole.filter(({ placement }) => placement === 'cloud')),
    cuts: cuts.map((names) => {
      markHead(scope.costs, names, onEdge);
      const head = headCosts(scope.costs, onEdge, names);
      const { codecs } = scope;
      const plain = codecs.flatMap((codec) => splitCandidate(scope.costs, head, names, uniform(codec, codecs)) ?? []);
      return best([...plain, ...calibrated.filter(({ crossing }) => isSame(names, crossing))]);
    }),
  };
}

function isSame(names: readonly string[], crossing: readonly { readonly name: string }[]): boolean {
  return names.length === crossing.length && crossing.every(({ name }) => names.includes(name));
}
