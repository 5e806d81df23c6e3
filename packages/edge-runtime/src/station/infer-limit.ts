// Where frames spent their time -> how many should be under way: enough to hide a round trip, too few to wait for each other.
import type { FrameSpans } from '../session/outcome.ts';

/** Of a frame's time in the session: waiting for more than this means that too many are under way. */
const TOO_MUCH_WAITING = 0.5;
/** For less than this, one more does no harm. */
const LITTLE_WAITING = 0.2;
/** Frames under way at first. */
const FIRST = 2;

/**
 * Frames that wait on the device (for the head, a credit, a local run) have taken a place that did nothing for the rate and
 * everything for their latency. One more after a frame that hardly waited, half as many after one that mostly did.
 */
export class InferLimit {
  private readonly most: number;
  private limit: number;
  /** Frames to see before the limit is halved again: those under way began before it was. */
  private patience = 0;

  constructor(most: number) {
    this.most = most;
    this.limit = Math.min(FIRST, most);
  }

  get value(): number {
    return this.limit;
  }

  /** A frame has come back. */
  see({ queueMs, totalMs }: Pick<FrameSpans, 'queueMs' | 'totalMs'>): void {
    if (this.patience > 0) this.patience--;
    const waiting = totalMs > 0 ? queueMs / totalMs : 0;
    if (waiting > TOO_MUCH_WAITING && this.patience === 0 && this.limit > 1) {
      this.patience = this.limit;
      this.limit = Math.max(1, Math.floor(this.limit / 2));
    } else if (waiting < LITTLE_WAITING && this.limit < this.most) {
      this.limit++;
    }
  }
}
