// Answered frames that carry a sampled trace -> their spans in the cloud: the frame in the gateway, its stages in the worker.
import { type FinishedSpan, parseTraceparent, type SpanExporter, startTrace, type TraceContext } from '@kerf/protocol';
import type { Release } from '../models/catalog.ts';
import type { FrameOutcome, FrameTask } from '../models/frame-task.ts';

/** Told of every frame when it is settled. */
export type TraceFrame = (frame: FrameTask, outcome: FrameOutcome, totalMs: number) => void;

/**
 * The span `kerf.frame` is a child of whatever the frame's `traceparent` names, an edge's span or a client's request; those
 * of the worker are its children. Their times come from what gateway and worker measured, laid after each other.
 */
export function frameTracer(
  exporter: Pick<SpanExporter, 'add'>,
  { model, version }: Release,
  random: () => number,
  wallNowMs: () => number,
): TraceFrame {
  return (frame, outcome, totalMs) => {
    const parent = parseTraceparent(frame.trace);
    if (parent?.sampled !== true) return;
    const endMs = wallNowMs();
    const startMs = endMs - totalMs;
    const own = startTrace(random, parent);
    const child = (name: string, fromMs: number, ms: number, attributes: FinishedSpan['attributes'] = {}): void => {
      const { spanId } = startTrace(random, own);
      exporter.add({
        ...spanOf(own, spanId, name, 'internal'),
        startMs: fromMs,
        endMs: fromMs + ms,
        attributes,
        error: null,
      });
    };
    if (outcome.kind === 'result') {
      const { queueMs, decodeMs, computeMs, batchRows } = outcome.spans;
      child('kerf.queue', startMs, queueMs);
      child('kerf.worker.decode', startMs + queueMs, decodeMs);
      child('kerf.worker.compute', startMs + queueMs + decodeMs, computeMs, { 'kerf.batch.rows': batchRows });
    }
    exporter.add({
      ...spanOf(parent, own.spanId, 'kerf.frame', 'server'),
      startMs,
      endMs,
      attributes: { 'kerf.model': model, 'kerf.version': version, 'kerf.rows': frame.rows, 'kerf.entry': frame.entry },
      error: outcome.kind === 'fault' ? `${outcome.code}: ${outcome.message}` : null,
    });
  };
}

function spanOf(
  parent: TraceContext,
  spanId: string,
  name: string,
  kind: FinishedSpan['kind'],
): Pick<FinishedSpan, 'traceId' | 'spanId' | 'parentSpanId' | 'name' | 'kind'> {
  return { traceId: parent.traceId, spanId, parentSpanId: parent.spanId, name, kind };
}
