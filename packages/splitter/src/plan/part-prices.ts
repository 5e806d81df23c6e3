// What is minimised -> what a millisecond of each part of a frame counts, so that a least cut minimises it.
import type { Stages } from './candidate.ts';
import type { PartPrices } from './exact-cut.ts';
import type { PlanCosts } from './plan-costs.ts';

/** The median of a frame's latency. */
export const LATENCY: PartPrices = { edge: 1, encode: 1, uplink: 1, crossing: 1, decode: 1, cloud: 1, downlink: 1 };

/** Its 99th percentile, less the jitter. */
export function percentilePrices({ edge, cloud }: PlanCosts): PartPrices {
  return { ...LATENCY, edge: edge.p99Ratio, cloud: cloud.p99Ratio };
}

/** A weighted mean of the stages, where `weights` sum to 1: the slowest stage takes at least that. */
export function stagePrices({ edge, uplink, cloud, downlink }: Stages): PartPrices {
  return { edge, encode: edge, uplink, crossing: (edge + cloud) / 2, decode: cloud, cloud, downlink };
}

/** Prices of the 99th percentile beside what is minimised that are tried where there is a deadline. */
export const DEADLINE_WEIGHTS = [0.03, 0.1, 0.3, 1, 3] as const;

/** `left + factor * right`. */
export function addPrices(left: PartPrices, right: PartPrices, factor: number): PartPrices {
  const sum = (part: keyof PartPrices): number => left[part] + factor * right[part];
  return {
    edge: sum('edge'),
    encode: sum('encode'),
    uplink: sum('uplink'),
    crossing: sum('crossing'),
    decode: sum('decode'),
    cloud: sum('cloud'),
    downlink: sum('downlink'),
  };
}
