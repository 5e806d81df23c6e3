// A message port between two processes or threads of one program -> a Transport.
import type { Transport, TransportClose, TransportHandler } from '@kerf/protocol';

/** What ports of browsers, worker threads and Electron have in common, once their events are told by callback. */
export interface Port {
  postMessage(value: unknown): void;
  /** Called once: messages that came before are delivered first. `onClose` where the platform tells it. */
  listen(onMessage: (value: unknown) => void, onClose: () => void): void;
  close(): void;
}

/** A port tells nothing of what has been read: each side answers a message with its size, and counts what is not answered. */
export function portTransport(port: Port): PortTransport {
  return new PortTransport(port);
}

export class PortTransport implements Transport {
  private readonly port: Port;
  private handler: TransportHandler | null = null;
  private unread = 0;
  private ended = false;

  constructor(port: Port) {
    this.port = port;
  }

  get bufferedBytes(): number {
    return this.unread;
  }

  start(handler: TransportHandler): void {
    if (this.handler !== null) throw new TypeError('a transport is started once');
    this.handler = handler;
    this.port.listen(
      (value) => this.receive(value),
      () => this.finish({ code: 1006, reason: '' }),
    );
  }

  send(message: Uint8Array): void {
    if (this.ended) return;
    this.unread += message.byteLength;
    this.port.postMessage(message);
  }

  close(code: number, reason: string): void {
    if (this.ended) return;
    this.port.postMessage({ code, reason });
    this.port.close();
    this.finish({ code, reason });
  }

  /** For platforms whose ports do not tell that the other end is gone. */
  lost(): void {
    this.finish({ code: 1006, reason: '' });
  }

  private receive(value: unknown): void {
    if (this.ended) return;
    if (typeof value === 'number') this.unread = Math.max(0, this.unread - value);
    else if (value instanceof Uint8Array) {
      this.port.postMessage(value.byteLength);
      this.handler?.onMessage(value);
    } else {
      this.port.close();
      const { code = 1002, reason = '' } = (value ?? {}) as Partial<TransportClose>;
      this.finish({ code, reason });
    }
  }

  private finish(close: TransportClose): void {
    if (this.ended) return;
    this.ended = true;
    queueMicrotask(() => this.handler?.onClose(close));
  }
}
