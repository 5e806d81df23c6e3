// Records as a station makes them, for tests of sinks.
import { type Delivery, RESULT_FORMAT, type ResultRecord, type Verdict } from '@kerf/edge-runtime';

/** A record as the station makes it; `frame` makes it differ from the others. */
export function recordOf(frame: number, given: Partial<ResultRecord> = {}): ResultRecord {
  const verdict: Verdict = frame % 3 === 0 ? 'NG' : 'PASS';
  return {
    format: RESULT_FORMAT,
    resultId: `line-1:run:${frame}`,
    revision: 0,
    station: 'line-1',
    frame,
    partId: `P-${frame}`,
    source: 'camera',
    verdict,
    reason: null,
    isPartial: false,
    isSimulated: false,
    takenTime: '2026-11-26T10:00:00.000Z',
    creationTime: new Date(Date.UTC(2026, 10, 26, 10, 0, frame)).toISOString(),
    release: 'surface-v1',
    thresholdsVersion: 't1',
    placement: 'edge',
    route: 'edge',
    fallbackReason: null,
    score: 0.25,
    scores: {},
    boxes: [],
    mask: null,
    imageSha256: null,
    spans: [{ stage: 'capture', startMs: 0, durationMs: 4 }],
    totalMs: 12,
    bytesUp: 0,
    bytesDown: 0,
    traceId: null,
    ...given,
  };
}

export function deliveryOf(frame: number, given: Partial<ResultRecord> = {}): Delivery {
  return { record: recordOf(frame, given), picture: null };
}
