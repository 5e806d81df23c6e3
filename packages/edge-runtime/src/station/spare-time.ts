// When parts come, and how long answers take -> whether a part of before may use the model now, without a live one being late.

/** Of the shortest gap between two parts, more at each longer one: a line that has become slower is believed slowly. */
const GAP_GROWTH = 1.25;
/** So many gaps without a part: the line stands. */
const STANDS_AFTER_GAPS = 2;

export class SpareTime {
  private readonly deadlineMs: number;
  private lastPartMs: number | null = null;
  private gapMs: number | null = null;
  /** What a live part's answer took last; null while none came. */
  private liveMs: number | null = null;
  /** For so long a part keeps the way to the model from the next one: what it took, less the round trip, which others share. */
  private holdsMs = 0;

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }

  /** A part has come. */
  partCame(nowMs: number): void {
    const gapMs = this.lastPartMs === null ? null : nowMs - this.lastPartMs;
    this.lastPartMs = nowMs;
    if (gapMs !== null) this.gapMs = Math.min(gapMs, (this.gapMs ?? gapMs) * GAP_GROWTH);
  }

  /** The model has answered a live part. */
  answered(tookMs: number, roundTripMs: number | null): void {
    this.liveMs = tookMs;
    this.judgedAgain(tookMs, roundTripMs);
  }

  /** The model has answered a part of before. */
  judgedAgain(tookMs: number, roundTripMs: number | null): void {
    this.holdsMs = Math.max(0, tookMs - (roundTripMs ?? 0));
  }

  /**
   * A part that comes behind those of before is answered in time, or none is expected before they have gone through.
   * @param underWay parts of before that are being judged already
   */
  isFree(nowMs: number, underWay: number): boolean {
    const { lastPartMs, gapMs, liveMs, deadlineMs } = this;
    if (liveMs === null || lastPartMs === null || gapMs === null) return true;
    const holdsMs = this.holdsMs * (underWay + 1);
    if (holdsMs + liveMs <= deadlineMs) return true;
    return nowMs + holdsMs <= lastPartMs + gapMs || nowMs >= lastPartMs + gapMs * STANDS_AFTER_GAPS;
  }
}
