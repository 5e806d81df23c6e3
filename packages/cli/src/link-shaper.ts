// A TCP service -> the same service at the end of a link: bandwidth, round trip, jitter, outages, in user space.
import { connect, createServer, type Socket } from 'node:net';
import { type Clock, KerfError, seededRandom, systemClock } from '@kerf/protocol';
import { LinkDirection, LinkPipe, resetSocket } from './link-pipe.ts';

/** A link to build. Rates count the bytes of the TCP stream, without headers. */
export interface LinkShaperOptions {
  /** Where connections are passed on to. */
  readonly target: { readonly host: string; readonly port: number };
  /** From whoever connects here towards the target. */
  readonly uplinkBitsPerSecond: number;
  readonly downlinkBitsPerSecond: number;
  /** Half of it each way. A new connection's first byte waits one more, as after a TCP handshake. */
  readonly roundTripMs: number;
  /** Each way takes up to this much longer, drawn anew for every read; order is kept. Default 0. */
  readonly jitterMs?: number;
  /** Seed of the jitter. Default 1. */
  readonly seed?: number;
  /** Further connections are reset. Default 256. */
  readonly maxConnections?: number;
  /** Where to listen. Default 127.0.0.1, on a free port. */
  readonly host?: string;
  readonly port?: number;
  readonly clock?: Clock;
}

/** A running link and its faults. */
export interface LinkShaper {
  readonly port: number;
  /** Bytes handed to the target so far. */
  readonly bytesUp: number;
  /** Bytes handed back so far. */
  readonly bytesDown: number;
  /** Bytes that wait in the link now, both ways, all connections. */
  readonly bytesHeld: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Black hole: connections stay open, new ones are accepted, nothing moves. */
  pause(): void;
  /** Ends a black hole; what was under way arrives that much later. */
  resume(): void;
  /** Resets all open connections; both ends see it. */
  cut(): void;
  /** While true, new connections are reset as soon as they open. */
  refuse(refusing: boolean): void;
  /** Cuts everything and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts a proxy that shapes a link. All connections share the rate of each direction, first come first served; each
 * may have a bandwidth-delay product and a queue of 64 KiB (10 ms of a fast link) under way before its sender is held
 * back. Not modelled: loss, TCP's slow start, headers. The kernel's own socket buffers lie before and behind it.
 *
 * It paces by timers of 1 ms, so bytes come up to about 2 ms late and never early. It carries 1 Gbit/s at that rate, and
 * on this side of 4 Gbit/s copying becomes the limit. Whoever blocks the event loop of its process delays the link: give it a process that does not
 * run models.
 * @throws {KerfError} INVALID_ARGUMENT for a rate or time that cannot be, or a port that cannot be listened on.
 */
export async function startLinkShaper(options: LinkShaperOptions): Promise<LinkShaper> {
  checkOptions(options);
  const link = new Link(options);
  try {
    await link.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `cannot listen on port ${options.port}; choose another`, { cause });
  }
  return link;
}

interface Connection {
  readonly near: Socket;
  readonly far: Socket;
  readonly pipes: readonly [LinkPipe, LinkPipe];
}

class Link implements LinkShaper {
  readonly #options: LinkShaperOptions;
  readonly #clock: Clock;
  readonly #up: LinkDirection;
  readonly #down: LinkDirection;
  readonly #connections = new Set<Connection>();
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#open(socket));
  #bytesUp = 0;
  #bytesDown = 0;
  #port = 0;
  #refusing = false;
  #pausedAtMs: number | null = null;

  constructor(options: LinkShaperOptions) {
    const { roundTripMs, jitterMs = 0, seed = 1 } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#up = new LinkDirection(options.uplinkBitsPerSecond, roundTripMs / 2, jitterMs, seededRandom(seed));
    this.#down = new LinkDirection(options.downlinkBitsPerSecond, roundTripMs / 2, jitterMs, seededRandom(seed + 1));
  }

  get port(): number {
    return this.#port;
  }

  get bytesUp(): number {
    return this.#bytesUp;
  }

  get bytesDown(): number {
    return this.#bytesDown;
  }

  get bytesHeld(): number {
    let held = 0;
    for (const { pipes } of this.#connections) for (const pipe of pipes) held += pipe.heldBytes;
    return held;
  }

  get connections(): number {
    return this.#connections.size;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        // Errors of a listening socket concern one connection that could not be accepted.
        this.#server.on('error', () => {});
        const address = this.#server.address();
        this.#port = typeof address === 'object' && address !== null ? address.port : port;
        resolve();
      });
    });
  }

  pause(): void {
    if (this.#pausedAtMs !== null) return;
    this.#pausedAtMs = this.#clock.nowMs();
    for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.freeze();
  }

  resume(): void {
    if (this.#pausedAtMs === null) return;
    const outageMs = this.#clock.nowMs() - this.#pausedAtMs;
    this.#pausedAtMs = null;
    this.#up.shift(outageMs);
    this.#down.shift(outageMs);
    for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.thaw(outageMs);
  }

  cut(): void {
    for (const { near, far } of this.#connections) {
      resetSocket(near);
      resetSocket(far);
    }
  }

  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  close(): Promise<void> {
    this.#refusing = true;
    this.cut();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #open(near: Socket): void {
    // A peer may reset at any time; 'close' does the work.
    near.on('error', () => {});
    if (this.#refusing || this.#connections.size >= (this.#options.maxConnections ?? 256)) {
      resetSocket(near);
      return;
    }
    const far = connect({ ...this.#options.target, allowHalfOpen: true, noDelay: true });
    far.on('error', () => {});
    // One that opens during an outage counts as opened at its start: resume() moves it to the end.
    const firstByteMs = (this.#pausedAtMs ?? this.#clock.nowMs()) + this.#options.roundTripMs;
    const shared = { clock: this.#clock, firstByteMs };
    const pipes: Connection['pipes'] = [
      new LinkPipe({
        ...shared,
        source: near,
        target: far,
        direction: this.#up,
        onDelivered: (byteLength) => {
          this.#bytesUp += byteLength;
        },
      }),
      new LinkPipe({
        ...shared,
        source: far,
        target: near,
        direction: this.#down,
        onDelivered: (byteLength) => {
          this.#bytesDown += byteLength;
        },
      }),
    ];
    const connection: Connection = { near, far, pipes };
    this.#connections.add(connection);
    const forget = () => {
      if (near.closed && far.closed) this.#connections.delete(connection);
    };
    near.on('close', forget);
    far.on('close', forget);
    if (this.#pausedAtMs !== null) for (const pipe of pipes) pipe.freeze();
  }
}

function checkOptions(options: LinkShaperOptions): void {
  const positive = {
    uplinkBitsPerSecond: options.uplinkBitsPerSecond,
    downlinkBitsPerSecond: options.downlinkBitsPerSecond,
  };
  const notNegative = { roundTripMs: options.roundTripMs, jitterMs: options.jitterMs ?? 0 };
  for (const [name, value] of Object.entries(positive)) {
    if (!(Number.isFinite(value) && value > 0)) {
      throw new KerfError('INVALID_ARGUMENT', `${name} is ${value}; it must be a number above 0`);
    }
  }
  for (const [name, value] of Object.entries(notNegative)) {
    if (!(Number.isFinite(value) && value >= 0)) {
      throw new KerfError('INVALID_ARGUMENT', `${name} is ${value}; it must be 0 or more`);
    }
  }
}
