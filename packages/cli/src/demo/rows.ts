// What a placement was measured at, and what the whole model says of the parts -> the row of the report.
import type { MeasuredRow } from '../measure/placements.ts';
import { answerOf, largestDifference, pixelIou } from './answers.ts';
import type { DemoContender } from './contenders.ts';
import type { DemoRow, DemoSpan } from './report.ts';
import type { Subject } from './subjects.ts';

/** Shorter spans are left out of the waterfall. */
const LEAST_SPAN_MS = 0.05;

/** @param whole the row of the edge alone, in the same runtime. */
export function demoRow(subject: Subject, contender: DemoContender, row: MeasuredRow, whole: MeasuredRow): DemoRow {
  const { label, placement, lossy } = contender;
  const isMeasured = row.latenciesMs.length > 0;
  return {
    label,
    placement: placement.kind,
    lossy,
    p50Ms: isMeasured ? row.p50Ms : 0,
    p99Ms: isMeasured ? row.p99Ms : 0,
    bytesUpPerFrame: row.bytesUpPerFrame,
    bytesDownPerFrame: row.bytesDownPerFrame,
    ...comparison(subject, row, whole),
    framesMeasured: row.latenciesMs.length,
    spans: spansOf(contender, row),
    ...(row.note === null ? {} : { note: row.note }),
  };
}

type Comparison = Pick<DemoRow, 'maxAbsDifference' | 'sameVerdicts' | 'parts' | 'pixelIou'>;

/** Of parts that both have answered; the truth only where every part was. */
function comparison({ parts, thresholds, maskThreshold }: Subject, row: MeasuredRow, whole: MeasuredRow): Comparison {
  const answered = parts.flatMap(({ mask: truth }, at) => {
    const [own, reference] = [row.outputs?.[at], whole.outputs?.[at]];
    if (own == null || reference == null) return [];
    return [{ answer: answerOf(own, thresholds), reference: answerOf(reference, thresholds), truth }];
  });
  const same = answered.filter(({ answer, reference }) => answer.verdict === reference.verdict).length;
  return {
    maxAbsDifference: Math.max(0, ...answered.map(({ answer, reference }) => largestDifference(answer, reference))),
    sameVerdicts: thresholds === null || answered.length === 0 ? null : same,
    parts: answered.length,
    pixelIou: answered.length === parts.length ? pixelIou(answered, maskThreshold) : null,
  };
}

/** The steps of a frame in order; one that takes no time in this placement is left out. */
function spansOf({ placement }: DemoContender, { parts }: MeasuredRow): DemoSpan[] {
  if (parts === null) return [];
  const image = placement.kind === 'cloud' && typeof placement.as === 'object' ? placement.as.format : null;
  const isCoded = placement.kind === 'split' && placement.codec !== undefined;
  const rest = parts.cloudMs - parts.cloudQueueMs - parts.cloudDecodeMs - parts.cloudComputeMs;
  const steps: [name: string, place: DemoSpan['place'], ms: number][] = [
    [image === null ? 'prepare' : `encode ${image.toUpperCase()}`, 'edge', parts.prepareMs],
    ['queue', 'edge', parts.queueMs],
    ['run head', 'edge', parts.headMs],
    ['run whole model', 'edge', parts.localMs],
    [isCoded ? 'encode activation' : 'make message', 'edge', parts.encodeMs],
    ['network', 'link', parts.networkMs],
    ['queue in cloud', 'cloud', parts.cloudQueueMs],
    ['decode', 'cloud', parts.cloudDecodeMs],
    [placement.kind === 'cloud' ? 'run whole model' : 'run tail', 'cloud', parts.cloudComputeMs],
    ['gateway and worker', 'cloud', Math.max(0, rest)],
    ['read answer', 'edge', parts.decodeMs],
  ];
  return steps.filter(([, , ms]) => ms >= LEAST_SPAN_MS).map(([name, place, medianMs]) => ({ name, place, medianMs }));
}
