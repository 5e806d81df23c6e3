// One connected transport -> hello, welcome, open, opened, then frames and answers, until it ends once.
import {
  type CertificateCause,
  decodeMessage,
  type ErrorCode,
  encodeMessage,
  type Fault,
  type GoAway,
  judgeMessage,
  KerfError,
  type LinkState,
  type Message,
  messageOf,
  type Open,
  type Opened,
  type Pong,
  type Result,
  type SessionState,
  sessionOf,
  type Transport,
  type TransportClose,
} from '@kerf/protocol';
import type { EdgeSessionOptions } from '../session/options.ts';
import { AnswerClock, type WayDown } from './answer-clock.ts';
import { CreditGate } from './credit-gate.ts';
import { PeerWatch } from './peer-watch.ts';
import { ProbeSlot } from './probe-slot.ts';
import { UplinkMeter } from './uplink-meter.ts';

/** A link of ours carries one session, and this is its number. */
export const SESSION = 1;

/** Of the ping that asks whether what was sent has arrived; beyond those that watch the peer. */
const ASKING_NONCE = 2 ** 40;

/** Why a connection ended. */
export interface LinkEnd {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs: number | null;
  /** Where it is known as a kind. */
  readonly cause?: CertificateCause | undefined;
}

/** An answer with the moment it came and its size. */
export interface Arrival<T> {
  readonly message: T;
  readonly receivedMs: number;
  readonly bytes: number;
  /** How long it was under way; null where nothing is known of the cloud's clock. */
  readonly wayDown: WayDown | null;
}

export interface ConnectionEvents {
  /** The model may be opened now. */
  onGreeted(): void;
  onOpened(opened: Opened): void;
  /** A result or a fault of one frame. */
  onAnswer(arrival: Arrival<Result | Fault>): void;
  /** More frames may be sent now. */
  onCredit(): void;
  onGoAway(goAway: GoAway): void;
  /** The last frame that was in flight has been answered. */
  onIdle(): void;
  /** A ping was answered. */
  onRoundTrip(roundTripMs: number): void;
  /** The cloud owes a pong for longer than it takes; again and again while that is so. */
  onDoubt(): void;
  /** After that, it was heard. */
  onTrust(): void;
  onEnd(end: LinkEnd): void;
}

export interface ConnectionSetup {
  readonly options: EdgeSessionOptions;
  readonly token: string | null;
}

/** What is opened. */
export type Wanted = Omit<Open, 'type' | 'session'>;

export class LinkConnection {
  credits: CreditGate | null = null;
  maxMessageBytes = 0;
  private readonly transport: Transport;
  private readonly setup: ConnectionSetup;
  private readonly events: ConnectionEvents;
  private readonly watch: PeerWatch;
  private readonly clocks = new AnswerClock();
  private readonly probes = new ProbeSlot();
  private readonly uplink = new UplinkMeter();
  private link: LinkState = 'greeting';
  private session: SessionState = 'unknown';
  private outstanding: readonly number[] = [];
  private cancelTimeout: () => void = () => {};

  constructor(transport: Transport, setup: ConnectionSetup, events: ConnectionEvents) {
    this.transport = transport;
    this.setup = setup;
    this.events = events;
    const { options } = setup;
    this.watch = new PeerWatch(
      transport,
      options,
      () => ({
        isAwaited: this.credits?.idle === false,
        drainMs: this.uplink.drainMs(options.clock.nowMs()),
      }),
      {
        sendPing: (nonce) => this.send({ type: 'ping', nonce }),
        onRoundTrip: (roundTripMs) => events.onRoundTrip(roundTripMs),
        onDoubt: () => events.onDoubt(),
        onTrust: () => events.onTrust(),
        onSilent: () => this.end('LINK_LOST', `the cloud has been silent for ${options.peerTimeoutMs} ms`),
      },
    );
  }

  /** Greets; how long it waits for the cloud's greeting is the caller's. */
  start(): void {
    const { options, token } = this.setup;
    this.send({ type: 'hello', agent: options.agent, token });
    this.transport.start({
      onMessage: (bytes) => this.receive(bytes),
      onClose: (close) => this.closed(close),
    });
  }

  /** Opens the model, once the cloud has greeted. */
  open(wanted: Wanted): void {
    const { clock, openTimeoutMs } = this.setup.options;
    this.session = 'opening';
    this.outstanding = wanted.resume?.outstanding ?? [];
    this.cancelTimeout = clock.after(openTimeoutMs, () =>
      this.end('HANDSHAKE_TIMEOUT', 'the cloud did not open the model in time'),
    );
    this.send({ type: 'open', session: SESSION, ...wanted });
    // From here on a silent peer is found, also while it loads the model.
    this.watch.start();
  }

  get ready(): boolean {
    return this.session === 'open' && this.link === 'ready';
  }

  get roundTripMs(): number | null {
    return this.watch.roundTripMs;
  }

  send(message: Message): void {
    this.transport.send(encodeMessage(message));
  }

  /** Sends an encoded frame and takes its credit. */
  sendFrame(frame: number, bytes: Uint8Array): void {
    const nowMs = this.setup.options.clock.nowMs();
    this.credits?.take(frame);
    this.clocks.sent(frame, nowMs);
    this.uplink.sent(frame, bytes.byteLength, nowMs);
    this.transport.send(bytes);
    this.askUplink(false);
  }

  /** True when all that was sent has arrived, as far as is known. */
  get isUplinkIdle(): boolean {
    return this.uplink.isIdle;
  }

  /** Until a frame like the last one would be there and an empty answer back; 0 for small ones, infinite while that is not known. */
  get expectedMs(): number {
    return this.uplink.expectedMs(this.setup.options.clock.nowMs());
  }

  /** Asks by a ping whether what was sent has arrived, unless that is asked already; `onCredit` follows. @param isAwaited frames wait for it */
  askUplink(isAwaited: boolean): void {
    const nowMs = this.setup.options.clock.nowMs();
    if (!this.uplink.shouldAsk(nowMs, isAwaited)) return;
    this.uplink.asked(nowMs);
    this.send({ type: 'ping', nonce: ASKING_NONCE });
  }

  /**
   * Sends `upBytes` of filler and has `downBytes` sent back. @returns milliseconds from the sending to the whole answer; null
   * when a probe is under way, the connection is not ready, or it ended before the answer.
   */
  probe(upBytes: number, downBytes: number): Promise<number | null> {
    if (!this.ready) return Promise.resolve(null);
    return this.probes.send({ upBytes, downBytes, nowMs: this.setup.options.clock.nowMs() }, this.transport);
  }

  /** Ends the connection and the session: the cloud may forget its answers. */
  close(): void {
    if (this.session === 'open') this.send({ type: 'close', session: SESSION });
    this.leave();
  }

  /** Ends the connection; the cloud keeps the session, to be resumed. */
  leave(): void {
    if (this.link === 'closed') return;
    this.release();
    this.transport.close(1000, 'done');
  }

  private receive(bytes: Uint8Array): void {
    const receivedMs = this.setup.options.clock.nowMs();
    this.watch.heard();
    try {
      const message = decodeMessage(bytes, this.setup.options.limits);
      const session = sessionOf(message) === SESSION ? this.session : 'unknown';
      if (judgeMessage('edge', this.link, session, message) === 'accept') {
        this.take(message, receivedMs, bytes.byteLength);
      }
    } catch (error) {
      const fault = KerfError.from(error, 'INTERNAL', `a message could not be handled: ${messageOf(error)}`);
      this.end(fault.code, fault.message);
    }
  }

  private take(message: Message, receivedMs: number, bytes: number): void {
    switch (message.type) {
      case 'welcome':
        return this.welcomed(message.maxMessageBytes);
      case 'opened':
        return this.opened(message);
      case 'result':
        return this.answered(
          { message, receivedMs, bytes, wayDown: this.clocks.wayDown(message, receivedMs) },
          message.frame,
        );
      case 'fault':
        if (message.frame !== null && message.session !== null) {
          return this.answered({ message, receivedMs, bytes, wayDown: null }, message.frame);
        }
        return this.end(message.code, message.message, message.retryAfterMs);
      case 'credit':
        this.credits?.grant(message.credits);
        return this.events.onCredit();
      case 'goaway':
        return this.events.onGoAway(message);
      case 'ping':
        return this.send({ type: 'pong', nonce: message.nonce });
      case 'pong':
        return this.ponged(message, receivedMs);
      case 'probed':
        return this.probes.answered(message.nonce, receivedMs);
      case 'hello':
      case 'open':
      case 'frame':
      case 'cancel':
      case 'close':
      case 'probe':
        throw new KerfError('MESSAGE_UNEXPECTED', `the edge cannot take '${message.type}'`);
    }
  }

  private welcomed(maxMessageBytes: number): void {
    this.link = 'ready';
    this.maxMessageBytes = maxMessageBytes;
    this.events.onGreeted();
  }

  private opened(opened: Opened): void {
    this.session = 'open';
    this.cancelTimeout();
    const outstanding = new Set(this.outstanding);
    this.credits = new CreditGate(
      opened.credits,
      opened.known.filter((frame) => outstanding.has(frame)),
    );
    this.events.onOpened(opened);
  }

  private answered(arrival: Arrival<Result | Fault>, frame: number): void {
    this.credits?.answered(frame, arrival.message.credits);
    this.clocks.answered(frame);
    const { message, receivedMs } = arrival;
    this.uplink.answered(frame, message.type === 'result' ? message.spans.totalMs : 0, receivedMs);
    this.events.onAnswer(arrival);
    if (this.credits?.idle === true) this.events.onIdle();
  }

  private ponged(pong: Pong, receivedMs: number): void {
    if (pong.nonce === ASKING_NONCE) {
      this.uplink.told(receivedMs);
      return this.events.onCredit();
    }
    const sentMs = this.watch.onPong(pong.nonce);
    if (sentMs === null) return;
    this.clocks.ponged(pong, sentMs, receivedMs);
    this.uplink.onRoundTrip(receivedMs - sentMs);
  }

  private closed({ code, reason }: TransportClose): void {
    const said = reason === '' ? `code ${code}` : `code ${code}: ${reason}`;
    this.end('LINK_LOST', `the connection to the cloud ended (${said})`);
  }

  private end(code: ErrorCode, message: string, retryAfterMs: number | null = null): void {
    if (this.link === 'closed') return;
    this.release();
    this.transport.close(code === 'LINK_LOST' ? 1001 : 1002, code);
    this.events.onEnd({ code, message, retryAfterMs });
  }

  private release(): void {
    this.link = 'closed';
    this.session = 'closed';
    this.cancelTimeout();
    this.watch.stop();
    this.probes.close();
  }
}
