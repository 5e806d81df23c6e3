// A TCP service -> the same service behind a network that goes wrong while it is used.
import { connect, createServer, type Socket } from 'node:net';

/** What the network does to bytes from now on; it may be changed at any time. */
export interface NetworkMood {
  latencyMs: number;
  /** Up to so much more, drawn for each piece; order is kept. */
  jitterMs: number;
  bytesPerMs: number;
  /** Of that, on the way back. */
  downShare: number;
  /** Bytes are passed on in pieces of at most so many. */
  sliceBytes: number;
  /** Nothing moves in this direction; nobody is told, and what waits comes later. */
  holdsUp: boolean;
  holdsDown: boolean;
  /** An end that goes is not told to the other one, as where a cable is pulled. */
  forgets: boolean;
  /** New connections are reset. */
  refuses: boolean;
  /** New connections get the login page of somebody else's network, in plain text. */
  isPortal: boolean;
  /** A connection that brings a larger piece at once never moves again in that direction, as where large packets vanish. */
  largestPiece: number;
  /** Connections on which nothing came for so long are reset, as some middleboxes do it. */
  idleMs: number;
  /** One byte of each piece arrives as another. */
  garbles: boolean;
}

export const GOOD_MOOD: NetworkMood = {
  latencyMs: 1,
  jitterMs: 0,
  bytesPerMs: 20_000,
  downShare: 1,
  sliceBytes: 65_536,
  holdsUp: false,
  holdsDown: false,
  forgets: false,
  refuses: false,
  isPortal: false,
  largestPiece: Number.POSITIVE_INFINITY,
  idleMs: Number.POSITIVE_INFINITY,
  garbles: false,
};

const PORTAL =
  'HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>log in</html>';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly ways: readonly [Way, Way];
}

export class FaultProxy {
  readonly mood: NetworkMood = { ...GOOD_MOOD };
  readonly #target: number;
  readonly #random: () => number;
  readonly #pairs = new Set<Pair>();
  readonly #server = createServer({ noDelay: true }, (socket) => this.#open(socket));
  port = 0;

  private constructor(target: number, random: () => number) {
    this.#target = target;
    this.#random = random;
  }

  static async start(target: number, random: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, random);
    await proxy.reopen();
    return proxy;
  }

  /** Takes connections, as good ones; after `close` at the same port. */
  async reopen(): Promise<void> {
    this.change(GOOD_MOOD);
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as { port: number }).port;
  }

  /** Another mood; what waits goes on by it. */
  change(mood: Partial<NetworkMood>): void {
    Object.assign(this.mood, mood);
    for (const { ways } of this.#pairs) for (const way of ways) way.pump();
  }

  /** Resets every connection, at both ends. */
  reset(): number {
    const count = this.#pairs.size;
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    return count;
  }

  async close(): Promise<void> {
    this.change({ refuses: true });
    this.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #watchIdle({ near, far, ways }: Pair): void {
    const timer = setInterval(() => {
      const sinceMs = performance.now() - Math.max(...ways.map(({ lastMs }) => lastMs));
      if (sinceMs < this.mood.idleMs) return;
      near.resetAndDestroy();
      far.resetAndDestroy();
    }, IDLE_LOOK_MS);
    near.once('close', () => clearInterval(timer));
  }

  #open(near: Socket): void {
    near.on('error', () => {});
    if (this.mood.refuses) {
      near.resetAndDestroy();
      return;
    }
    if (this.mood.isPortal) {
      near.resume();
      near.end(PORTAL, () => near.destroy());
      return;
    }
    const far = connect({ host: '127.0.0.1', port: this.#target, noDelay: true });
    far.on('error', () => near.destroy());
    const ways = [
      new Way(near, far, this.mood, { isHeld: () => this.mood.holdsUp, share: () => 1 }, this.#random),
      new Way(
        far,
        near,
        this.mood,
        { isHeld: () => this.mood.holdsDown, share: () => this.mood.downShare },
        this.#random,
      ),
    ] as const;
    const pair: Pair = { near, far, ways };
    this.#pairs.add(pair);
    this.#watchIdle(pair);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('close', () => {
        if (this.mood.forgets) return;
        this.#pairs.delete(pair);
        // What is held back must not keep an end open that nobody serves.
        other.destroy();
      });
    }
  }
}

const IDLE_LOOK_MS = 50;
const MAX_HELD_BYTES = 256 * 1024;

/** What differs between the directions. */
interface Side {
  isHeld(): boolean;
  /** Of the rate. */
  share(): number;
}

/** One direction of one connection. */
class Way {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #mood: NetworkMood;
  readonly #side: Side;
  readonly #random: () => number;
  readonly #queue: { readonly bytes: Uint8Array; readonly dueMs: number }[] = [];
  #heldBytes = 0;
  #freeAtMs = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #isStuck = false;
  /** When bytes last came. */
  lastMs = performance.now();

  constructor(from: Socket, to: Socket, mood: NetworkMood, side: Side, random: () => number) {
    this.#from = from;
    this.#to = to;
    this.#mood = mood;
    this.#side = side;
    this.#random = random;
    from.on('data', (chunk: Uint8Array) => this.#take(chunk));
    from.on('close', () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
    });
  }

  #take(chunk: Uint8Array): void {
    const { latencyMs, jitterMs, sliceBytes, largestPiece, garbles } = this.#mood;
    const bytesPerMs = this.#mood.bytesPerMs * this.#side.share();
    this.lastMs = performance.now();
    this.#isStuck ||= chunk.byteLength > largestPiece;
    if (garbles) chunk[Math.floor(this.#random() * chunk.byteLength)] = Math.floor(this.#random() * 256);
    for (let at = 0; at < chunk.byteLength; at += sliceBytes) {
      const bytes = chunk.subarray(at, at + sliceBytes);
      this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + bytes.byteLength / bytesPerMs;
      this.#lastDueMs = Math.max(this.#lastDueMs, this.#freeAtMs + latencyMs + jitterMs * this.#random());
      this.#queue.push({ bytes, dueMs: this.#lastDueMs });
      this.#heldBytes += bytes.byteLength;
    }
    if (this.#heldBytes > MAX_HELD_BYTES) this.#from.pause();
    this.pump();
  }

  pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (!this.#isStuck && !this.#side.isHeld() && !this.#to.destroyed) {
      const next = this.#queue[0];
      if (next === undefined) break;
      const leftMs = next.dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.pump(), leftMs);
        return;
      }
      this.#queue.shift();
      this.#heldBytes -= next.bytes.byteLength;
      this.#to.write(next.bytes);
    }
    if (this.#heldBytes <= MAX_HELD_BYTES) this.#from.resume();
  }
}
