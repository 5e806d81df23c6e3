// Two ends of a link without a network, for tests and for running edge and cloud in one process.
import type { Transport, TransportClose, TransportHandler } from './transport.ts';

/** A pair of connected transports and the accidents that can befall them. */
export interface MemoryLink {
  readonly edge: Transport;
  readonly cloud: Transport;
  /** The network breaks: both ends learn it (code 1006); what was under way is lost. */
  sever(): void;
  /** The network goes silent: nothing arrives any more, and no end is told. */
  silence(): void;
}

/** A connected pair. Messages arrive asynchronously, in order; each end gets its own copy. */
export function memoryLink(): MemoryLink {
  const edge = new MemoryEnd();
  const cloud = new MemoryEnd();
  edge.connect(cloud);
  cloud.connect(edge);
  const both = [edge, cloud];
  return {
    edge,
    cloud,
    sever: () => both.forEach((end) => end.sever()),
    silence: () => both.forEach((end) => end.silence()),
  };
}

type Arrival = { readonly message: Uint8Array } | { readonly close: TransportClose };

class MemoryEnd implements Transport {
  private peer: MemoryEnd | null = null;
  private handler: TransportHandler | null = null;
  private readonly inbox: Arrival[] = [];
  private delivering = false;
  private state: 'open' | 'closing' | 'closed' = 'open';
  private silent = false;
  /** Bytes sent from here that the peer's handler has not been given. */
  private pendingBytes = 0;

  receivedBytes = 0;

  get bufferedBytes(): number {
    return this.pendingBytes;
  }

  connect(peer: MemoryEnd): void {
    this.peer = peer;
  }

  start(handler: TransportHandler): void {
    if (this.handler !== null) throw new TypeError('a transport is started once');
    this.handler = handler;
    this.schedule();
  }

  send(message: Uint8Array): void {
    if (this.state !== 'open') return;
    this.pendingBytes += message.byteLength;
    if (!this.silent) this.peer?.arrive({ message: new Uint8Array(message) });
  }

  close(code: number, reason: string): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    this.inbox.length = 0;
    this.arrive({ close: { code, reason } });
    if (!this.silent) this.peer?.arrive({ close: { code, reason } });
  }

  sever(): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    this.inbox.length = 0;
    this.arrive({ close: { code: 1006, reason: '' } });
  }

  silence(): void {
    this.silent = true;
    this.inbox.length = 0;
  }

  private arrive(arrival: Arrival): void {
    this.inbox.push(arrival);
    this.schedule();
  }

  private schedule(): void {
    if (this.delivering || this.handler === null) return;
    this.delivering = true;
    queueMicrotask(() => {
      this.delivering = false;
      this.deliver();
    });
  }

  /** One arrival a turn, so that a handler which closes or throws leaves the rest in a clear state. */
  private deliver(): void {
    const arrival = this.inbox.shift();
    if (arrival === undefined || this.state === 'closed') return;
    this.schedule();
    if ('close' in arrival) {
      this.state = 'closed';
      this.handler?.onClose(arrival.close);
    } else {
      if (this.peer !== null) this.peer.pendingBytes -= arrival.message.byteLength;
      this.receivedBytes += arrival.message.byteLength;
      if (this.state === 'open') this.handler?.onMessage(arrival.message);
    }
  }
}
