// Pings and signs of life -> is the peer there, and how far away?
import type { Clock, Transport } from '@kerf/protocol';

export interface PeerWatchOptions {
  readonly clock: Clock;
  readonly pingIntervalMs: number;
  readonly peerTimeoutMs: number;
}

/** Sends pings and measures pongs; calls `onSilent` once when nothing has shown life for the time allowed, `onRoundTrip` at each pong. */
export class PeerWatch {
  private readonly transport: Transport;
  private readonly options: PeerWatchOptions;
  private readonly sendPing: (nonce: number) => void;
  private readonly onSilent: () => void;
  private readonly onRoundTrip: (roundTripMs: number) => void;
  private readonly sentAtMs = new Map<number, number>();
  private cancelTimer: (() => void) | null = null;
  private nonce = 0;
  private lastSignMs: number;
  private lastBufferedBytes = 0;
  private smoothedMs: number | null = null;

  constructor(
    transport: Transport,
    options: PeerWatchOptions,
    sendPing: (nonce: number) => void,
    onSilent: () => void,
    onRoundTrip: (roundTripMs: number) => void = () => {},
  ) {
    this.transport = transport;
    this.options = options;
    this.sendPing = sendPing;
    this.onSilent = onSilent;
    this.onRoundTrip = onRoundTrip;
    this.lastSignMs = options.clock.nowMs();
  }

  /** Smoothed as TCP smooths it (RFC 6298): seven parts old, one part new. Null until the first pong. */
  get roundTripMs(): number | null {
    return this.smoothedMs;
  }

  start(): void {
    this.tick();
  }

  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  /** Any message is a sign of life. */
  heard(): void {
    this.lastSignMs = this.options.clock.nowMs();
  }

  /** @returns when the ping was sent; null when it was none of ours. */
  onPong(nonce: number): number | null {
    const sentMs = this.sentAtMs.get(nonce);
    if (sentMs === undefined) return null;
    this.sentAtMs.delete(nonce);
    const roundTripMs = this.options.clock.nowMs() - sentMs;
    this.smoothedMs = this.smoothedMs === null ? roundTripMs : this.smoothedMs * 0.875 + roundTripMs * 0.125;
    this.onRoundTrip(roundTripMs);
    return sentMs;
  }

  private tick(): void {
    const { clock, pingIntervalMs, peerTimeoutMs } = this.options;
    // A long upload holds pings back behind it: bytes that leave the queue are a sign of life too.
    const buffered = this.transport.bufferedBytes;
    if (buffered > 0 && buffered < this.lastBufferedBytes) this.heard();
    this.lastBufferedBytes = buffered;
    if (clock.nowMs() - this.lastSignMs >= peerTimeoutMs) {
      this.onSilent();
      return;
    }
    // Pongs that never came would pile up otherwise.
    if (this.sentAtMs.size > 16) this.sentAtMs.clear();
    this.nonce++;
    this.sentAtMs.set(this.nonce, clock.nowMs());
    this.sendPing(this.nonce);
    this.cancelTimer = clock.after(pingIntervalMs, () => this.tick());
  }
}
