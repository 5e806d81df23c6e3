// Messages sent, and signs that they have arrived -> how long the next one would take to the cloud.

/** What is under way up to here clogs no link (TCP begins with as much), and says little of one. */
const SMALL_BYTES = 16 * 1024;
/** No more often the cloud is asked whether what was sent has arrived, where nobody waits for that. */
const ASK_EVERY_MS = 50;
/** Of the rates seen so lately, the highest counts: where little was sent, less was seen than the link carries. */
const RECENT_MS = 5000;
const MOST_SAMPLES = 16;

interface Sent {
  readonly atMs: number;
  /** Bytes sent up to its end, since the beginning. */
  readonly end: number;
  /** Of those, what was known to have arrived when it was sent, and since when; on an idle link, since it could be known. */
  readonly arrivedBytes: number;
  readonly sinceMs: number;
}

/**
 * TCP keeps the order: an answer, or a pong to a ping sent behind a frame, says that all before has arrived. All moments are of
 * the edge's clock.
 */
export class UplinkMeter {
  readonly #frames = new Map<number, Sent>();
  #sentBytes = 0;
  #arrivedBytes = 0;
  #lastBytes = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #roundTripMs = Number.POSITIVE_INFINITY;
  #asked: Sent | null = null;
  #lastAskedMs = Number.NEGATIVE_INFINITY;
  #samples: { readonly bytesPerMs: number; readonly atMs: number }[] = [];

  get isIdle(): boolean {
    return this.#arrivedBytes === this.#sentBytes;
  }

  sent(frame: number, bytes: number, nowMs: number): void {
    if (this.isIdle) this.#sinceMs = nowMs + this.#knownRoundTripMs;
    this.#sentBytes += bytes;
    this.#lastBytes = bytes;
    this.#frames.set(frame, this.#mark(nowMs));
  }

  /** The frame has its answer; `stayMs` of it the cloud had the frame. */
  answered(frame: number, stayMs: number, nowMs: number): void {
    const sent = this.#frames.get(frame);
    this.#frames.delete(frame);
    if (sent !== undefined) this.#arrived(sent, Math.max(sent.atMs, nowMs - stayMs));
  }

  /** A ping that waited behind nothing tells the round trip; the shortest counts. */
  onRoundTrip(ms: number): void {
    this.#roundTripMs = Math.min(this.#roundTripMs, ms);
  }

  /** Whether to ask now, by a ping behind all that was sent. @param isAwaited frames wait for what that tells */
  shouldAsk(nowMs: number, isAwaited: boolean): boolean {
    if (this.#asked !== null || this.isIdle) return false;
    const isDue = nowMs - this.#lastAskedMs >= ASK_EVERY_MS;
    return isAwaited || (isDue && this.#sentBytes - this.#arrivedBytes > SMALL_BYTES);
  }

  asked(nowMs: number): void {
    this.#asked = this.#mark(nowMs);
    this.#lastAskedMs = nowMs;
  }

  /** The ping has its pong. */
  told(nowMs: number): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked === null) return;
    this.onRoundTrip(nowMs - asked.atMs);
    this.#arrived(asked, nowMs);
  }

  /**
   * Milliseconds until a frame like the last one, sent now, would be there and an empty answer back; 0 where what is under way is
   * too little to matter, infinite where more is under way than that and nothing is known.
   */
  expectedMs(nowMs: number): number {
    const underWay = this.#sentBytes - this.#arrivedBytes;
    if (underWay + this.#lastBytes <= SMALL_BYTES) return 0;
    const bytesPerMs = this.#bytesPerMs(nowMs);
    if (bytesPerMs === null) return underWay === 0 ? 0 : Number.POSITIVE_INFINITY;
    return this.#knownRoundTripMs + (underWay + this.#lastBytes) / bytesPerMs;
  }

  /** Milliseconds until all that was sent is there, as fast as it went lately; infinite where nothing is known of that. */
  drainMs(nowMs: number): number {
    const underWay = this.#sentBytes - this.#arrivedBytes;
    if (underWay <= SMALL_BYTES) return 0;
    const seen = this.#seenBytesPerMs(nowMs);
    return seen === null ? Number.POSITIVE_INFINITY : this.#knownRoundTripMs + underWay / seen;
  }

  get #knownRoundTripMs(): number {
    return Number.isFinite(this.#roundTripMs) ? this.#roundTripMs : 0;
  }

  #bytesPerMs(nowMs: number): number | null {
    const seen = this.#seenBytesPerMs(nowMs);
    // What was asked about has not arrived yet: the link is no faster than that.
    return seen === null || this.#asked === null ? seen : Math.min(seen, rateOf(this.#asked, nowMs));
  }

  #seenBytesPerMs(nowMs: number): number | null {
    const last = this.#samples.at(-1);
    if (last === undefined) return null;
    const recent = this.#samples.filter(({ atMs }) => nowMs - atMs <= RECENT_MS);
    return Math.max(last.bytesPerMs, ...recent.map(({ bytesPerMs }) => bytesPerMs));
  }

  #mark(nowMs: number): Sent {
    return { atMs: nowMs, end: this.#sentBytes, arrivedBytes: this.#arrivedBytes, sinceMs: this.#sinceMs };
  }

  #arrived(sent: Sent, nowMs: number): void {
    if (sent.end <= this.#arrivedBytes) return;
    this.#samples = [...this.#samples, { bytesPerMs: rateOf(sent, nowMs), atMs: nowMs }].slice(-MOST_SAMPLES);
    this.#arrivedBytes = sent.end;
    this.#sinceMs = nowMs;
  }
}

/** Over all that was under way with it: signs that were held back come together, and the time between two says nothing. */
function rateOf({ end, arrivedBytes, sinceMs }: Sent, nowMs: number): number {
  return (end - arrivedBytes) / Math.max(1, nowMs - sinceMs);
}
