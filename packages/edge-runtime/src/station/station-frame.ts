// One frame between the door and the sinks: what is known of it, and the one judgement that leaves first.
import type { Clock } from '@kerf/protocol';
import type { Capture } from '../capture/capture.ts';
import type { Answer, Judged } from './answer.ts';
import type { InferEnd } from './infer-limit.ts';
import type { PreparedInputs } from './prepare-picture.ts';
import type { ResultSpan } from './result-record.ts';
import { SpanList } from './span-list.ts';

export class StationFrame {
  /** Counts frames of this run, from 0. */
  readonly number: number;
  readonly capture: Capture;
  readonly spans: SpanList;
  readonly traceId: string;
  prepared: (PreparedInputs & { readonly imageSha256: string }) | null = null;
  /** What the model said, between infer and postprocess. */
  answer: Answer | null = null;
  /** How the main model's session ended it; null where it was not asked, or its end tells nothing about the line. */
  inferEnd: InferEnd | null = null;
  /** Where it is, for the span that ends next. */
  stage: ResultSpan['stage'] = 'capture';
  /** It counts among the frames inside. */
  isInside = false;
  judged: Judged | null = null;
  private deadlineAtMs: number;
  private readonly clock: Clock;
  private cancelWatch: (() => void) | null = null;

  constructor(number: number, capture: Capture, deadlineMs: number, traceId: string, clock: Clock) {
    this.number = number;
    this.capture = capture;
    this.traceId = traceId;
    this.clock = clock;
    this.spans = new SpanList(clock.nowMs());
    this.deadlineAtMs = clock.nowMs() + deadlineMs;
  }

  /** Time left until the deadline; 0 when it has passed. */
  get remainingMs(): number {
    return Math.max(0, this.deadlineAtMs - this.clock.nowMs());
  }

  /** The time until now belongs to the stage it was in. */
  enter(stage: ResultSpan['stage']): void {
    this.spans.mark(this.stage, this.clock.nowMs());
    this.stage = stage;
  }

  /** Calls `onLate` at the deadline unless the frame has been judged. */
  watch(onLate: () => void): void {
    this.cancelWatch = this.clock.after(this.remainingMs, onLate);
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.cancelWatch?.();
  }

  /** Gives the frame its whole time again: it waited because someone paused the line. */
  renew(deadlineMs: number): void {
    this.deadlineAtMs = this.clock.nowMs() + deadlineMs;
  }

  /** @returns false when the frame has been judged before: whoever comes second changes nothing. */
  settle(judged: Judged): boolean {
    if (this.judged !== null) return false;
    this.cancel();
    this.spans.mark(this.stage, this.clock.nowMs());
    this.spans.close();
    // Without a picture there is nothing to judge again.
    this.judged = { ...judged, isPartial: judged.isPartial && this.capture.picture !== null };
    return true;
  }
}
