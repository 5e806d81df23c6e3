// Two ends of a connection over a simulated path: bytes take time, wait behind each other, stop, and get lost with it.
import type { Clock, TransportClose, TransportHandler } from '@kerf/protocol';
import type { LinkTransport } from '../../packages/cloud-runtime/src/server/socket-transport.ts';

/** The way between a device and a gateway, with what can befall it; changed while it is used. */
export class Path {
  latencyMs: number;
  bytesPerMs: number;
  /** Added to each message's time, drawn by the link. */
  jitterMs = 0;
  /** Nothing arrives before this; TCP holds it back and brings it then. */
  upStalledUntilMs = 0;
  downStalledUntilMs = 0;
  /** New connections fail. */
  isDown = false;
  /** The device reads so many bytes a millisecond; the rest waits at the gateway. */
  readBytesPerMs = Number.POSITIVE_INFINITY;

  readonly usual: { readonly latencyMs: number; readonly bytesPerMs: number };

  constructor(latencyMs: number, bytesPerMs: number) {
    this.usual = { latencyMs, bytesPerMs };
    this.latencyMs = latencyMs;
    this.bytesPerMs = bytesPerMs;
  }
}

type Arrival = { readonly message: Uint8Array } | { readonly close: TransportClose };

/** Bytes that TCP takes from a sender without anybody reading them. */
const SOCKET_BUFFER_BYTES = 2048;
const CLOSE_PATIENCE_MS = 3000;

export class SimConnection {
  readonly edge: SimEnd;
  readonly cloud: SimEnd;
  readonly path: Path;
  readonly clock: Clock;
  readonly random: () => number;

  constructor(path: Path, clock: Clock, random: () => number) {
    this.path = path;
    this.clock = clock;
    this.random = random;
    this.edge = new SimEnd(this, 'up');
    this.cloud = new SimEnd(this, 'down');
    this.edge.peer = this.cloud;
    this.cloud.peer = this.edge;
  }

  get isOpen(): boolean {
    return this.edge.isOpen || this.cloud.isOpen;
  }

  /** Both ends learn that it is gone, each at its time; what is under way to one that learns later still arrives there. */
  breakOff(edgeAfterMs: number, cloudAfterMs: number): void {
    this.clock.after(edgeAfterMs, () => this.edge.vanish());
    this.clock.after(cloudAfterMs, () => this.cloud.vanish());
  }
}

export class SimEnd implements LinkTransport {
  peer: SimEnd | null = null;
  /** Counts messages; when it is reached the message is cut short on its way. */
  cutShortAt: number | null = null;
  sent = 0;
  receivedBytes = 0;
  readonly #connection: SimConnection;
  readonly #direction: 'up' | 'down';
  readonly #inbox: Arrival[] = [];
  #handler: TransportHandler | null = null;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #freeAtMs = 0;
  #lastArrivalMs = 0;
  #queuedBytes = 0;

  constructor(connection: SimConnection, direction: 'up' | 'down') {
    this.#connection = connection;
    this.#direction = direction;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#queuedBytes - SOCKET_BUFFER_BYTES);
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    for (const arrival of this.#inbox.splice(0)) this.#deliver(arrival);
  }

  send(message: Uint8Array, onSent?: () => void): void {
    if (this.#state !== 'open') {
      onSent?.();
      return;
    }
    this.sent++;
    // A copy, also where it is a Buffer, whose `slice` is none: its memory is used again.
    const copy = new Uint8Array(message);
    const bytes = this.sent === this.cutShortAt ? copy.subarray(0, copy.byteLength >> 1) : copy;
    this.#queuedBytes += message.byteLength;
    this.#carry({ message: bytes }, message.byteLength, () => {
      this.#queuedBytes -= message.byteLength;
      onSent?.();
    });
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    const close = { code, reason };
    this.#carry({ close }, 8, () => {});
    this.#connection.clock.after(CLOSE_PATIENCE_MS, () => this.#end({ code: 1006, reason: '' }));
  }

  terminate(): void {
    if (this.#state === 'closed') return;
    this.#connection.clock.after(0, () => this.vanish());
    this.#connection.clock.after(this.#connection.path.latencyMs, () => this.peer?.vanish());
  }

  /** This end learns that the connection is gone. */
  vanish(): void {
    this.#end({ code: 1006, reason: '' });
  }

  /** The process is gone: nobody is told here. */
  abandon(): void {
    this.#handler = null;
    this.#state = 'closed';
  }

  #carry(arrival: Arrival, byteLength: number, onSent: () => void): void {
    const { path, clock, random } = this.#connection;
    const rate = this.#direction === 'down' ? Math.min(path.bytesPerMs, path.readBytesPerMs) : path.bytesPerMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, clock.nowMs()) + byteLength / rate;
    clock.after(this.#freeAtMs - clock.nowMs(), onSent);
    const atMs = this.#freeAtMs + path.latencyMs + path.jitterMs * random();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, atMs);
    this.#arriveAt(this.#lastArrivalMs, arrival);
  }

  #arriveAt(atMs: number, arrival: Arrival): void {
    const { path, clock } = this.#connection;
    clock.after(atMs - clock.nowMs(), () => {
      const stalledMs = this.#direction === 'up' ? path.upStalledUntilMs : path.downStalledUntilMs;
      if (stalledMs > clock.nowMs()) this.#arriveAt(stalledMs, arrival);
      else this.peer?.arrive(arrival);
    });
  }

  arrive(arrival: Arrival): void {
    if (this.#state === 'closed') return;
    if (this.#handler === null) this.#inbox.push(arrival);
    else this.#deliver(arrival);
  }

  #deliver(arrival: Arrival): void {
    if (this.#state === 'closed') return;
    if ('message' in arrival) {
      this.receivedBytes += arrival.message.byteLength;
      if (this.#state === 'open') this.#handler?.onMessage(arrival.message);
      return;
    }
    // The closing handshake: this end answers, and both are done.
    const wasOpen = this.#state === 'open';
    if (wasOpen) this.#carry({ close: arrival.close }, 8, () => {});
    this.#end(arrival.close);
  }

  #end(close: TransportClose): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#handler?.onClose(close);
  }
}
