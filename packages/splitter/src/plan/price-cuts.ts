// A graph and a request -> every listed cut with its price in the codec that is best there, whether it may be chosen or not.
import type { ModelGraph } from '@kerf/onnx';
import { calibratedSplits } from './calibrated-splits.ts';
import { keepsAll, predict } from './candidate.ts';
import { planCosts } from './plan-costs.ts';
import type { PlanRequest } from './request.ts';
import { scopeOf } from './scope.ts';
import { listedSplits, objective, type Priced } from './search.ts';

export interface PricedCut extends Priced {
  /** Of all that crosses, raw. */
  readonly rawBytes: number;
  /** Whether it keeps every constraint; one inside a fusion may keep them all and is still not recommended. */
  readonly keeps: boolean;
}

/**
 * Cuts in the order of the model, as `listCuts` has them; those that nothing can carry are left out.
 * @throws {KerfError} as {@link plan}.
 */
export function priceCuts(graph: ModelGraph, request: PlanRequest): PricedCut[] {
  const { constraints = {}, goal = 'latency', link, waitMs = 0 } = request;
  // A value that must not leave is priced too, and then said not to keep.
  const costs = planCosts(graph, { ...request, allowFusedCuts: true });
  const scope = scopeOf({ ...costs, kept: { ...costs.kept, values: new Set() } }, request, constraints);
  const best = new Map<string, PricedCut>();
  for (const candidate of [
    ...listedSplits(scope),
    ...calibratedSplits(scope.costs, request.calibrated ?? [], request),
  ]) {
    const names = candidate.crossing.map(({ name }) => name);
    const key = JSON.stringify(names);
    const prediction = predict(candidate, link, waitMs);
    const known = best.get(key);
    if (known !== undefined && objective(known.prediction, goal) <= objective(prediction, goal)) continue;
    const isSecret = constraints.keepOnEdge !== undefined && names.some((name) => costs.kept.values.has(name));
    best.set(key, {
      candidate,
      prediction,
      rawBytes: names.reduce((sum, name) => sum + (costs.valueByName.get(name)?.profiled?.bytes ?? 0), 0),
      keeps: !isSecret && keepsAll(candidate, prediction, constraints),
    });
  }
  return [...best.values()];
}
