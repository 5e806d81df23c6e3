// A cloud's address -> what the link to it does: throughput up and down, round trip, jitter, from probes of the protocol.
import { type Clock, DEFAULT_WIRE_LIMITS, KerfError, systemClock } from '@kerf/protocol';
import { LINK_FORMAT, type LinkProfile } from '@kerf/splitter';
import { measureRate, median } from './link-rate.ts';
import { openProbeLink, type ProbeLink } from './probe-link.ts';
import type { CloudAddress } from './reach-cloud.ts';

/** Options of {@link measureLink}. */
export interface MeasureLinkOptions extends CloudAddress {
  /** Time that the whole measurement may take, connecting included: 1,000 to 600,000. @default 15_000 */
  readonly budgetMs?: number;
  /** Bytes that may cross, both ways together: at least 100,000. @default 100_000_000 */
  readonly maxBytes?: number;
  /** Name and version that the cloud logs. @default 'kerf-link/0.1.0' */
  readonly agent?: string;
  readonly clock?: Clock;
  /** Milliseconds since 1970, for the date. @default Date.now */
  readonly wallNowMs?: () => number;
  /** Ends the measurement with CANCELLED. */
  readonly signal?: AbortSignal;
}

const MIN_BUDGET_MS = 1_000;
const MAX_BUDGET_MS = 600_000;
const MIN_BYTES = 100_000;
const MAX_CONNECT_MS = 10_000;

/** The first probes meet code that has not been compiled and a connection that has carried nothing. */
const WARM_UP_PROBES = 2;
const MIN_ROUND_TRIPS = 20;
const MAX_ROUND_TRIPS = 100;
/** Shares of the time: up to the first for more than the least number of round trips, up to the second for those. */
const EAGER_SHARE = 0.1;
const ROUND_TRIPS_SHARE = 0.35;
/** An answer that takes so many times as long as expected, and as long as this, does not come. */
const PATIENCE_FACTOR = 8;
const MIN_PATIENCE_MS = 5_000;

/**
 * Measures the link to a cloud with probes, one at a time, within `budgetMs` and `maxBytes`. It needs no model, and a
 * browser can do it as well as Node. Frames that cross meanwhile take their part of the link.
 *
 * `roundTripMs` is the median of some 20 to 100 empty probes, `jitterMs` their 99th percentile (nearest rank) less it. A
 * throughput is bytes added over time added, between probes of two sizes: what a probe costs whatever its size cancels,
 * and since the cloud answers when all of a probe is there, buffers on the way do not count as carried. It is what one
 * connection gets, TLS and copies included.
 * @throws {KerfError} INVALID_ARGUMENT, also for a budget of few round trips; what keeps the link from being made (HANDSHAKE_TIMEOUT, LINK_LOST, TLS_UNTRUSTED,
 * UNAUTHENTICATED, TOKEN_EXPIRED, ...); LINK_LOST when it ends or falls silent; DRAINING; OVERLOADED; CANCELLED.
 */
export async function measureLink(options: MeasureLinkOptions): Promise<LinkProfile> {
  const { clock = systemClock, wallNowMs = Date.now, signal } = options;
  const budgetMs = inRange('budgetMs', options.budgetMs ?? 15_000, MIN_BUDGET_MS, MAX_BUDGET_MS);
  const maxBytes = inRange('maxBytes', options.maxBytes ?? 100_000_000, MIN_BYTES, Number.MAX_SAFE_INTEGER);
  const endMs = clock.nowMs() + budgetMs;
  const link = await openProbeLink(options, {
    agent: options.agent ?? 'kerf-link/0.1.0',
    clock,
    limits: DEFAULT_WIRE_LIMITS,
    greetingTimeoutMs: Math.min(MAX_CONNECT_MS, budgetMs),
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const date = new Date(wallNowMs()).toISOString();
    return await new LinkMeasurement(link, { clock, endMs, maxBytes }).run(date);
  } finally {
    link.close();
  }
}

interface Bounds {
  readonly clock: Clock;
  readonly endMs: number;
  readonly maxBytes: number;
}

class LinkMeasurement {
  readonly #link: ProbeLink;
  readonly #bounds: Bounds;

  constructor(link: ProbeLink, bounds: Bounds) {
    this.#link = link;
    this.#bounds = bounds;
  }

  async run(date: string): Promise<LinkProfile> {
    const times = await this.#timeRoundTrips();
    const roundTripMs = median(times);
    const jitterMs = Math.max(0, nearestRank(times, 0.99) - roundTripMs);
    const up = await this.#rate({ roundTripMs, jitterMs }, 1 / 2, (bytes, ms) => this.#link.probe(bytes, 0, ms));
    const down = await this.#rate({ roundTripMs, jitterMs }, 1, (bytes, ms) => this.#link.probe(0, bytes, ms));
    return {
      format: LINK_FORMAT,
      uplinkBitsPerSecond: Math.round(up),
      downlinkBitsPerSecond: Math.round(down),
      roundTripMs: microseconds(roundTripMs),
      jitterMs: microseconds(jitterMs),
      date,
    };
  }

  async #timeRoundTrips(): Promise<number[]> {
    const { clock, endMs } = this.#bounds;
    const startMs = clock.nowMs();
    const share = (part: number): number => startMs + (endMs - startMs) * part;
    for (let probe = 0; probe < WARM_UP_PROBES; probe++) await this.#link.probe(0, 0, this.#patienceMs(null));
    const times: number[] = [];
    const wanted = (): number => {
      if (times.length === 0) return 1;
      if (clock.nowMs() >= share(ROUND_TRIPS_SHARE)) return 0;
      return clock.nowMs() < share(EAGER_SHARE) ? MAX_ROUND_TRIPS : MIN_ROUND_TRIPS;
    };
    while (times.length < wanted()) times.push(await this.#link.probe(0, 0, this.#patienceMs(times[0] ?? null)));
    return times;
  }

  /** Bits per second of one direction, with `share` of the time and bytes that are left. */
  #rate(
    known: { readonly roundTripMs: number; readonly jitterMs: number },
    share: number,
    exchange: (bytes: number, patienceMs: number) => Promise<number>,
  ): Promise<number> {
    const { clock, endMs, maxBytes } = this.#bounds;
    const nowMs = clock.nowMs();
    const allowanceBytes = Math.max(0, maxBytes - this.#link.bytes) * share;
    return measureRate({
      ...known,
      clock,
      // Growing takes 2.3 times the largest probe, and rounds as much again.
      maxBytes: Math.max(2, Math.min(this.#link.maxFillerBytes, Math.floor(allowanceBytes / 7))),
      allowanceBytes,
      endMs: nowMs + Math.max(0, endMs - nowMs) * share,
      exchange: (bytes, expectedMs) => exchange(bytes, this.#patienceMs(expectedMs)),
    });
  }

  /** How long an answer may take: until the time is up, or it is clear that it will not come. */
  #patienceMs(expectedMs: number | null): number {
    const leftMs = Math.max(1, this.#bounds.endMs - this.#bounds.clock.nowMs());
    return expectedMs === null ? leftMs : Math.min(leftMs, Math.max(MIN_PATIENCE_MS, PATIENCE_FACTOR * expectedMs));
  }
}

/** The smallest value that at least `share` of all do not exceed. */
function nearestRank(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new KerfError('INVALID_ARGUMENT', `option '${name}' must be a number from ${least} to ${most}, got ${value}`);
}
