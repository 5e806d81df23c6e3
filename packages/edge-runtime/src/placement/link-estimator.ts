// Frames that were sent and answered, pings and probes -> what the link does now: time a byte takes, round trip.
import { type Estimate, Track } from './estimate.ts';

/** A frame that crossed and came back, on the edge's clock. */
export interface Crossed {
  /** Its message was handed to the link. */
  readonly sentMs: number;
  /** The whole answer was there. */
  readonly receivedMs: number;
  /** Of that, what the cloud says it took. */
  readonly cloudMs: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A frame that was not answered while it was waited for. */
export interface Unanswered {
  readonly sentMs: number;
  readonly untilMs: number;
  readonly bytesUp: number;
}

export interface LinkEstimates {
  /** Milliseconds that a byte takes to the cloud; null before anything told. */
  readonly upMsPerByte: Estimate | null;
  /** Back; null while nothing but small answers came: then take it for as fast as up. */
  readonly downMsPerByte: Estimate | null;
  /** What an empty message takes there and back. */
  readonly roundTripMs: Estimate | null;
  /** True when what was sent lately took too little time to tell: the link is at least as fast as `upMsPerByte` says. */
  readonly isFloor: boolean;
  /** The last sample of the uplink says something else, and nothing has confirmed it yet. */
  readonly isInDoubt: boolean;
}

/** Time on the wire below which a size says little, beside the spread of the round trip. */
const TELLING_MS = 2;
/** Round trips that something else may have delayed are believed only where nothing better came for so long. */
const CLEAN_MS = 10_000;
/** Of round trips that other messages may have delayed, the least of these many. */
const LOADED_SAMPLES = 8;
/** Intervals in which frames were under way, kept to tell which pings met them. */
const BUSY_INTERVALS = 16;

export class LinkEstimator {
  readonly #up = new Track();
  readonly #down = new Track();
  readonly #roundTrip = new Track();
  #loaded: { readonly ms: number; readonly atMs: number }[] = [];
  #busy: { readonly fromMs: number; untilMs: number }[] = [];
  /** When the uplink had carried all that was sent before, as far as answers tell. */
  #uplinkFreeMs = Number.NEGATIVE_INFINITY;
  #lastCleanMs = Number.NEGATIVE_INFINITY;
  #lastTellingMs = Number.NEGATIVE_INFINITY;
  #lastFloorMs = Number.NEGATIVE_INFINITY;
  /** What was sent before met a link that carried nothing. */
  #awakeSinceMs = Number.NEGATIVE_INFINITY;

  /** Something begins to cross that may delay pings; the returned function says that it has crossed. */
  occupy(nowMs: number): (endMs: number) => void {
    const interval = { fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY };
    this.#busy = [...this.#busy, interval].slice(-BUSY_INTERVALS);
    return (endMs) => {
      interval.untilMs = endMs;
    };
  }

  /** Of those that began, how many have not crossed. */
  get underWay(): number {
    return this.#busy.filter(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY).length;
  }

  onRoundTrip(ms: number, nowMs: number): void {
    if (nowMs - ms < this.#awakeSinceMs) return;
    const isLoaded = this.#busy.some(({ fromMs, untilMs }) => fromMs < nowMs && untilMs > nowMs - ms);
    if (!isLoaded) {
      this.#roundTrip.add(ms, nowMs);
      this.#lastCleanMs = nowMs;
      return;
    }
    this.#loaded = [...this.#loaded, { ms, atMs: nowMs }].slice(-LOADED_SAMPLES);
    const least = Math.min(...this.#loaded.map((sample) => sample.ms));
    const known = this.#roundTrip.at(nowMs);
    // A delayed ping is still an upper bound.
    if (known === null || least < known.value || nowMs - this.#lastCleanMs > CLEAN_MS)
      this.#roundTrip.add(least, nowMs);
  }

  /** Answers may come in any order; one whose message went through before that of an earlier answer tells nothing. */
  onCrossed({ sentMs, receivedMs, cloudMs, bytesUp, bytesDown }: Crossed): void {
    if (sentMs < this.#awakeSinceMs) return;
    const roundTrip = this.#roundTrip.at(receivedMs);
    const outsideMs = receivedMs - sentMs - cloudMs;
    if (roundTrip === null) {
      // All of it is an upper bound of the round trip, and the only one so far.
      this.#loaded = [...this.#loaded, { ms: outsideMs, atMs: receivedMs }].slice(-LOADED_SAMPLES);
      return;
    }
    const downMs = bytesDown * this.#downMsPerByte(receivedMs);
    const carriedMs = receivedMs - cloudMs - roundTrip.value - downMs;
    const wireMs = carriedMs - Math.max(sentMs, this.#uplinkFreeMs);
    if (carriedMs <= this.#uplinkFreeMs) return;
    this.#uplinkFreeMs = carriedMs;
    this.#addRate(wireMs, bytesUp, receivedMs, Math.max(TELLING_MS, roundTrip.spread));
  }

  /** The link did not carry a frame in the time that it was given: it is at least so slow. */
  onUnanswered({ sentMs, untilMs, bytesUp }: Unanswered): void {
    if (sentMs < this.#awakeSinceMs) return;
    const roundTripMs = this.#roundTrip.at(untilMs)?.value ?? 0;
    const slowest = (untilMs - sentMs - roundTripMs) / Math.max(1, bytesUp);
    const known = this.#up.at(untilMs);
    if (known === null || slowest > known.value) {
      this.#up.add(slowest, untilMs);
      this.#lastTellingMs = untilMs;
    }
    this.#uplinkFreeMs = Math.max(this.#uplinkFreeMs, untilMs);
  }

  /** A probe alone on the link: `upBytes` of message there, `downBytes` back. */
  onProbe(upBytes: number, downBytes: number, elapsedMs: number, nowMs: number): void {
    if (nowMs - elapsedMs < this.#awakeSinceMs) return;
    const roundTrip = this.#roundTrip.at(nowMs);
    if (roundTrip === null) return;
    const wireMs = elapsedMs - roundTrip.value;
    const tellingMs = Math.max(TELLING_MS, roundTrip.spread);
    if (downBytes > upBytes) {
      const upMs = upBytes * (this.#up.at(nowMs)?.value ?? 0);
      if (wireMs - upMs >= tellingMs) this.#down.add((wireMs - upMs) / downBytes, nowMs);
      return;
    }
    this.#addRate(wireMs - downBytes * this.#downMsPerByte(nowMs), upBytes, nowMs, tellingMs);
  }

  /**
   * The link carries again after it carried nothing for a while: what waited meanwhile tells how long that was, not how fast the
   * link is, and the link may be another one. The round trip is taken for what it was.
   */
  awaken(nowMs: number): void {
    this.#up.clear();
    this.#down.clear();
    this.#loaded = [];
    this.#uplinkFreeMs = Number.NEGATIVE_INFINITY;
    this.#lastFloorMs = Number.NEGATIVE_INFINITY;
    this.#awakeSinceMs = nowMs;
  }

  at(nowMs: number): LinkEstimates {
    return {
      upMsPerByte: this.#up.at(nowMs),
      downMsPerByte: this.#down.at(nowMs),
      roundTripMs: this.#roundTrip.at(nowMs),
      isFloor: this.#lastFloorMs > this.#lastTellingMs,
      isInDoubt: this.#up.isInDoubt,
    };
  }

  #downMsPerByte(nowMs: number): number {
    return this.#down.at(nowMs)?.value ?? this.#up.at(nowMs)?.value ?? 0;
  }

  #addRate(wireMs: number, bytes: number, nowMs: number, tellingMs: number): void {
    if (bytes <= 0) return;
    if (wireMs >= tellingMs) {
      this.#up.add(wireMs / bytes, nowMs, wireMs / (wireMs + tellingMs));
      this.#lastTellingMs = nowMs;
      return;
    }
    // Too short to tell how fast, yet it cannot be slower than this.
    const slowest = (Math.max(0, wireMs) + tellingMs) / bytes;
    const known = this.#up.at(nowMs);
    if (known === null || slowest < known.value) {
      this.#up.add(slowest, nowMs);
      this.#lastFloorMs = nowMs;
    }
  }
}
