// How a frame was answered -> what is judged of it.
import type { ErrorCode } from '@kerf/protocol';
import type { FrameResult, Outcome } from '../session/outcome.ts';
import type { Judge } from './judge/judge.ts';
import { type Judgement, withoutScore } from './judge/judgement.ts';
import type { PreparedInputs } from './prepare-picture.ts';
import type { Reason, ResultRecord } from './result-record.ts';

/** A judgement and how it came about. */
export interface Judged extends Judgement, Pick<ResultRecord, 'placement' | 'route' | 'fallbackReason'> {
  /** The model that was to judge the part has not. */
  readonly isPartial: boolean;
  readonly thresholdsVersion: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export type RoutedOutcome = Outcome & { readonly route?: string };

/** Who answered. */
export type Answer =
  | { readonly by: 'main'; readonly result: FrameResult & { readonly route?: string } }
  /** `instead` says why the main model was not asked or did not answer; null where the small one was sure. */
  | { readonly by: 'small'; readonly result: FrameResult; readonly instead: Reason | null }
  | { readonly by: 'nobody'; readonly reason: Reason; readonly bytesUp: number; readonly bytesDown: number };

/** Judges of a station: the file may change them while it runs. */
export interface Judges {
  readonly main: Judge;
  readonly small: Judge | null;
}

/** Codes that running the same frame again cannot cure. */
const FRAME_AT_FAULT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'TENSOR_MISMATCH',
  'IMAGE_INVALID',
  'ACTIVATION_NOT_FINITE',
  'MESSAGE_TOO_LARGE',
  'CODEC_UNKNOWN',
  'BACKEND_FAILED',
  'INTERNAL',
]);

export function isFrameAtFault(code: ErrorCode): boolean {
  return FRAME_AT_FAULT.has(code);
}

/** @param prepared what was asked of the models, each of which sees the picture in its own size */
export function judgeAnswer(answer: Answer, judges: Judges, prepared: PreparedInputs): Judged {
  if (answer.by === 'nobody') return unanswered(answer.reason, judges, answer);
  const { result } = answer;
  const { bytesUp, bytesDown } = result;
  if (answer.by === 'main') {
    const { placement, fallbackReason } = result;
    const route = answer.result.route ?? placement;
    const judgement = judges.main.judge(result.outputs, prepared.geometry);
    const thresholdsVersion = judges.main.version;
    return { ...judgement, placement, route, fallbackReason, isPartial: false, thresholdsVersion, bytesUp, bytesDown };
  }
  const judge = judges.small ?? judges.main;
  const judgement = judge.judge(result.outputs, (prepared.small ?? prepared).geometry);
  return {
    ...judgement,
    reason: judgement.reason ?? answer.instead,
    placement: 'small',
    route: 'small',
    fallbackReason: answer.instead?.code ?? null,
    isPartial: answer.instead !== null,
    thresholdsVersion: judge.version,
    bytesUp,
    bytesDown,
  };
}

/** Nobody said anything of the part: someone has to look at it, or the model says it later. */
export function unanswered(
  reason: Reason,
  { main }: Judges,
  { bytesUp, bytesDown }: { readonly bytesUp: number; readonly bytesDown: number } = { bytesUp: 0, bytesDown: 0 },
): Judged {
  const isLost = isFrameAtFault(reason.code);
  return {
    ...withoutScore(isLost ? 'ERROR' : 'REVIEW', reason),
    placement: 'none',
    route: 'none',
    fallbackReason: null,
    isPartial: !isLost,
    thresholdsVersion: main.version,
    bytesUp,
    bytesDown,
  };
}
