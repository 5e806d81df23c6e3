// What was measured beside what was predicted -> better predictions of what was not measured.
import type { Candidate, LinkProfile, Priced } from '@kerf/splitter';
import { quantile } from './frames.ts';

/** A candidate that was measured. */
export interface Residual {
  readonly candidate: Candidate;
  readonly predictedMs: number;
  readonly measuredMs: number;
}

/** Median of measured over predicted; 1 of none. */
export function correctionOf(residuals: readonly Residual[]): number {
  const ratios = residuals.map(({ predictedMs, measuredMs }) => measuredMs / predictedMs).sort((a, b) => a - b);
  const middle = ratios.length >> 1;
  const upper = ratios[middle] ?? 1;
  return ratios.length % 2 === 1 ? upper : ((ratios[middle - 1] ?? 1) + upper) / 2;
}

/**
 * Adds what the nearest measured candidate took longer than predicted. Nearest is by nodes in the head: what a
 * profile gets wrong (a session's fixed costs, the curve between two measured heads) changes slowly along the model,
 * while a ratio would also stretch the link's part, which is exact. A placement of a kind that was not measured takes the nearest
 * of those that cross; the edge alone stays as predicted. Nothing falls below what the link takes.
 */
export function correctedBy(priced: Priced, residuals: readonly Residual[], link: LinkProfile): Priced {
  const { candidate, prediction } = priced;
  if (candidate.placement === 'edge') return priced;
  const sameKind = residuals.filter((one) => one.candidate.placement === candidate.placement);
  const crossing = residuals.filter((one) => one.candidate.placement !== 'edge');
  const nearest = nearestTo(candidate, sameKind.length > 0 ? sameKind : crossing);
  if (nearest === null) return priced;
  const addedMs = nearest.measuredMs - nearest.predictedMs;
  const leastMs = prediction.uplinkMs + prediction.downlinkMs + link.roundTripMs;
  return withLatency(priced, Math.max(leastMs, prediction.latencyMs + addedMs));
}

function nearestTo({ headNodes, uplinkBytes }: Candidate, residuals: readonly Residual[]): Residual | null {
  const distance = ({ candidate }: Residual): number => Math.abs(candidate.headNodes - headNodes);
  const tie = ({ candidate }: Residual): number => Math.abs(candidate.uplinkBytes - uplinkBytes);
  const [nearest] = [...residuals].sort((left, right) => distance(left) - distance(right) || tie(left) - tie(right));
  return nearest ?? null;
}

/** The 99th percentile keeps its distance. */
export function withLatency({ candidate, prediction }: Priced, latencyMs: number): Priced {
  const p99Ms = latencyMs + Math.max(0, prediction.p99Ms - prediction.latencyMs);
  return { candidate, prediction: { ...prediction, latencyMs, p99Ms } };
}

/** Standard errors that two medians must lie apart to count as different. */
const APART = 2;

/** Whether the median of `faster` is below that of `slower` by more than chance explains. */
export function isClearlyFaster(faster: readonly number[], slower: readonly number[]): boolean {
  const [left, right] = [spreadOf(faster), spreadOf(slower)];
  return right.median - left.median > APART * Math.hypot(left.errorMs, right.errorMs);
}

/** Of a normal distribution sigma is 1.4826 times the median absolute deviation; its median errs by 1.2533 sigma / sqrt(n). */
function spreadOf(values: readonly number[]): { readonly median: number; readonly errorMs: number } {
  const median = quantile(values, 0.5);
  const deviation = quantile(
    values.map((value) => Math.abs(value - median)),
    0.5,
  );
  return { median, errorMs: (1.2533 * 1.4826 * deviation) / Math.sqrt(values.length) };
}
