// One edge's connection: greeting, sessions, frames, and its end. Follows the transition table of the protocol.
import type { Grant } from '@kerf/access';
import {
  decodeMessage,
  type ErrorCode,
  encodeMessage,
  type Fault,
  type Hello,
  judgeMessage,
  KerfError,
  type LinkState,
  type Message,
  sessionOf,
} from '@kerf/protocol';
import type { Revocable } from '../auth/revocations.ts';
import type { SessionLink } from '../session/cloud-session.ts';
import type { LinkContext } from './link-context.ts';
import { closeCodeOf, faultMessage } from './link-faults.ts';
import { LinkSessions } from './link-sessions.ts';
import { ProbeDesk } from './probe-desk.ts';
import type { LinkTransport } from './socket-transport.ts';

export interface LinkEvents {
  onAuthenticated(): void;
  onEnd(): void;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

export class Link implements SessionLink {
  readonly #transport: LinkTransport;
  readonly #context: LinkContext;
  readonly #events: LinkEvents;
  readonly #sessions: LinkSessions;
  readonly #probes: ProbeDesk;
  readonly #timers = new Set<() => void>();
  #state: LinkState = 'greeting';
  #grant: Grant | null = null;
  #isGreeting = false;
  /** Set when the link takes nothing new and ends with the last answer. */
  #leaving: { readonly code: ErrorCode; readonly closeCode: number } | null = null;
  #lastHeardMs: number;
  #nonce = 0;

  constructor(transport: LinkTransport, context: LinkContext, events: LinkEvents) {
    this.#transport = transport;
    this.#context = context;
    this.#events = events;
    this.#lastHeardMs = context.clock.nowMs();
    this.#sessions = new LinkSessions(context, {
      link: this,
      grant: () => this.#grant,
      isClosed: () => this.#state === 'closed',
      leaving: () => this.#leaving?.code ?? null,
      send: (message) => this.#sendMessage(message),
      sendFault: (error, at) => this.#sendFault(error, at),
    });
    this.#probes = new ProbeDesk({ ...context, send: (message, onSent) => this.send(message, onSent) });
    transport.start({
      onMessage: (bytes) => this.#receive(bytes),
      onClose: ({ code }) => this.#ended(code),
    });
    this.#after(context.limits.greetingTimeoutMs, () => {
      if (this.#state === 'greeting') {
        this.#end(new KerfError('HANDSHAKE_TIMEOUT', 'no hello came in time; connect again'));
      }
    });
    this.#watchPeer();
  }

  /** Frames whose answer is still to come. */
  get pending(): number {
    return this.#sessions.pending;
  }

  send(message: Uint8Array, onSent?: () => void): void {
    if (this.#state === 'closed') {
      onSent?.();
      return;
    }
    this.#context.metrics.bytesOut.inc(message.byteLength);
    this.#transport.send(message, onSent);
    if (this.#transport.bufferedBytes <= this.#context.limits.maxBufferedBytes) return;
    this.#context.log({ level: 'warn', event: 'link-slow', subject: this.#grant?.subject ?? null });
    this.#transport.terminate();
  }

  onAnswered(): void {
    this.#leaveWhenIdle();
  }

  onTakenOver(number: number): void {
    this.#sessions.takenOver(number);
  }

  onEnded(number: number, error: KerfError): void {
    this.#sessions.ended(number, error);
    this.#leaveWhenIdle();
  }

  /** Tells the edge to go; frames in flight are answered. */
  goAway(graceMs: number, reason: string): void {
    if (this.#state === 'ready') this.#sendMessage({ type: 'goaway', graceMs, reason });
    else if (this.#state === 'greeting') this.#end(new KerfError('DRAINING', 'the cloud is going away; connect again'));
  }

  /** Ends at once, with its sessions: what a revoked token has asked for is not answered any more. */
  endRevoked(isRevoked: (grant: Revocable) => boolean): void {
    if (this.#grant === null || this.#state !== 'ready' || !isRevoked(this.#grant)) return;
    this.#sessions.closeAll();
    this.#end(new KerfError('UNAUTHENTICATED', 'the token was revoked; connect again with another'));
  }

  close(code: number, reason: string): void {
    this.#transport.close(code, reason);
  }

  terminate(): void {
    this.#transport.terminate();
  }

  #receive(bytes: Uint8Array): void {
    const { clock, wire, metrics } = this.#context;
    this.#lastHeardMs = clock.nowMs();
    metrics.bytesIn.inc(bytes.byteLength);
    if (this.#state === 'closed') return;
    try {
      const message = decodeMessage(bytes, wire);
      const number = sessionOf(message);
      const session = number === null ? null : this.#sessions.stateOf(number);
      if (judgeMessage('cloud', this.#state, session ?? 'unknown', message) === 'accept') this.#handle(message);
    } catch (error) {
      this.#end(KerfError.from(error, 'INTERNAL', 'the message could not be handled'));
    }
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'hello':
        this.#greet(message);
        break;
      case 'open':
        this.#sessions.open(message);
        break;
      case 'frame':
        if (this.#leaving === null) {
          this.#sessions.get(message.session)?.take(message, this.#lastHeardMs);
        } else {
          const { session, frame } = message;
          const { code } = this.#leaving;
          this.#sendFault(new KerfError(code, 'this link takes no more frames; connect again'), { session, frame }, 1);
        }
        break;
      case 'cancel':
        this.#sessions.get(message.session)?.cancel(message.frame);
        break;
      case 'close':
        this.#sessions.close(message.session);
        this.#leaveWhenIdle();
        break;
      case 'ping':
        this.#sendMessage({ type: 'pong', nonce: message.nonce, atMs: this.#lastHeardMs });
        break;
      case 'pong':
        // It shows that the peer is there, which is all that it was asked for.
        break;
      case 'probe':
        // One that crossed the fault with which the link began to leave is of no more use to its edge.
        if (this.#leaving === null) this.#probes.answer(message);
        break;
      case 'welcome':
      case 'opened':
      case 'result':
      case 'fault':
      case 'credit':
      case 'goaway':
      case 'probed':
        throw new KerfError('MESSAGE_UNEXPECTED', `the cloud does not take a ${message.type} message`);
    }
  }

  #greet(hello: Hello): void {
    if (this.#isGreeting) throw new KerfError('MESSAGE_UNEXPECTED', 'a second hello came; greet once');
    this.#isGreeting = true;
    this.#context.verify(hello.token).then(
      (grant) => this.#welcome(grant, hello.agent),
      (error: unknown) => this.#end(KerfError.from(error, 'INTERNAL', 'the token could not be checked')),
    );
  }

  #welcome(grant: Grant, edgeAgent: string): void {
    if (this.#state !== 'greeting') return;
    const { agent, wire, log } = this.#context;
    this.#grant = grant;
    this.#state = 'ready';
    this.#events.onAuthenticated();
    log({ level: 'info', event: 'link-ready', subject: grant.subject, agent: edgeAgent.slice(0, 200) });
    this.#sendMessage({ type: 'welcome', agent, maxMessageBytes: wire.maxMessageBytes });
    if (grant.expiresAtMs !== null) this.#watchExpiry(grant.expiresAtMs);
    if (this.#context.isDraining()) this.goAway(0, 'the cloud is going away');
  }

  #watchExpiry(expiresAtMs: number): void {
    const leftMs = expiresAtMs - this.#context.wallNowMs();
    if (leftMs > 0) {
      this.#after(Math.min(leftMs + 1, MAX_TIMER_MS), () => this.#watchExpiry(expiresAtMs));
      return;
    }
    this.#sendFault(new KerfError('TOKEN_EXPIRED', 'the token has expired; connect again with a fresh one'));
    this.#leaving = { code: 'TOKEN_EXPIRED', closeCode: closeCodeOf('TOKEN_EXPIRED') };
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (this.#leaving !== null && this.pending === 0) this.close(this.#leaving.closeCode, this.#leaving.code);
  }

  #sendMessage(message: Message): void {
    this.send(encodeMessage(message));
  }

  #sendFault(
    error: KerfError,
    at: Pick<Fault, 'session' | 'frame'> = { session: null, frame: null },
    credits = 0,
  ): void {
    const { metrics, log } = this.#context;
    if (at.frame === null) {
      metrics.faults.inc({ code: error.code });
      const { code, message } = error;
      const subject = this.#grant?.subject ?? null;
      log({ level: code === 'INTERNAL' ? 'error' : 'warn', event: 'fault', code, reason: message, subject });
    }
    this.#sendMessage(faultMessage(error, at, credits));
  }

  /** The link cannot go on. */
  #end(error: KerfError): void {
    if (this.#state === 'closed') return;
    this.#sendFault(error);
    this.close(closeCodeOf(error.code), error.code);
    // What still arrives is not looked at.
    this.#state = 'closed';
  }

  #ended(code: number): void {
    this.#state = 'closed';
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#sessions.keepAll();
    this.#context.log({ level: 'info', event: 'link-ended', subject: this.#grant?.subject ?? null, closeCode: code });
    this.#events.onEnd();
  }

  /** A peer that says nothing is asked, and dropped when it does not answer. */
  #watchPeer(): void {
    const { clock, limits } = this.#context;
    this.#after(limits.pingIntervalMs, () => {
      const silentMs = clock.nowMs() - this.#lastHeardMs;
      if (silentMs >= 3 * limits.pingIntervalMs) {
        this.#transport.terminate();
        return;
      }
      const isSilent = silentMs >= limits.pingIntervalMs * 0.9;
      if (isSilent && this.#state === 'ready') this.#sendMessage({ type: 'ping', nonce: this.#nonce++ });
      this.#watchPeer();
    });
  }

  #after(delayMs: number, task: () => void): void {
    const cancel = this.#context.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      task();
    });
    this.#timers.add(cancel);
  }
}
