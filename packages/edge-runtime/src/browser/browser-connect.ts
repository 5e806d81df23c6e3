// A URL -> a connection to the cloud from a browser, over its WebSocket.
import {
  type Connect,
  KerfError,
  SUBPROTOCOL,
  type Transport,
  type TransportClose,
  type TransportHandler,
} from '@kerf/protocol';

export interface BrowserConnectOptions {
  /** `wss://host/path`; `ws://` where the page's own rules allow it. */
  readonly url: string;
}

/**
 * Connects with the platform's WebSocket. A browser does not tell why a connection failed: an untrusted certificate
 * looks like a cloud that is not there.
 * @throws {KerfError} INVALID_ARGUMENT for a URL that cannot be used; the connection itself LINK_LOST.
 */
export function browserConnect({ url }: BrowserConnectOptions): Connect {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^wss?:$/.test(parsed.protocol)) {
    throw new KerfError('INVALID_ARGUMENT', `'${url}' is not a wss:// or ws:// URL`);
  }
  return (signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(parsed.href, SUBPROTOCOL);
      socket.binaryType = 'arraybuffer';
      const transport = new BrowserTransport(socket);
      const onAbort = (): void => socket.close();
      signal.addEventListener('abort', onAbort, { once: true });
      const settle = (then: () => void) => (): void => {
        signal.removeEventListener('abort', onAbort);
        then();
      };
      socket.addEventListener(
        'open',
        settle(() => resolve(transport)),
        { once: true },
      );
      const failed = (): void => reject(new KerfError('LINK_LOST', `cannot connect to ${parsed.host}`));
      socket.addEventListener('close', settle(failed), { once: true });
      if (signal.aborted) onAbort();
    });
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
