// Messages with the moments at which both sides sent and had them -> how far apart the two clocks are, and how sure that is.

/** A message and its answer: two moments by the edge's clock, two by the cloud's, all milliseconds. */
export interface Exchange {
  readonly sentMs: number;
  readonly cloudReceivedMs: number;
  readonly cloudSentMs: number;
  readonly receivedMs: number;
}

export interface Offset {
  /** The cloud's clock less the edge's. */
  readonly offsetMs: number;
  /** The truth is no farther from `offsetMs` than this. */
  readonly errorMs: number;
}

/** Two quartz clocks drift apart by no more than this share (RFC 5905 takes 15 ppm for one; cheap ones reach 100). */
const DRIFT = 200e-6;

/**
 * As NTP does it (RFC 5905, section 8), with the bounds themselves instead of the one exchange that was shortest: nothing
 * arrives before it was sent, so each exchange says that the offset is at least `cloudSent - received` and at most
 * `cloudReceived - sent`. What all of them leave is kept; a large message up spoils only the upper bound, and the small
 * answer behind it still gives a good lower one. It holds for one connection: another may end at another clock.
 */
export class ClockOffset {
  private low = Number.NEGATIVE_INFINITY;
  private high = Number.POSITIVE_INFINITY;
  private atMs = 0;

  add({ sentMs, cloudReceivedMs, cloudSentMs, receivedMs }: Exchange): void {
    // The clocks drift apart during the exchange as well.
    const ownMs = Math.max(0, receivedMs - sentMs) * DRIFT;
    const low = cloudSentMs - receivedMs - ownMs;
    const high = cloudReceivedMs - sentMs + ownMs;
    // The moments contradict each other: a clock was set meanwhile.
    if (!(low <= high)) return;
    const widening = this.widening(receivedMs);
    const joint = { low: Math.max(low, this.low - widening), high: Math.min(high, this.high + widening) };
    // Where nothing is left of what was known, the newest counts.
    Object.assign(this, joint.low <= joint.high ? joint : { low, high });
    this.atMs = receivedMs;
  }

  /** Null before the first exchange. */
  at(nowMs: number): Offset | null {
    if (!Number.isFinite(this.low) || !Number.isFinite(this.high)) return null;
    const errorMs = (this.high - this.low) / 2 + this.widening(nowMs);
    return { offsetMs: (this.high + this.low) / 2, errorMs };
  }

  private widening(nowMs: number): number {
    return Math.max(0, nowMs - this.atMs) * DRIFT;
  }
}
