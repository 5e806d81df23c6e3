// Ports to the station that the page hands on, where the page itself cannot open a socket -> connections of a bridge.
import { type PortTransport, portTransport } from '@kerf/bridge';
import { type Connect, KerfError } from '@kerf/protocol';
import { domPort } from './dom-port.ts';

export class HandedPorts {
  private readonly ask: () => void;
  private current: PortTransport | null = null;
  private waiting: { resolve(transport: PortTransport): void; reject(error: KerfError): void } | null = null;

  /** @param ask for one more */
  constructor(ask: () => void) {
    this.ask = ask;
  }

  readonly connect: Connect = () =>
    new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.ask();
    });

  /** Null: the station's process has ended. */
  take(port: MessagePort | null): void {
    const { waiting } = this;
    this.waiting = null;
    if (port === null) {
      this.current?.lost();
      waiting?.reject(new KerfError('LINK_LOST', "the station's process has ended"));
    } else {
      this.current = portTransport(domPort(port));
      waiting?.resolve(this.current);
    }
  }
}
