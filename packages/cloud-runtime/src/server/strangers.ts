// Connections without an accepted token -> which of them keep a place when places run out.
import type { Socket } from 'node:net';

interface Stranger {
  readonly socket: Socket;
  readonly network: string;
  readonly stopWaiting: () => void;
}

/** In order of arrival, by the port of the peer, which names a connection on both layers of TLS. */
export class Strangers {
  readonly #places: number;
  readonly #held = new Map<string, Stranger>();

  constructor(places: number) {
    this.#places = places;
  }

  /**
   * Takes a connection in. Of a full house, the network that holds most gives up its oldest one to a network that holds
   * fewer, so that a flood from one address keeps nobody else out.
   * @returns false when there is no place for it.
   */
  admit(socket: Socket, wait: () => () => void): boolean {
    const network = networkOf(socket.remoteAddress ?? '');
    if (this.#held.size >= this.#places && !this.#makeRoomFor(network)) return false;
    this.#held.set(nameOf(socket), { socket, network, stopWaiting: wait() });
    return true;
  }

  /** Not a stranger any more: authenticated, or gone. */
  forget(socket: Socket): void {
    this.#drop(nameOf(socket));
  }

  destroyAll(): void {
    for (const { socket } of this.#held.values()) socket.destroy();
  }

  #makeRoomFor(newcomer: string): boolean {
    const counts = new Map<string, number>();
    for (const { network } of this.#held.values()) counts.set(network, (counts.get(network) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (most <= (counts.get(newcomer) ?? 0)) return false;
    for (const [name, { network, socket }] of this.#held) {
      if (counts.get(network) !== most) continue;
      this.#drop(name);
      socket.destroy();
      return true;
    }
    return false;
  }

  #drop(name: string): void {
    this.#held.get(name)?.stopWaiting();
    this.#held.delete(name);
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

const NETWORK_GROUPS = 4;
const ADDRESS_GROUPS = 8;

/** The address; of IPv6 its first 64 bits, since whoever has one such address has all of them. */
export function networkOf(address: string): string {
  if (address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':');
  if (tail !== undefined) {
    const behind = tail.split(':');
    while (groups.length + behind.length < ADDRESS_GROUPS) groups.push('0');
    groups.push(...behind);
  }
  return groups.slice(0, NETWORK_GROUPS).join(':');
}
