// Pings and signs of life -> is the peer there, and how far away?
import type { Clock, Random, Transport } from '@kerf/protocol';

export interface PeerWatchOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pingIntervalMs: number;
  readonly peerTimeoutMs: number;
}

export interface PeerEvents {
  sendPing(nonce: number): void;
  onRoundTrip(roundTripMs: number): void;
  /** It owes a pong for longer than it takes; told again and again while that is so. */
  onDoubt(): void;
  /** It was heard after all. */
  onTrust(): void;
  /** Once, when nothing has shown life for the time allowed. */
  onSilent(): void;
}

/** What holds pongs back, or makes them urgent. */
export interface PeerLoad {
  /** Somebody waits for the peer. */
  readonly isAwaited: boolean;
  /** How long what was sent takes to arrive; infinite where that is not known. */
  readonly drainMs: number;
}

/** A peer that is awaited and says nothing for so long is asked at once. */
const QUIET_MS = 1000;
/** The least that a pong may take, and how many usual times. */
const DOUBT = { leastMs: 3000, roundTrips: 4, drains: 2 };
/** Pongs that never came would pile up otherwise. */
const MOST_PINGS = 16;

/** Sends pings, measures pongs, and tells of a peer that is overdue or gone. */
export class PeerWatch {
  readonly #transport: Transport;
  readonly #options: PeerWatchOptions;
  readonly #load: () => PeerLoad;
  readonly #events: PeerEvents;
  readonly #sentAtMs = new Map<number, number>();
  #cancelTimer: (() => void) | null = null;
  #nonce = 0;
  #lastSignMs: number;
  #lastPingMs = Number.NEGATIVE_INFINITY;
  #bufferedBytes = 0;
  #receivedBytes: number;
  #smoothedMs: number | null = null;
  /** When a pong that is owed is overdue: of the first ping since the last sign. */
  #dueMs: number | null = null;
  #isDoubted = false;

  constructor(transport: Transport, options: PeerWatchOptions, load: () => PeerLoad, events: PeerEvents) {
    this.#transport = transport;
    this.#options = options;
    this.#load = load;
    this.#events = events;
    this.#lastSignMs = options.clock.nowMs();
    this.#receivedBytes = transport.receivedBytes ?? 0;
  }

  /** Smoothed as TCP smooths it (RFC 6298): seven parts old, one part new. Null until the first pong. */
  get roundTripMs(): number | null {
    return this.#smoothedMs;
  }

  start(): void {
    this.#tick();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** Any message is a sign of life. */
  heard(): void {
    this.#lastSignMs = this.#options.clock.nowMs();
    this.#dueMs = null;
    if (!this.#isDoubted) return;
    this.#isDoubted = false;
    this.#events.onTrust();
  }

  /** @returns when the ping was sent; null when it was none of ours. */
  onPong(nonce: number): number | null {
    const sentMs = this.#sentAtMs.get(nonce);
    if (sentMs === undefined) return null;
    this.#sentAtMs.delete(nonce);
    const roundTripMs = this.#options.clock.nowMs() - sentMs;
    this.#smoothedMs = this.#smoothedMs === null ? roundTripMs : this.#smoothedMs * 0.875 + roundTripMs * 0.125;
    this.#events.onRoundTrip(roundTripMs);
    return sentMs;
  }

  #tick(): void {
    const { clock, pingIntervalMs, peerTimeoutMs } = this.#options;
    const stepMs = Math.min(pingIntervalMs, QUIET_MS);
    const nowMs = clock.nowMs();
    if (this.#hasMoved()) this.heard();
    if (nowMs - this.#lastSignMs >= peerTimeoutMs) return this.#events.onSilent();
    this.#cancelTimer = clock.after(stepMs, () => this.#tick());
    // Timers are late by a little, and should not skip a turn for it.
    const isDue = nowMs - this.#lastPingMs > pingIntervalMs - stepMs / 2;
    const isQuiet = this.#dueMs === null && nowMs - this.#lastSignMs >= QUIET_MS;
    if (isDue || (isQuiet && this.#load().isAwaited)) this.#ping(nowMs);
    this.#doubt(nowMs);
  }

  /** A long message holds pings and pongs back behind it: bytes that leave the queue, or come, are a sign of life too. */
  #hasMoved(): boolean {
    const { bufferedBytes, receivedBytes = 0 } = this.#transport;
    const hasLeft = bufferedBytes > 0 && bufferedBytes < this.#bufferedBytes;
    const hasCome = receivedBytes > this.#receivedBytes;
    this.#bufferedBytes = bufferedBytes;
    this.#receivedBytes = receivedBytes;
    return hasLeft || hasCome;
  }

  #ping(nowMs: number): void {
    if (this.#sentAtMs.size > MOST_PINGS) this.#sentAtMs.clear();
    this.#lastPingMs = nowMs;
    this.#dueMs ??= nowMs + this.#allowedMs();
    this.#nonce++;
    this.#sentAtMs.set(this.#nonce, nowMs);
    this.#events.sendPing(this.#nonce);
  }

  /** Drawn, so that the edges of a cloud that stands still for a moment do not all doubt it at once. */
  #allowedMs(): number {
    const { leastMs, roundTrips, drains } = DOUBT;
    const usualMs = Math.max(roundTrips * (this.#smoothedMs ?? 0), drains * this.#load().drainMs);
    return Math.max(leastMs, usualMs) * (1 + this.#options.random());
  }

  /** Only where bytes are seen to come: a long answer over a thin link is no silence. */
  #doubt(nowMs: number): void {
    if (this.#dueMs === null || nowMs < this.#dueMs || this.#transport.receivedBytes === undefined) return;
    this.#isDoubted = true;
    this.#events.onDoubt();
  }
}
