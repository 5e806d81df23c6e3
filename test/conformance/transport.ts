// What every Transport must do; called by the test file of each implementation.

import type { Transport, TransportClose } from '@kerf/protocol';
import { afterEach, describe, expect, it } from 'vitest';

export interface TransportPair {
  readonly left: Transport;
  readonly right: Transport;
  /** Breaks the connection without a closing handshake; null where that cannot be done. */
  readonly sever: (() => void) | null;
  dispose(): Promise<void>;
}

/** Collects what arrives at one end. */
export class Listener {
  readonly messages: Uint8Array[] = [];
  readonly closes: TransportClose[] = [];
  /** Messages that came after the close, which never happens. */
  late = 0;
  #wake: (() => void)[] = [];

  constructor(transport: Transport) {
    transport.start({
      onMessage: (message) => {
        if (this.closes.length > 0) this.late++;
        this.messages.push(message);
        this.#changed();
      },
      onClose: (close) => {
        this.closes.push(close);
        this.#changed();
      },
    });
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async until(condition: () => boolean, timeoutMs = 20_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(`nothing more came: ${this.messages.length} messages, ${this.closes.length} closes`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

/** Registers the suite for `name`; `open` makes a fresh connected pair. */
export function describeTransport(name: string, open: () => Promise<TransportPair>): void {
  describe(`transport: ${name}`, () => {
    let pair: TransportPair | null = null;
    const fresh = async (): Promise<TransportPair> => {
      pair = await open();
      return pair;
    };
    afterEach(async () => {
      await pair?.dispose();
      pair = null;
    });

    it('carries messages whole and in order, both ways at once', async () => {
      const { left, right } = await fresh();
      const ends: [Transport, Listener][] = [
        [left, new Listener(right)],
        [right, new Listener(left)],
      ];
      for (let index = 0; index < 500; index++) {
        for (const [end] of ends) end.send(new Uint8Array((index * 7919) % 3000).fill(index & 0xff));
      }
      for (const [, listener] of ends) {
        await listener.until(() => listener.messages.length === 500);
        listener.messages.forEach((message, index) => {
          expect(message.byteLength).toBe((index * 7919) % 3000);
          expect(message.every((byte) => byte === (index & 0xff))).toBe(true);
        });
      }
    });

    it('carries an empty message and a big one', async () => {
      const { left, right } = await fresh();
      const listener = new Listener(right);
      const sender = new Listener(left);
      const big = new Uint8Array(20 * 1024 * 1024);
      for (let at = 0; at < big.length; at += 4096) big[at] = (at / 4096) & 0xff;
      left.send(new Uint8Array(0));
      left.send(big);
      await listener.until(() => listener.messages.length === 2);
      expect(listener.messages[0]?.byteLength).toBe(0);
      expect(listener.messages[1]?.byteLength).toBe(big.byteLength);
      expect(big.findIndex((byte, at) => byte !== listener.messages[1]?.[at])).toBe(-1);
      expect(listener.messages[1]).toBeInstanceOf(Uint8Array);
      expect(sender.closes).toEqual([]);
    });

    it('keeps what came before start', async () => {
      const { left, right } = await fresh();
      left.send(Uint8Array.of(1));
      left.send(Uint8Array.of(2));
      await settle();
      const listener = new Listener(right);
      await listener.until(() => listener.messages.length === 2);
      expect(listener.messages.map((message) => message[0])).toEqual([1, 2]);
    });

    it('tells a close that came before start', async () => {
      const { left, right } = await fresh();
      left.send(Uint8Array.of(1));
      left.close(4001, 'gone');
      await settle();
      const listener = new Listener(right);
      await listener.until(() => listener.closes.length === 1);
      expect(listener.messages).toHaveLength(1);
      expect(listener.closes[0]?.code).toBe(4001);
    });

    it('hands over messages that other code may keep', async () => {
      const { left, right } = await fresh();
      const listener = new Listener(right);
      for (let index = 0; index < 50; index++) left.send(Uint8Array.of(index, index));
      await listener.until(() => listener.messages.length === 50);
      listener.messages.forEach((message) => message.fill(255));
      left.send(Uint8Array.of(7));
      await listener.until(() => listener.messages.length === 51);
      expect([...(listener.messages[50] as Uint8Array)]).toEqual([7]);
    });

    it('tells both ends of a close once, with its code and reason, after the messages before it', async () => {
      const { left, right } = await fresh();
      const near = new Listener(left);
      const far = new Listener(right);
      for (let index = 0; index < 20; index++) left.send(new Uint8Array(10_000).fill(index));
      left.close(4000, 'done');
      left.close(4002, 'again');
      await far.until(() => far.closes.length > 0);
      await near.until(() => near.closes.length > 0);
      await settle();
      expect(far.messages).toHaveLength(20);
      expect(far.closes).toEqual([{ code: 4000, reason: 'done' }]);
      expect(near.closes).toHaveLength(1);
      expect(far.late + near.late).toBe(0);
    });

    it('does nothing when it sends after the close', async () => {
      const { left, right } = await fresh();
      const near = new Listener(left);
      const far = new Listener(right);
      left.close(1000, '');
      left.send(Uint8Array.of(1));
      await near.until(() => near.closes.length === 1);
      await far.until(() => far.closes.length === 1);
      left.send(Uint8Array.of(2));
      right.send(Uint8Array.of(3));
      await settle();
      expect([...near.messages, ...far.messages]).toEqual([]);
    });

    it('survives both ends closing while both send', async () => {
      const { left, right } = await fresh();
      const near = new Listener(left);
      const far = new Listener(right);
      for (let index = 0; index < 50; index++) {
        left.send(new Uint8Array(50_000));
        right.send(new Uint8Array(50_000));
      }
      left.close(4000, 'left');
      right.close(4001, 'right');
      await near.until(() => near.closes.length === 1);
      await far.until(() => far.closes.length === 1);
      await settle();
      expect(near.closes).toHaveLength(1);
      expect(far.closes).toHaveLength(1);
      expect(near.late + far.late).toBe(0);
    });

    it('tells both ends when the connection breaks', async (context) => {
      const { left, right, sever } = await fresh();
      if (sever === null) return context.skip('this transport cannot be broken from here');
      const near = new Listener(left);
      const far = new Listener(right);
      sever();
      await near.until(() => near.closes.length === 1);
      await far.until(() => far.closes.length === 1);
      expect(near.closes[0]?.code).toBe(1006);
      expect(far.closes[0]?.code).toBe(1006);
    });

    it('counts queued bytes down to zero', async () => {
      const { left, right } = await fresh();
      const listener = new Listener(right);
      const near = new Listener(left);
      for (let index = 0; index < 20; index++) left.send(new Uint8Array(200_000));
      expect(left.bufferedBytes).toBeGreaterThanOrEqual(0);
      await listener.until(() => listener.messages.length === 20);
      await near.until(() => left.bufferedBytes === 0);
    });
  });
}
