// Two runs of one frame, one after the other -> one account whose spans add up to the time of both.
import type { FrameResult, FrameSpans, Outcome } from '../session/outcome.ts';

/** `outcome` with what was spent before it. */
export function later<T extends Outcome>(before: FrameSpans, outcome: T): T {
  return { ...outcome, spans: sumOf(before, outcome.spans) };
}

/** The second run's answer after the first one failed: bytes and times of both. */
export function joined(first: Outcome, second: FrameResult): FrameResult {
  return {
    ...second,
    spans: sumOf(first.spans, second.spans),
    bytesUp: first.bytesUp + second.bytesUp,
    bytesDown: first.bytesDown + second.bytesDown,
    nonFinite: first.nonFinite,
  };
}

function sumOf(before: FrameSpans, spans: FrameSpans): FrameSpans {
  return {
    queueMs: before.queueMs + spans.queueMs,
    headMs: before.headMs + spans.headMs,
    encodeMs: before.encodeMs + spans.encodeMs,
    networkMs: before.networkMs + spans.networkMs,
    cloudMs: before.cloudMs + spans.cloudMs,
    decodeMs: before.decodeMs + spans.decodeMs,
    localMs: before.localMs + spans.localMs,
    totalMs: before.totalMs + spans.totalMs,
    cloud: spans.cloud,
    wayDown: spans.wayDown,
  };
}
