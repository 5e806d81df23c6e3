// A prepared frame -> an answer in time: of the model, else of the small model, else of nobody.
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import type { FrameInputs } from '../session/inputs.ts';
import type { Answer, Judges, RoutedOutcome } from './answer.ts';
import { isFrameAtFault } from './answer.ts';
import { inferEndOf } from './infer-limit.ts';
import type { Inferer, MainModel } from './inferer.ts';
import { LARGEST_SMALL_SHARE, SMALL_MARGIN_MS, UNMEASURED_SMALL_SHARE } from './options.ts';
import type { FilledInputs, PreparedInputs } from './prepare-picture.ts';
import type { Reason } from './result-record.ts';
import type { SpareTime } from './spare-time.ts';
import type { StationFrame } from './station-frame.ts';

/** Scores of the small model that are taken as they are; what lies between goes to the main model. */
export interface CascadeBand {
  readonly sureBelow: number;
  readonly sureAbove: number;
}

export interface SmallModel {
  readonly inferer: Inferer;
  /** Null: it answers only when the main model does not. */
  readonly cascade: CascadeBand | null;
}

export interface InferCounters {
  readonly main: number;
  readonly small: number;
  readonly escalated: number;
  readonly unanswered: number;
}

/** Kept of the deadline for reading the answer and handing the verdict on. */
const DECIDE_MS = 5;

export class InferDesk {
  private readonly main: MainModel;
  private readonly small: SmallModel | null;
  private readonly judges: () => Judges;
  private readonly clock: Clock;
  private readonly spare: SpareTime;
  private readonly deadlineMs: number;
  private smallMs: number | null = null;
  private readonly counts = { main: 0, small: 0, escalated: 0, unanswered: 0 };

  constructor(parts: {
    readonly main: MainModel;
    readonly small: SmallModel | null;
    readonly judges: () => Judges;
    readonly clock: Clock;
    readonly spare: SpareTime;
    readonly deadlineMs: number;
  }) {
    this.main = parts.main;
    this.small = parts.small;
    this.judges = parts.judges;
    this.clock = parts.clock;
    this.spare = parts.spare;
    this.deadlineMs = parts.deadlineMs;
  }

  get counters(): InferCounters {
    return { ...this.counts };
  }

  /** Never rejects; ends before the frame's deadline as far as the models do. */
  async answer(frame: StationFrame, { inputs, small }: PreparedInputs): Promise<Answer> {
    const first = await this.cascade(frame, small);
    if (first !== null) return first;
    const outcome = await this.ask(this.main.inferer, frame, inputs, frame.remainingMs - DECIDE_MS - this.reserveMs());
    frame.spans.markSession(outcome.spans, this.clock.nowMs(), this.main.roundTripMs());
    frame.inferEnd = inferEndOf(outcome);
    if (outcome.kind === 'result') {
      this.counts.main++;
      this.spare.answered(outcome.spans.totalMs, this.main.roundTripMs());
      return { by: 'main', result: outcome };
    }
    const reason = { code: outcome.code, message: outcome.message };
    const { bytesUp, bytesDown } = outcome;
    const second = isFrameAtFault(reason.code) ? null : await this.instead(frame, small, reason);
    if (second !== null) return { ...second, result: { ...second.result, bytesUp, bytesDown } };
    this.counts.unanswered++;
    return { by: 'nobody', reason, bytesUp, bytesDown };
  }

  /** The small model first, where the file says so; null where it is not sure. */
  private async cascade(frame: StationFrame, filled: FilledInputs | null): Promise<Answer | null> {
    const { small } = this;
    if (small === null || small.cascade === null || filled === null) return null;
    const outcome = await this.askSmall(small.inferer, frame, filled.inputs);
    const judged = outcome.kind === 'result' ? this.judges().small?.judge(outcome.outputs, filled.geometry) : null;
    const score = judged?.score ?? null;
    const { sureBelow, sureAbove } = small.cascade;
    if (outcome.kind === 'result' && score !== null && (score < sureBelow || score >= sureAbove)) {
      this.counts.small++;
      return { by: 'small', result: outcome, instead: null };
    }
    this.counts.escalated++;
    return null;
  }

  private async instead(
    frame: StationFrame,
    filled: FilledInputs | null,
    reason: Reason,
  ): Promise<Extract<Answer, { by: 'small' }> | null> {
    if (this.small === null || filled === null) return null;
    const outcome = await this.askSmall(this.small.inferer, frame, filled.inputs);
    if (outcome.kind === 'failed') return null;
    this.counts.small++;
    return { by: 'small', result: outcome, instead: reason };
  }

  private async askSmall(inferer: Inferer, frame: StationFrame, inputs: FrameInputs): Promise<RoutedOutcome> {
    const startMs = this.clock.nowMs();
    const outcome = await this.ask(inferer, frame, inputs, frame.remainingMs - DECIDE_MS);
    const tookMs = this.clock.nowMs() - startMs;
    if (outcome.kind === 'result') this.smallMs = this.smallMs === null ? tookMs : this.smallMs * 0.75 + tookMs * 0.25;
    frame.spans.mark('local', this.clock.nowMs());
    return outcome;
  }

  /** Time kept for the small model. */
  private reserveMs(): number {
    if (this.small === null) return 0;
    const wanted =
      this.smallMs === null ? this.deadlineMs * UNMEASURED_SMALL_SHARE : this.smallMs * 1.5 + SMALL_MARGIN_MS;
    return Math.min(wanted, this.deadlineMs * LARGEST_SMALL_SHARE);
  }

  private async ask(
    inferer: Inferer,
    frame: StationFrame,
    inputs: FrameInputs,
    leftMs: number,
  ): Promise<RoutedOutcome> {
    const deadlineMs = Math.floor(leftMs);
    const startMs = this.clock.nowMs();
    if (deadlineMs < 1) return failedOutcome('DEADLINE_EXCEEDED', 'no time was left for the model', 0);
    try {
      return await inferer.infer(inputs, { deadlineMs, trace: traceparent(frame.traceId) });
    } catch (error) {
      const { code, message } = KerfError.from(error, 'INTERNAL', `the model could not be asked: ${messageOf(error)}`);
      return failedOutcome(code, message, this.clock.nowMs() - startMs);
    }
  }
}

/** W3C trace context: the station is the trace's root. */
function traceparent(traceId: string): string {
  return `00-${traceId}-${traceId.slice(0, 16)}-01`;
}

function failedOutcome(code: KerfError['code'], message: string, queueMs: number): RoutedOutcome {
  const none = { headMs: 0, encodeMs: 0, networkMs: 0, cloudMs: 0, decodeMs: 0, localMs: 0 };
  const spans = { ...none, queueMs, totalMs: queueMs, cloud: null, wayDown: null };
  return { kind: 'failed', code, message, frame: -1, spans, bytesUp: 0, bytesDown: 0, nonFinite: 0 };
}
