// Where frames spent their time -> how many should be under way: enough to hide a round trip, too few to wait for each other.
import type { FrameSpans } from '../session/outcome.ts';
import type { RoutedOutcome } from './answer.ts';

/** Of a frame's time in the session: waiting for more than this means that too many are under way. */
const TOO_MUCH_WAITING = 0.5;
/** For less than this, one more does no harm. */
const LITTLE_WAITING = 0.2;
/** A frame that was not answered within so many times the quickest answer was held up by those beside it. */
const HELD_UP = 2;
/** Frames under way at first. */
const FIRST = 2;

/** How the model's session ended a frame. */
export interface InferEnd extends Pick<FrameSpans, 'queueMs' | 'totalMs'> {
  /** The time was up first. */
  readonly isMissed: boolean;
}

/** @returns null of an end that says nothing about how many were under way: a cloud that is away, a frame that is at fault. */
export function inferEndOf(outcome: RoutedOutcome): InferEnd | null {
  const { queueMs, totalMs } = outcome.spans;
  const code = outcome.kind === 'result' ? outcome.fallbackReason : outcome.code;
  if (code === 'DEADLINE_EXCEEDED') return { queueMs, totalMs, isMissed: true };
  return outcome.kind === 'result' ? { queueMs, totalMs, isMissed: false } : null;
}

/**
 * Frames that wait on the device (for the head, a credit, a local run) have taken a place that did nothing for the rate and
 * everything for their latency. One more after a frame that hardly waited, half as many after one that mostly did.
 *
 * Frames that were not answered in time tell as well: a line whose frames wait for a place until too little of their time is left
 * keeps each place until the deadline, and would never again get an answer. One more after one that had less time than answers take,
 * half as many after one that had far more. Where no number is known to do, each is tried in turn.
 */
export class InferLimit {
  private readonly most: number;
  private limit: number;
  /** Frames to see before the limit is changed again for what went wrong: those under way began before it was. */
  private patience = 0;
  /** The quickest answer since answers came; null where none does. */
  private quickestMs: number | null = null;

  constructor(most: number) {
    this.most = most;
    this.limit = Math.min(FIRST, most);
  }

  get value(): number {
    return this.limit;
  }

  /** A frame has come back. */
  see(end: InferEnd): void {
    if (this.patience > 0) this.patience--;
    if (end.isMissed) this.seeMissed(end.totalMs);
    else this.seeAnswered(end);
  }

  private seeAnswered({ queueMs, totalMs }: InferEnd): void {
    this.quickestMs = Math.min(totalMs, this.quickestMs ?? totalMs);
    const waiting = totalMs > 0 ? queueMs / totalMs : 0;
    if (waiting > TOO_MUCH_WAITING && this.patience === 0 && this.limit > 1) {
      this.change(Math.floor(this.limit / 2));
    } else if (waiting < LITTLE_WAITING && this.limit < this.most) {
      this.limit++;
    }
  }

  private seeMissed(totalMs: number): void {
    if (this.patience > 0) return;
    const isHeldUp = this.quickestMs !== null && totalMs > this.quickestMs * HELD_UP;
    if (isHeldUp && this.limit > 1) {
      this.change(Math.floor(this.limit / 2));
      return;
    }
    // Alone, and still too slow: the way is not what it was.
    if (isHeldUp) this.quickestMs = null;
    this.change(this.limit < this.most ? this.limit + 1 : 1);
  }

  private change(limit: number): void {
    this.patience = Math.max(limit, this.limit);
    this.limit = limit;
  }
}
