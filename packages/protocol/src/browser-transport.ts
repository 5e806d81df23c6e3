// A browser's WebSocket -> a Transport.
import type { Transport, TransportClose, TransportHandler } from './transport.ts';

/** Wraps a socket of any state; its `binaryType` is set. Messages that come before `start` are kept. */
export function browserTransport(socket: WebSocket): Transport {
  socket.binaryType = 'arraybuffer';
  return new BrowserTransport(socket);
}

class BrowserTransport implements Transport {
  private readonly socket: WebSocket;
  private readonly early: Uint8Array[] = [];
  private ended: TransportClose | null = null;
  private handler: TransportHandler | null = null;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener('message', (event) => this.receive(event.data));
    socket.addEventListener('close', ({ code, reason }) => this.finish({ code, reason }), { once: true });
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  start(handler: TransportHandler): void {
    if (this.handler !== null) throw new TypeError('a transport is started once');
    this.handler = handler;
    for (const message of this.early.splice(0)) handler.onMessage(message);
    if (this.ended !== null) handler.onClose(this.ended);
  }

  send(message: Uint8Array): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message as Uint8Array<ArrayBuffer>);
  }

  close(code: number, reason: string): void {
    // Pages may only send 1000 and 3000 to 4999.
    const allowed = code === 1000 || (code >= 3000 && code <= 4999) ? code : 3000 + (code % 1000);
    this.socket.close(allowed, reason.slice(0, 40));
    // The handshake with a peer that is gone takes the browser a minute: this side need not wait for it.
    this.finish({ code: allowed, reason });
  }

  private receive(data: unknown): void {
    if (this.ended !== null) return;
    if (!(data instanceof ArrayBuffer)) return this.close(3003, 'binary messages only');
    const message = new Uint8Array(data);
    if (this.handler === null) this.early.push(message);
    else this.handler.onMessage(message);
  }

  private finish(close: TransportClose): void {
    if (this.ended !== null) return;
    this.ended = close;
    queueMicrotask(() => this.handler?.onClose(close));
  }
}
