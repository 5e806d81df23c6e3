// One direction of a shaped link: bytes of one socket -> the same bytes, later and no faster than the rate, at another.
import type { Socket } from 'node:net';
import type { Clock, Random } from '@kerf/protocol';

/** TCP's usual payload of an Ethernet frame: small enough that a frame in flight is not one lump. */
const MIN_SEGMENT_BYTES = 1_448;
/** A segment of a fast link is this much time of it, so that timers of 1 ms keep up. */
const SEGMENT_MS = 0.5;
/** Queue beyond the bandwidth-delay product: this much, or 10 ms of a fast link, so that the link never runs dry. */
const QUEUE_BYTES = 65_536;
const QUEUE_MS = 10;

/** What all connections share in one direction: one wire, one bit at a time. */
export class LinkDirection {
  readonly segmentBytes: number;
  /** Bytes that one connection may have in this direction before its sender is held back. */
  readonly windowBytes: number;
  readonly #bytesPerMs: number;
  readonly #delayMs: number;
  readonly #jitterMs: number;
  readonly #random: Random;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(bitsPerSecond: number, delayMs: number, jitterMs: number, random: Random) {
    this.#bytesPerMs = bitsPerSecond / 8_000;
    this.#delayMs = delayMs;
    this.#jitterMs = jitterMs;
    this.#random = random;
    this.segmentBytes = Math.max(MIN_SEGMENT_BYTES, Math.floor(this.#bytesPerMs * SEGMENT_MS));
    const inFlightBytes = this.#bytesPerMs * (delayMs + jitterMs);
    this.windowBytes = Math.ceil(inFlightBytes + Math.max(QUEUE_BYTES, this.#bytesPerMs * QUEUE_MS));
  }

  /** Time in the air for what is sent next: the delay of the link, and up to `jitterMs` more. */
  flightMs(): number {
    return this.#delayMs + this.#jitterMs * this.#random();
  }

  /** Takes the wire for `byteLength` bytes, no sooner than `readyMs`; when the last bit has left. */
  transmit(readyMs: number, byteLength: number): number {
    this.#freeAtMs = Math.max(readyMs, this.#freeAtMs) + byteLength / this.#bytesPerMs;
    return this.#freeAtMs;
  }

  /** Moves the wire's schedule after an outage. */
  shift(outageMs: number): void {
    this.#freeAtMs += outageMs;
  }
}

/** Ends a socket as a crash or a firewall does: the peer sees a reset, and this side keeps nothing. */
export function resetSocket(socket: Socket): void {
  // Asked to reset while it connects, Node waits for the connection first, maybe for minutes.
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

/** Bytes, the orderly end of the stream, or its reset: due at the far side at `dueMs`. */
interface Segment {
  readonly content: Uint8Array | 'end' | 'reset';
  dueMs: number;
}

/** What a pipe connects. */
export interface LinkPipeOptions {
  readonly source: Socket;
  readonly target: Socket;
  readonly direction: LinkDirection;
  readonly clock: Clock;
  /** Nothing leaves before: the handshake of a real connection takes a round trip first. */
  readonly firstByteMs: number;
  /** Called with every count of bytes handed to the target. */
  readonly onDelivered: (byteLength: number) => void;
}

/**
 * Carries one direction of one connection. The source is read only while fewer than `windowBytes` wait here, so a slow
 * link or a slow reader holds the sender back through TCP's own window.
 */
export class LinkPipe {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #direction: LinkDirection;
  readonly #clock: Clock;
  readonly #onDelivered: (byteLength: number) => void;
  #firstByteMs: number;
  #queue: Segment[] = [];
  #heldBytes = 0;
  #lastDueMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;
  #blocked = false;
  #frozen = false;

  constructor(options: LinkPipeOptions) {
    const { source, target } = options;
    this.#source = source;
    this.#target = target;
    this.#direction = options.direction;
    this.#clock = options.clock;
    this.#firstByteMs = options.firstByteMs;
    this.#onDelivered = options.onDelivered;
    source.on('data', (chunk: Buffer) => this.#accept(chunk));
    source.on('end', () => this.#enqueue('end'));
    source.on('close', (hadError) => {
      if (hadError || !source.readableEnded) this.#enqueue('reset');
    });
    // At once, not by a timer: what is due is late already.
    target.on('drain', () => {
      this.#blocked = false;
      this.#deliver();
    });
    target.on('close', () => this.#discard());
  }

  /** Bytes that wait here. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Black hole: nothing is read, nothing is delivered, nothing is lost. */
  freeze(): void {
    this.#frozen = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#source.pause();
  }

  /** Goes on where it stopped; what was under way takes as long as it still had to. */
  thaw(outageMs: number): void {
    this.#frozen = false;
    for (const segment of this.#queue) segment.dueMs += outageMs;
    this.#lastDueMs += outageMs;
    this.#firstByteMs += outageMs;
    this.#deliver();
  }

  #accept(chunk: Buffer): void {
    const flightMs = this.#direction.flightMs();
    for (let at = 0; at < chunk.byteLength; at += this.#direction.segmentBytes) {
      this.#enqueue(chunk.subarray(at, at + this.#direction.segmentBytes), flightMs);
    }
    if (this.#heldBytes >= this.#direction.windowBytes) this.#source.pause();
  }

  #enqueue(content: Segment['content'], flightMs = this.#direction.flightMs()): void {
    // Nobody is left to hear it: read on, so that the source's end is seen.
    if (this.#target.destroyed) return;
    const byteLength = typeof content === 'string' ? 0 : content.byteLength;
    const sentMs = this.#direction.transmit(Math.max(this.#clock.nowMs(), this.#firstByteMs), byteLength);
    this.#lastDueMs = Math.max(this.#lastDueMs, sentMs + flightMs);
    this.#queue.push({ content, dueMs: this.#lastDueMs });
    this.#heldBytes += byteLength;
    // A reset does not wait for a reader, and neither do the few bytes before it.
    if (content === 'reset') this.#unblock();
    this.#arm();
  }

  #arm(): void {
    const next = this.#queue[0];
    if (next === undefined || this.#cancelTimer !== null || this.#blocked || this.#frozen) return;
    // Rounded up: a timer that fires early would only be armed again.
    const delayMs = Math.max(0, Math.ceil(next.dueMs - this.#clock.nowMs()));
    this.#cancelTimer = this.#clock.after(delayMs, () => {
      this.#cancelTimer = null;
      this.#deliver();
    });
  }

  #unblock(): void {
    this.#blocked = false;
    this.#arm();
  }

  #deliver(): void {
    if (this.#frozen) return;
    const nowMs = this.#clock.nowMs();
    let count = 0;
    this.#target.cork();
    for (const { content, dueMs } of this.#queue) {
      if (this.#blocked || dueMs > nowMs) break;
      count++;
      this.#handOver(content);
    }
    this.#target.uncork();
    this.#queue.splice(0, count);
    if (this.#heldBytes < this.#direction.windowBytes) this.#source.resume();
    this.#arm();
  }

  #handOver(content: Segment['content']): void {
    if (content === 'reset') {
      resetSocket(this.#target);
    } else if (content === 'end') {
      this.#target.end();
    } else {
      this.#heldBytes -= content.byteLength;
      this.#onDelivered(content.byteLength);
      if (this.#target.writable && !this.#target.write(content)) this.#blocked = true;
    }
  }

  /** The target is gone: so is what was under way to it. */
  #discard(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#queue = [];
    this.#heldBytes = 0;
    if (!this.#frozen) this.#source.resume();
  }
}
