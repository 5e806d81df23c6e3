// The cuts of a model and what is measured so far -> the cut to measure next.
import type { ModelGraph } from '@kerf/onnx';
import { DEFAULT_WIRE_LIMITS } from '@kerf/protocol';
import { fusedValues } from '../fused-pairs.ts';
import { crossableCuts, type ListedCut, listCuts } from '../list-cuts.ts';
import type { ValueSpec } from '../value-types.ts';

export interface CandidateCut {
  readonly cut: ListedCut;
  /** Of all that crosses. */
  readonly bytes: number;
  /** Fewest bytes of any cut up to this one, or of the model's inputs, over its own: 1 for the best so far. */
  readonly thrift: number;
}

/** Of the whole model's time: nearer to a measured cut than this and no smaller, a cut tells nothing new. */
const SAME_PLACE = 0.001;

/**
 * Cuts that may be worth a session, in the model's order: every value a dense tensor of known size, in all no more than
 * one message carries, none inside a group that the runtime fuses.
 */
export function candidateCuts(graph: ModelGraph, specs: ReadonlyMap<string, ValueSpec>): CandidateCut[] {
  const fused = fusedValues(graph);
  const sizeOf = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (specs.get(name)?.bytes ?? Number.NaN), 0);
  let fewest = sizeOf(graph.inputs) || Number.POSITIVE_INFINITY;
  return crossableCuts(listCuts(graph), specs).flatMap((cut) => {
    const bytes = sizeOf([...cut.tensors, ...cut.inputs]);
    const isUsable = bytes <= DEFAULT_WIRE_LIMITS.maxMessageBytes && cut.headNodes > 0 && cut.tailNodes > 0;
    if (!isUsable || cut.tensors.some((name) => fused.has(name))) return [];
    fewest = Math.min(fewest, bytes);
    return [{ cut, bytes, thrift: bytes > 0 ? fewest / bytes : 1 }];
  });
}

/**
 * The candidate that lies farthest from every measured cut and from both ends, in milliseconds of the whole model; one
 * that carries more than a cut before it counts for less, by the root of the ratio, since it is seldom chosen.
 * @param nodeMs by position in the work of the graph.
 * @returns null when none is left that tells something new.
 */
export function nextCut(
  left: readonly CandidateCut[],
  measured: readonly CandidateCut[],
  nodeMs: Float64Array,
): CandidateCut | null {
  const before = new Float64Array(nodeMs.length + 1);
  nodeMs.forEach((ms, at) => {
    before[at + 1] = (before[at] as number) + ms;
  });
  const wholeMs = before[nodeMs.length] ?? 0;
  // A head is not always the first nodes in order; near enough for choosing.
  const placeOf = ({ cut }: CandidateCut): number => before[cut.headNodes] ?? wholeMs;
  const places = measured.map((one) => ({ atMs: placeOf(one), bytes: one.bytes }));
  let best: CandidateCut | null = null;
  let bestScore = -1;
  for (const candidate of left) {
    const atMs = placeOf(candidate);
    const gapMs = places.reduce((gap, place) => Math.min(gap, Math.abs(place.atMs - atMs)), wholeMs);
    const isKnown = places.some(
      (place) => Math.abs(place.atMs - atMs) <= SAME_PLACE * wholeMs && place.bytes <= candidate.bytes,
    );
    const score = Math.min(gapMs, atMs, wholeMs - atMs) * Math.sqrt(candidate.thrift);
    if (isKnown || score <= bestScore) continue;
    [best, bestScore] = [candidate, score];
  }
  return best;
}
