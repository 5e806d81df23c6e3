// One frame from `infer` to its one outcome.
import type { Clock, ErrorCode, TensorMap } from '@kerf/protocol';
import type { Form } from './answer-form.ts';
import type { FrameInputs } from './inputs.ts';
import type { FrameResult, Outcome } from './outcome.ts';
import { SpanLedger } from './span-ledger.ts';

/**
 * `waiting` for the head, `heading` in it, `prepared` for a credit, `sent` to the cloud, `local` in a run on the device
 * or waiting for one.
 */
export type FrameStage = 'waiting' | 'heading' | 'prepared' | 'sent' | 'local';

export class FrameTask {
  readonly frame: number;
  readonly inputs: FrameInputs;
  readonly deadlineMs: number;
  /** W3C `traceparent`, or null. */
  readonly trace: string | null;
  /** From the sending until the device begins to finish the frame, at most. */
  readonly patienceMs: number;
  /** Called when the device begins to finish the frame since the answer is late. */
  readonly onLate: (() => void) | null;
  readonly ledger: SpanLedger;
  readonly outcome: Promise<Outcome>;
  stage: FrameStage = 'waiting';
  /** The head's outputs, kept until the end: they may be sent again or finished on the device. */
  headOutputs: TensorMap | null = null;
  /** Set when the time left is only enough for the device. */
  tooLateForCloud = false;
  /** As which its answer was asked for. */
  answerForm: Form = 'coded';
  sends = 0;
  bytesUp = 0;
  bytesDown = 0;
  nonFinite = 0;
  private readonly clock: Clock;
  private readonly startMs: number;
  private readonly cleanups: (() => void)[] = [];
  private resolve: ((outcome: Outcome) => void) | null = null;

  constructor(
    frame: number,
    inputs: FrameInputs,
    { deadlineMs, patienceMs, onLate }: Pick<FrameTask, 'deadlineMs' | 'patienceMs' | 'onLate'>,
    clock: Clock,
    trace?: string,
  ) {
    this.frame = frame;
    this.inputs = inputs;
    this.deadlineMs = deadlineMs;
    this.patienceMs = patienceMs;
    this.onLate = onLate;
    this.clock = clock;
    this.trace = trace ?? null;
    this.startMs = clock.nowMs();
    this.ledger = new SpanLedger(clock);
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get settled(): boolean {
    return this.resolve === null;
  }

  /** Time left until the deadline; 0 when it has passed. */
  get remainingMs(): number {
    return Math.max(0, this.startMs + this.deadlineMs - this.clock.nowMs());
  }

  /** Runs `cleanup` when the frame has its outcome. */
  onSettled(cleanup: () => void): void {
    this.cleanups.push(cleanup);
  }

  succeed(result: Pick<FrameResult, 'outputs' | 'placement' | 'fallbackReason'>): boolean {
    return this.settle({ kind: 'result', ...result, ...this.account() });
  }

  /** The time since the last mark goes where the frame was when it ended. */
  fail(code: ErrorCode, message: string): boolean {
    if (this.settled) return false;
    const part = {
      waiting: 'queueMs',
      heading: 'headMs',
      prepared: 'queueMs',
      sent: 'networkMs',
      local: 'localMs',
    } as const;
    this.ledger.mark(part[this.stage]);
    return this.settle({ kind: 'failed', code, message, ...this.account() });
  }

  private account(): Pick<Outcome, 'frame' | 'spans' | 'bytesUp' | 'bytesDown' | 'nonFinite'> {
    const { frame, bytesUp, bytesDown, nonFinite } = this;
    return { frame, spans: this.ledger.spans(), bytesUp, bytesDown, nonFinite };
  }

  /** False when the frame already has its outcome: whoever comes second changes nothing. */
  private settle(outcome: Outcome): boolean {
    const { resolve } = this;
    if (resolve === null) return false;
    this.resolve = null;
    for (const cleanup of this.cleanups.splice(0)) cleanup();
    resolve(outcome);
    return true;
  }
}
