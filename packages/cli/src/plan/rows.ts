// A priced candidate -> the row of the report: its name, its parts in the order of a frame's way, and where its times come from.
import type { Candidate, PlanRequest, Priced } from '@kerf/splitter';
import type { MeasuredPlacement, PlanCalibration, PlanPart, PlanRow } from './report.ts';

export interface RowContext {
  readonly request: PlanRequest;
  readonly label: (candidate: Candidate) => string;
  /** What a candidate was measured at; null where it was not. */
  readonly measuredOf: (candidate: Candidate) => MeasuredPlacement | null;
}

export function rowOf(priced: Priced, { request, label, measuredOf }: RowContext): PlanRow {
  const { candidate, prediction } = priced;
  return {
    label: label(candidate),
    placement: candidate.placement,
    tensors: candidate.crossing.map(({ name }) => name),
    tensorBytes: candidate.crossing.map(({ bytes }) => bytes),
    codec: candidate.codec,
    headNodes: candidate.headNodes,
    latencyMs: prediction.latencyMs,
    p99Ms: prediction.p99Ms,
    framesPerSecond: prediction.framesPerSecond,
    slowestStage: prediction.slowestStage,
    parts: scaled(partsOf(priced, request), prediction.latencyMs),
    uplinkBytes: candidate.uplinkBytes,
    downlinkBytes: candidate.downlinkBytes,
    cloudMs: candidate.cloudMs,
    edgeWeightsBytes: candidate.edgeWeightsBytes,
    bitsPerValue: bitsPerValue(candidate, request),
    loss: candidate.loss,
    calibration: calibrationOf(candidate),
    splitsFusion: candidate.fusion,
    source: candidate.source,
    measured: measuredOf(candidate),
  };
}

function calibrationOf({ calibrated }: Candidate): PlanCalibration | null {
  if (calibrated === null) return null;
  const { samples, wholePoints, lossPoints, lossInterval } = calibrated.entry;
  return { metric: calibrated.metric, samples, wholePoints, lossPoints, lossInterval };
}

function bitsPerValue({ crossing, uplinkBytes, calibrated }: Candidate, { edge, cloud }: PlanRequest): number | null {
  if (calibrated !== null) return calibrated.entry.bitsPerValue;
  const shapes = new Map([...cloud.values, ...edge.values].map(({ name, shape }) => [name, shape]));
  let values = 0;
  for (const { name, codec } of crossing) {
    const shape = TENSOR_CODECS.has(codec) ? shapes.get(name) : null;
    if (shape === null || shape === undefined) return null;
    values += shape.reduce((count, size) => count * size, 1);
  }
  return values === 0 ? null : (8 * uplinkBytes) / values;
}

/** Beside those that were calibrated; any other is an image. */
const TENSOR_CODECS: ReadonlySet<string> = new Set(['raw', 'lossless']);

function partsOf({ candidate, prediction }: Priced, { link, waitMs = 0 }: PlanRequest): PlanPart[] {
  const { edgeMs, encodeMs, crossingMs, decodeMs, cloudMs } = candidate;
  const compute: PlanPart = { name: 'edge compute', place: 'edge', ms: edgeMs };
  if (candidate.placement === 'edge') return [compute];
  const parts: PlanPart[] = [
    compute,
    { name: 'encode', place: 'edge', ms: encodeMs },
    { name: 'uplink', place: 'link', ms: prediction.uplinkMs },
    { name: 'round trip', place: 'link', ms: link.roundTripMs },
    { name: 'session', place: 'link', ms: crossingMs },
    { name: 'wait', place: 'cloud', ms: waitMs },
    { name: 'decode', place: 'cloud', ms: decodeMs },
    { name: 'cloud compute', place: 'cloud', ms: cloudMs },
    { name: 'downlink', place: 'link', ms: prediction.downlinkMs },
  ];
  return parts.filter(({ ms }) => ms > 0);
}

/** Where the latency was measured, the parts keep their shares of it. */
function scaled(parts: readonly PlanPart[], latencyMs: number): readonly PlanPart[] {
  const sum = parts.reduce((total, { ms }) => total + ms, 0);
  if (sum === 0 || Math.abs(sum - latencyMs) <= 1e-9 * sum) return parts;
  return parts.map((part) => ({ ...part, ms: (part.ms * latencyMs) / sum }));
}

/** Milliseconds of the parts at one place. */
export function msAt({ parts }: PlanRow, place: PlanPart['place']): number {
  return parts.reduce((sum, part) => (part.place === place ? sum + part.ms : sum), 0);
}
