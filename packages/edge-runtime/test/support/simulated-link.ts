// A cloud that answers probes at the end of a link whose rates, delays and faults the test sets, on the test's clock.
import {
  decodeMessage,
  type ErrorCode,
  encodeMessage,
  type Message,
  type Random,
  type Transport,
  type TransportHandler,
} from '@kerf/protocol';
import type { FakeClock } from './fake-clock.ts';

export interface SimulatedLinkOptions {
  readonly clock: FakeClock;
  readonly upBitsPerSecond: number;
  readonly downBitsPerSecond: number;
  readonly roundTripMs: number;
  /** Each way takes up to this much longer. */
  readonly jitterMs?: number;
  readonly random?: Random;
  /** TCP starts with ten segments a round trip and doubles what it carried. */
  readonly slowStart?: boolean;
  readonly maxMessageBytes?: number;
  /** Larger messages never arrive, either way. */
  readonly largestBytes?: number;
  /** What comes instead of the answer to probe number `after`, and of all later ones. */
  readonly fault?: { readonly after: number; readonly kind: LinkFault };
}

export type LinkFault = 'silence' | 'reset' | 'goaway' | 'wrong nonce' | 'stray result' | ErrorCode;

const FIRST_WINDOW_BYTES = 14_600;

/** One direction: messages in order, each after the one before. */
class Way {
  freeAtMs = 0;
  windowBytes: number;
  readonly #bytesPerMs: number;
  readonly #options: SimulatedLinkOptions;

  constructor(bitsPerSecond: number, options: SimulatedLinkOptions) {
    this.#bytesPerMs = bitsPerSecond / 8000;
    this.#options = options;
    this.windowBytes = options.slowStart === true ? FIRST_WINDOW_BYTES : Number.POSITIVE_INFINITY;
  }

  carry(message: Uint8Array, arrived: (message: Uint8Array) => void): void {
    const { clock, roundTripMs, jitterMs = 0, random = Math.random, largestBytes } = this.#options;
    if (largestBytes !== undefined && message.byteLength > largestBytes) return;
    const sentMs = Math.max(clock.nowMs(), this.freeAtMs) + this.#sendingMs(message.byteLength);
    this.freeAtMs = sentMs;
    clock.after(sentMs + roundTripMs / 2 + jitterMs * random() - clock.nowMs(), () => arrived(message));
  }

  /** Time on the wire, and the waits for acknowledgements while the window is small. */
  #sendingMs(byteLength: number): number {
    let waitMs = 0;
    for (let left = byteLength; left > this.windowBytes; ) {
      left -= this.windowBytes;
      waitMs += Math.max(0, this.#options.roundTripMs - this.windowBytes / this.#bytesPerMs);
      this.windowBytes *= 2;
    }
    return byteLength / this.#bytesPerMs + waitMs;
  }
}

export class SimulatedLink implements Transport {
  readonly bufferedBytes = 0;
  bytes = 0;
  closeCode: number | null = null;
  probes = 0;
  readonly #options: SimulatedLinkOptions;
  readonly #up: Way;
  readonly #down: Way;
  #handler: TransportHandler | null = null;

  constructor(options: SimulatedLinkOptions) {
    this.#options = options;
    this.#up = new Way(options.upBitsPerSecond, options);
    this.#down = new Way(options.downBitsPerSecond, options);
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
  }

  send(message: Uint8Array): void {
    if (this.closeCode !== null) return;
    this.bytes += message.byteLength;
    this.#up.carry(message, (arrived) => this.#respond(decodeMessage(arrived)));
  }

  close(code: number): void {
    if (this.closeCode !== null) return;
    this.closeCode = code;
    this.#handler?.onClose({ code, reason: '' });
  }

  #respond(message: Message): void {
    if (message.type === 'hello') {
      const { maxMessageBytes = 64 * 1024 * 1024 } = this.#options;
      this.#answer({ type: 'welcome', agent: 'simulated', maxMessageBytes });
    }
    if (message.type !== 'probe') return;
    const { fault } = this.#options;
    if (fault !== undefined && this.probes++ >= fault.after) return this.#fail(fault.kind, message.nonce);
    this.#answer({ type: 'probed', nonce: message.nonce, filler: new Uint8Array(message.answerBytes) });
  }

  #fail(kind: LinkFault, nonce: number): void {
    if (kind === 'silence') return;
    if (kind === 'reset') this.close(1006);
    else this.#answer(wrongAnswer(kind, nonce));
  }

  #answer(message: Message): void {
    this.#down.carry(encodeMessage(message), (arrived) => {
      if (this.closeCode !== null) return;
      this.bytes += arrived.byteLength;
      this.#handler?.onMessage(arrived);
    });
  }
}

function wrongAnswer(kind: Exclude<LinkFault, 'silence' | 'reset'>, nonce: number): Message {
  if (kind === 'goaway') return { type: 'goaway', graceMs: 0, reason: 'update' };
  if (kind === 'wrong nonce') return { type: 'probed', nonce: nonce + 1, filler: new Uint8Array(0) };
  if (kind === 'stray result') {
    const spans = { queueMs: 0, decodeMs: 0, computeMs: 0, totalMs: 0, batchRows: 1 };
    return { type: 'result', session: 1, frame: 1, credits: 1, spans, tensors: [] };
  }
  const message = `simulated ${kind}`;
  return { type: 'fault', session: null, frame: null, code: kind, message, retryAfterMs: null, credits: 0 };
}
