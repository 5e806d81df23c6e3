// A WebSocket of the ws package -> a Transport.
import type { Socket } from 'node:net';
import { type Transport, type TransportClose, type TransportHandler, webSocketFrame } from '@kerf/protocol';
import type { WebSocket } from 'ws';

/** How long a peer may take to answer a closing handshake once everything has been sent. */
const CLOSE_PATIENCE_MS = 3_000;
/** RFC 6455 section 5.5: a control frame holds 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123;

/** What the messages of a client cross. */
export interface Wire {
  readonly socket: Socket;
  /** By TLS: messages need no mask of `ws`. */
  readonly isEncrypted: boolean;
}

/** Wraps an open socket. Nothing is read from it before `start`. */
export function wsTransport(socket: WebSocket, wire: Wire | null = null): Transport {
  return new WsTransport(socket, wire);
}

class WsTransport implements Transport {
  private readonly socket: WebSocket;
  private readonly wire: Wire | null;
  private readonly early: Uint8Array[] = [];
  private ended: TransportClose | null = null;
  private handler: TransportHandler | null = null;

  constructor(socket: WebSocket, wire: Wire | null) {
    this.socket = socket;
    this.wire = wire;
    socket.binaryType = 'nodebuffer';
    // What had been parsed already still arrives; the rest waits in the kernel.
    socket.pause();
    socket.on('message', (data, isBinary) => this.receive(data as Buffer, isBinary));
    socket.on('close', (code, reason) => this.finish({ code, reason: reason.toString('utf8') }));
    // The close that follows says what there is to say.
    socket.on('error', () => {});
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  get receivedBytes(): number | undefined {
    return this.wire?.socket.bytesRead;
  }

  start(handler: TransportHandler): void {
    if (this.handler !== null) throw new TypeError('a transport is started once');
    this.handler = handler;
    for (const message of this.early.splice(0)) handler.onMessage(message);
    if (this.ended !== null) handler.onClose(this.ended);
    else this.socket.resume();
  }

  send(message: Uint8Array): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.wire?.isEncrypted !== true) this.socket.send(message, { binary: true });
    else for (const piece of webSocketFrame(message, true)) this.wire.socket.write(piece);
  }

  close(code: number, reason: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.socket.close(code, clipped(reason));
    this.socket.resume();
    this.endWhenSent();
  }

  /** A peer that is gone never answers; without this the socket would wait for it. */
  private endWhenSent(): void {
    const before = this.socket.bufferedAmount;
    const timer = setTimeout(() => {
      if (this.socket.readyState === this.socket.CLOSED) return;
      if (this.socket.bufferedAmount > 0 && this.socket.bufferedAmount < before) this.endWhenSent();
      else this.socket.terminate();
    }, CLOSE_PATIENCE_MS);
    this.socket.once('close', () => clearTimeout(timer));
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      this.socket.close(1003, 'binary messages only');
      return;
    }
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.handler === null) this.early.push(data);
    else this.handler.onMessage(data);
  }

  private finish(close: TransportClose): void {
    this.ended = close;
    this.handler?.onClose(close);
  }
}

function clipped(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > MAX_REASON_BYTES) text = text.slice(0, -1);
  return text;
}
