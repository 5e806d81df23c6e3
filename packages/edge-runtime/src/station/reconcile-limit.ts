// How long parts take that are judged again -> how many should be under way: enough to hide a round trip, too few to fill a link.

/** What took longer than so many times the quickest one was held up by those beside it. */
const HELD_UP = 1.5;
/** Parts under way at first. */
const FIRST = 2;

/** One more after a part that hardly waited for others, half as many after one that did. */
export class ReconcileLimit {
  private readonly most: number;
  private limit: number;
  private quickestMs = Number.POSITIVE_INFINITY;

  constructor(most: number) {
    this.most = most;
    this.limit = Math.min(FIRST, most);
  }

  get value(): number {
    return this.limit;
  }

  see(tookMs: number): void {
    this.quickestMs = Math.min(this.quickestMs, tookMs);
    const isHeldUp = tookMs > this.quickestMs * HELD_UP;
    this.limit = isHeldUp ? Math.max(1, Math.floor(this.limit / 2)) : Math.min(this.most, this.limit + 1);
  }
}
