// A request narrowed to a set of constraints.
import type { PlanCosts } from './plan-costs.ts';
import type { LinkProfile } from './profile.ts';
import { type PlanCodec, type PlanConstraints, type PlanRequest, RAW_CODEC } from './request.ts';

export interface Scope {
  readonly costs: PlanCosts;
  readonly link: LinkProfile;
  readonly waitMs: number;
  /** Those whose loss the constraints allow. */
  readonly codecs: readonly PlanCodec[];
  readonly constraints: PlanConstraints;
}

const NO_VALUES: ReadonlySet<string> = new Set();

export function scopeOf(all: PlanCosts, request: PlanRequest, constraints: PlanConstraints): Scope {
  const { link, waitMs = 0 } = request;
  const costs = constraints.keepOnEdge === undefined ? { ...all, kept: { nodes: [], values: NO_VALUES } } : all;
  const { maxLoss = Number.POSITIVE_INFINITY } = constraints;
  const codecs = (request.codecs ?? [RAW_CODEC]).filter((codec) => codec.maxLoss <= maxLoss);
  return { costs, link, waitMs, codecs, constraints };
}
