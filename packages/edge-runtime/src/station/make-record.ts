// A judged frame -> the record that sinks, outbox and audit read.

import type { Judged } from './answer.ts';
import { RESULT_FORMAT, type ResultRecord } from './result-record.ts';
import type { StationFrame } from './station-frame.ts';

export interface RecordContext {
  readonly station: string;
  /** Of this run, so that ids are unique for ever. */
  readonly run: string;
  readonly release: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallMs: number;
}

/** The first record of a frame. */
export function firstRecord(frame: StationFrame, judged: Judged, context: RecordContext): ResultRecord {
  const { capture, spans, number } = frame;
  return {
    format: RESULT_FORMAT,
    resultId: resultIdOf(frame, context),
    revision: 0,
    station: context.station,
    frame: number,
    partId: capture.partId,
    source: capture.source,
    ...(capture.file === undefined ? {} : { file: capture.file }),
    isSimulated: capture.isSimulated,
    takenTime: new Date(capture.takenAt).toISOString(),
    creationTime: new Date(context.wallMs).toISOString(),
    release: context.release,
    imageSha256: frame.prepared?.imageSha256 ?? null,
    spans: spans.list(),
    totalMs: spans.totalMs,
    traceId: frame.traceId,
    ...judgedFields(judged),
  };
}

/** A picture that is captured again after a crash has the same key, and so the same id: sinks have it once. */
function resultIdOf({ capture, number }: StationFrame, { station, run }: RecordContext): string {
  return capture.key === null ? `${station}/${run}/${number}` : `${station}/${capture.source}/${capture.key}`;
}

/** The record that follows a provisional one: the same part, judged again. */
export function nextRecord(before: ResultRecord, judged: Judged, context: RecordContext): ResultRecord {
  return {
    ...before,
    revision: before.revision + 1,
    creationTime: new Date(context.wallMs).toISOString(),
    release: context.release,
    ...judgedFields(judged),
  };
}

function judgedFields(
  judged: Judged,
): Pick<
  ResultRecord,
  | 'verdict'
  | 'reason'
  | 'isPartial'
  | 'thresholdsVersion'
  | 'placement'
  | 'route'
  | 'fallbackReason'
  | 'score'
  | 'scores'
  | 'boxes'
  | 'mask'
  | 'bytesUp'
  | 'bytesDown'
> {
  const { verdict, reason, isPartial, thresholdsVersion, placement, route, fallbackReason } = judged;
  const { score, scores, boxes, mask, bytesUp, bytesDown } = judged;
  return {
    verdict,
    reason,
    isPartial,
    thresholdsVersion,
    placement,
    route,
    fallbackReason,
    score,
    scores,
    boxes,
    mask,
    bytesUp,
    bytesDown,
  };
}
