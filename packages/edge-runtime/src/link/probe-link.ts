// A cloud's address -> a link that has been greeted, on which probes are timed one at a time.
import {
  type Clock,
  decodeMessage,
  encodeMessage,
  fillerBytes,
  judgeMessage,
  KerfError,
  type LinkState,
  type Message,
  messageOf,
  type Transport,
  type WireLimits,
} from '@kerf/protocol';
import { type CloudAddress, reachCloud } from './reach-cloud.ts';

export interface ProbeLinkOptions {
  /** Name and version that the cloud logs. */
  readonly agent: string;
  readonly clock: Clock;
  readonly limits: WireLimits;
  /** For connecting, TLS and welcome together. */
  readonly greetingTimeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Bytes of a probe beside its filler: preamble, header, padding. */
const ENVELOPE_BYTES = 128;

/** @throws {KerfError} what keeps it from being reached or greeted: HANDSHAKE_TIMEOUT, LINK_LOST, TLS_UNTRUSTED, UNAUTHENTICATED, ... */
export async function openProbeLink(address: CloudAddress, options: ProbeLinkOptions): Promise<ProbeLink> {
  const { clock, greetingTimeoutMs, signal } = options;
  if (signal?.aborted === true) throw cancelled();
  const attempt = new AbortController();
  const startMs = clock.nowMs();
  const onAbort = (): void => attempt.abort(cancelled());
  const cancelTimeout = clock.after(greetingTimeoutMs, () =>
    attempt.abort(new KerfError('HANDSHAKE_TIMEOUT', `no connection to the cloud within ${greetingTimeoutMs} ms`)),
  );
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const { token, transport } = await reachCloud(address, attempt.signal).catch((error: unknown) => {
      const reason: unknown = attempt.signal.aborted ? attempt.signal.reason : error;
      throw KerfError.from(reason, 'LINK_LOST', `no connection to the cloud: ${messageOf(reason)}`);
    });
    const link = new ProbeLink(transport, options);
    await link.greet(token, Math.max(1, greetingTimeoutMs - (clock.nowMs() - startMs)));
    return link;
  } finally {
    cancelTimeout();
    signal?.removeEventListener('abort', onAbort);
  }
}

function cancelled(): KerfError {
  return new KerfError('CANCELLED', 'the measurement was cancelled');
}

/** What is waited for: the welcome, or the answer to a probe. */
interface Awaited {
  /** Null for the welcome. */
  readonly nonce: number | null;
  readonly sentMs: number;
  settle(elapsedMs: number): void;
  fail(error: KerfError): void;
}

export class ProbeLink {
  /** Bytes of messages so far, both ways. */
  bytes = 0;
  readonly #transport: Transport;
  readonly #options: ProbeLinkOptions;
  #state: LinkState = 'greeting';
  #awaited: Awaited | null = null;
  #failure: KerfError | null = null;
  #maxMessageBytes = 0;
  #nonce = 0;
  /** Filler of the largest probe that was answered, both ways together; null before any was. */
  #largest: number | null = null;
  readonly #onAbort = (): void => this.#end(cancelled());

  constructor(transport: Transport, options: ProbeLinkOptions) {
    this.#transport = transport;
    this.#options = options;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    transport.start({
      onMessage: (bytes) => this.#receive(bytes),
      onClose: ({ code, reason }) => {
        const said = reason === '' ? `code ${code}` : `code ${code}: ${reason}`;
        this.#end(new KerfError('LINK_LOST', `the connection ended (${said})`));
      },
    });
  }

  /** Largest filler, either way, that both sides take. */
  get maxFillerBytes(): number {
    const { maxProbeBytes, maxMessageBytes } = this.#options.limits;
    return Math.max(
      0,
      Math.min(maxProbeBytes, maxMessageBytes - ENVELOPE_BYTES, this.#maxMessageBytes - ENVELOPE_BYTES),
    );
  }

  /** Says hello. @throws {KerfError} HANDSHAKE_TIMEOUT, UNAUTHENTICATED, what else the cloud answers. */
  async greet(token: string | null, timeoutMs: number): Promise<void> {
    const hello = encodeMessage({ type: 'hello', agent: this.#options.agent, token });
    await this.#exchange(hello, null, timeoutMs, () => {
      return new KerfError('HANDSHAKE_TIMEOUT', 'the cloud did not greet in time');
    });
  }

  /**
   * Sends `upBytes` of filler and has `downBytes` sent back. @returns milliseconds from the sending to the whole answer,
   * whatever was buffered on the way. @throws {KerfError} LINK_LOST after `patienceMs`, or how the link ended.
   */
  async probe(upBytes: number, downBytes: number, patienceMs: number): Promise<number> {
    const nonce = this.#nonce++;
    const probe = encodeMessage({ type: 'probe', nonce, answerBytes: downBytes, filler: fillerBytes(upBytes) });
    const elapsedMs = await this.#exchange(probe, nonce, patienceMs, () => {
      const what = `a probe of ${upBytes} bytes up and ${downBytes} down`;
      const waited = `${Math.round(patienceMs)} ms`;
      const why =
        this.#largest === 0 && upBytes + downBytes > 0
          ? 'empty ones were. Something on the way drops large packets: look at the MTU of its tunnels (VPN, PPPoE)'
          : 'the link is down, or slower than can be measured in the time given';
      return new KerfError('LINK_LOST', `${what} was not answered within ${waited}: ${why}`);
    });
    this.#largest = Math.max(this.#largest ?? 0, upBytes + downBytes);
    return elapsedMs;
  }

  close(): void {
    this.#end(new KerfError('CLOSED', 'the link was closed'));
  }

  #exchange(message: Uint8Array, nonce: number | null, patienceMs: number, late: () => KerfError): Promise<number> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      const cancelTimer = clock.after(patienceMs, () => this.#end(late()));
      this.bytes += message.byteLength;
      this.#awaited = {
        nonce,
        sentMs: clock.nowMs(),
        settle(elapsedMs) {
          cancelTimer();
          resolve(elapsedMs);
        },
        fail(error) {
          cancelTimer();
          reject(error);
        },
      };
      this.#transport.send(message);
    });
  }

  #receive(bytes: Uint8Array): void {
    const receivedMs = this.#options.clock.nowMs();
    this.bytes += bytes.byteLength;
    try {
      const message = decodeMessage(bytes, this.#options.limits);
      if (judgeMessage('edge', this.#state, 'unknown', message) === 'accept') this.#take(message, receivedMs);
    } catch (error) {
      this.#end(KerfError.from(error, 'INTERNAL', `a message could not be handled: ${messageOf(error)}`));
    }
  }

  #take(message: Message, receivedMs: number): void {
    switch (message.type) {
      case 'welcome':
        this.#state = 'ready';
        this.#maxMessageBytes = message.maxMessageBytes;
        return this.#answered(null, receivedMs);
      case 'probed':
        return this.#answered(message.nonce, receivedMs);
      case 'fault':
        return this.#end(new KerfError(message.code, message.message));
      case 'goaway':
        return this.#end(new KerfError('DRAINING', `the cloud is going away: ${message.reason}`));
      case 'ping':
        return this.#transport.send(encodeMessage({ type: 'pong', nonce: message.nonce }));
      case 'pong':
        return;
      case 'hello':
      case 'open':
      case 'opened':
      case 'frame':
      case 'result':
      case 'cancel':
      case 'credit':
      case 'close':
      case 'probe':
        throw new KerfError('MESSAGE_UNEXPECTED', `no ${message.type} message was asked for`);
    }
  }

  #answered(nonce: number | null, receivedMs: number): void {
    const awaited = this.#awaited;
    if (awaited === null || awaited.nonce !== nonce) {
      throw new KerfError('MESSAGE_UNEXPECTED', 'the cloud answered a probe that was not sent');
    }
    this.#awaited = null;
    awaited.settle(receivedMs - awaited.sentMs);
  }

  #end(error: KerfError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#state = 'closed';
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#transport.close(1000, 'done');
    this.#awaited?.fail(error);
    this.#awaited = null;
  }
}
