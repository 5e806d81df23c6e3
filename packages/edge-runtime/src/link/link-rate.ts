// Timed probes of growing size -> the throughput of one direction, free of the round trip and of other fixed costs.
import { type Clock, KerfError } from '@kerf/protocol';

/** What one direction may take, and what is known of the link. */
export interface RateOptions {
  readonly clock: Clock;
  readonly roundTripMs: number;
  readonly jitterMs: number;
  /** Largest filler. */
  readonly maxBytes: number;
  /** Bytes of all probes together, up to which further ones are begun. */
  readonly allowanceBytes: number;
  /** On the clock: no probe is begun that is not expected to be over by then. */
  readonly endMs: number;
  /** Sends `bytes` in the direction that is measured; milliseconds until it is known that they arrived. */
  exchange(bytes: number, expectedMs: number | null): Promise<number>;
}

/** 1.6 s of a link of 10 kbit/s. Where each probe costs a long round trip anyway, the first may be larger. */
const FIRST_BYTES = 2048;
const FIRST_BYTES_PER_ROUND_TRIP_MS = 6;
const GROWTH = 8;
/** Time on the wire from which on the size of a good probe can be told; or three times the jitter, up to a limit. */
const TELLING_MS = 75;
const MAX_TELLING_MS = 250;
/** A good probe is on the wire so many times as long. */
const TARGET_FACTOR = 4;
const MAX_ROUNDS = 5;
const ENOUGH_ROUNDS = 3;
/** The short probe of a round is this share of the long one. */
const SHORT_SHARE = 0.25;

/** Bits per second. @throws {KerfError} INVALID_ARGUMENT when there is too little time to tell; what `exchange` throws. */
export async function measureRate(options: RateOptions): Promise<number> {
  const sample = await growUntilTelling(options);
  const bytes = longProbeBytes(sample, options);
  const shortBytes = Math.max(1, Math.round(bytes * SHORT_SHARE));
  const longTimesMs: number[] = [];
  const shortTimesMs: number[] = [];
  const wireMs = (sample.wireMs * bytes) / sample.bytes;
  let allowanceBytes = options.allowanceBytes - sample.spentBytes;
  while (longTimesMs.length < MAX_ROUNDS && allowanceBytes >= bytes + shortBytes) {
    const longMs = options.roundTripMs + wireMs;
    const shortMs = options.roundTripMs + wireMs * SHORT_SHARE;
    if (options.clock.nowMs() + longMs + shortMs > options.endMs) break;
    longTimesMs.push(await options.exchange(bytes, longMs));
    shortTimesMs.push(await options.exchange(shortBytes, shortMs));
    allowanceBytes -= bytes + shortBytes;
  }
  if (longTimesMs.length === 0) return rateOfSample(sample, options);
  const longMs = median(longTimesMs);
  const addedMs = longMs - median(shortTimesMs);
  // No time was added: too fast, or too noisy, for this many bytes. All of the time for all of them is a lower bound.
  return addedMs > 0 ? bitsPerSecond(bytes - shortBytes, addedMs) : bitsPerSecond(bytes, longMs);
}

/** Where there was no time for rounds. */
function rateOfSample(sample: Sample, { roundTripMs }: RateOptions): number {
  if (sample.wireMs >= TELLING_MS) return bitsPerSecond(sample.bytes, sample.wireMs);
  const cause = `with a round trip of ${Math.round(roundTripMs)} ms the time is too short to find out the throughput`;
  throw new KerfError('INVALID_ARGUMENT', `${cause}; give the measurement a larger budget`);
}

interface Sample {
  readonly bytes: number;
  /** Time that the bytes took beside the round trip. */
  readonly wireMs: number;
  readonly spentBytes: number;
}

/** Larger probes until one takes long enough to tell from it how long others will take. */
async function growUntilTelling(options: RateOptions): Promise<Sample> {
  const { clock, roundTripMs, maxBytes, endMs } = options;
  let bytes = Math.min(Math.max(FIRST_BYTES, Math.round(FIRST_BYTES_PER_ROUND_TRIP_MS * roundTripMs)), maxBytes);
  let spentBytes = 0;
  let expectedMs: number | null = null;
  for (;;) {
    let elapsedMs = await options.exchange(bytes, expectedMs);
    spentBytes += bytes;
    // TCP starts slowly and may need several round trips for what it carries in one once it has tried.
    if (clock.nowMs() + elapsedMs < endMs) {
      elapsedMs = Math.min(elapsedMs, await options.exchange(bytes, elapsedMs));
      spentBytes += bytes;
    }
    const wireMs = Math.max(elapsedMs - roundTripMs, elapsedMs / 100);
    expectedMs = roundTripMs + wireMs * GROWTH;
    const isTelling = wireMs >= tellingMs(options) || bytes >= maxBytes;
    if (isTelling || clock.nowMs() + 2 * expectedMs > endMs) return { bytes, wireMs, spentBytes };
    bytes = Math.min(bytes * GROWTH, maxBytes);
  }
}

function tellingMs({ jitterMs }: RateOptions): number {
  return Math.min(Math.max(TELLING_MS, 3 * jitterMs), MAX_TELLING_MS);
}

/** A size that takes the time aimed at and leaves enough of time and bytes for a few rounds. */
function longProbeBytes(sample: Sample, options: RateOptions): number {
  const { clock, endMs, roundTripMs, maxBytes, allowanceBytes } = options;
  const bytesPerMs = sample.bytes / sample.wireMs;
  const roundMs = Math.max(0, endMs - clock.nowMs()) / ENOUGH_ROUNDS;
  const affordableMs = (roundMs - 2 * roundTripMs) / (1 + SHORT_SHARE);
  const byTime = Math.min(TARGET_FACTOR * tellingMs(options), affordableMs) * bytesPerMs;
  const byBytes = (allowanceBytes - sample.spentBytes) / (ENOUGH_ROUNDS * (1 + SHORT_SHARE));
  // Never below what has been seen to work, unless the bytes forbid it.
  return Math.max(2, Math.floor(Math.min(Math.max(byTime, sample.bytes), byBytes, maxBytes)));
}

function bitsPerSecond(bytes: number, ms: number): number {
  return (bytes * 8000) / ms;
}

/** The middle one; of an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = Math.floor(sorted.length / 2);
  const high = sorted[upper] ?? 0;
  return sorted.length % 2 === 1 ? high : ((sorted[upper - 1] ?? high) + high) / 2;
}
