// A model, profiles and a chain of it -> what the planner expects of every route, as plain data that a device can keep.
import type { ModelGraph } from '@kerf/onnx';
import { type Candidate, type PlanRequest, priceDivisions } from '@kerf/splitter';
import type { RoutePrior } from './cost-book.ts';
import { cutName } from './routes.ts';

/**
 * Prices of all routes but `small`, by name, in the codec that is best on the link of the request. A route that no constraint
 * of the request keeps is left out: name it in `constraints.refused` as well, or it counts as unmeasured.
 * @param cuts of chain.json. @throws {KerfError} INVALID_ARGUMENT as `plan` does.
 */
export function planPriors(
  graph: ModelGraph,
  request: PlanRequest,
  cuts: readonly { readonly tensors: readonly string[] }[],
): Map<string, RoutePrior> {
  const prices = priceDivisions(
    graph,
    request,
    cuts.map(({ tensors }) => tensors),
  );
  const priors = new Map<string, RoutePrior>();
  const add = (name: string, candidate: Candidate | null): void => {
    if (candidate !== null) priors.set(name, priorOf(candidate));
  };
  add('cloud', prices.cloud);
  prices.cuts.forEach((candidate, at) => add(cutName(at + 1), candidate));
  add('edge', prices.edge);
  return priors;
}

function priorOf(candidate: Candidate): RoutePrior {
  const { edgeMs, encodeMs, uplinkBytes, cloudMs, decodeMs, crossingMs, downlinkBytes } = candidate;
  return { edgeMs, encodeMs, uplinkBytes, cloudMs: cloudMs + decodeMs + crossingMs, downlinkBytes };
}
