// Keeps a connection to the cloud: connects, opens the model, and connects again after whatever ends it.
import {
  type CertificateCause,
  CODEC_VERSION,
  type ErrorCode,
  type GoAway,
  KerfError,
  messageOf,
  type Open,
  type Opened,
  type Transport,
  whyOfError,
} from '@kerf/protocol';
import type { EdgeSessionOptions } from '../session/options.ts';
import type { SessionStatus } from '../session/status.ts';
import { type ConnectionEvents, LinkConnection, type LinkEnd, SESSION } from './link-connection.ts';
import { type CloudAddress, reachCloud } from './reach-cloud.ts';
import { RetryPace } from './retry-pace.ts';

/** The cloud that a session uses. */
export interface CloudTarget extends CloudAddress {
  /** Model id: the folder's path below the cloud's models folder. */
  readonly model: string;
  /** Asked at each connect, and once more when the cloud says that the token has expired. Null without authentication. */
  readonly token: CloudAddress['token'];
}

/** Which of the models of a name. */
type Wanted = Pick<Open, 'pair' | 'identity'>;

export interface LinkEvents extends Pick<ConnectionEvents, 'onAnswer' | 'onCredit' | 'onRoundTrip'> {
  /** Frames that were sent and have no outcome. */
  outstanding(): number[];
  /** @throws {KerfError} PAIR_MISMATCH when the cloud opened something else. */
  onOpened(opened: Opened): void;
  /** The connection is gone, or could not be made; `lasting` when trying again does not help by itself. */
  onAway(end: LinkEnd, lasting: boolean): void;
  onStatus(status: SessionStatus): void;
}

/**
 * Codes that the next attempt will meet again unless somebody changes something. Nobody tells the device when: it may be a login page
 * of the network that goes by itself, another replica behind the same address, or a token that is written a second later.
 */
const LASTING = new Set<ErrorCode>([
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'FORBIDDEN',
  'TLS_UNTRUSTED',
  'VERSION_UNSUPPORTED',
  'MODEL_NOT_FOUND',
  'MODEL_MALFORMED',
  'MODEL_UNSUPPORTED',
  'MODEL_TOO_LARGE',
  'EXTERNAL_DATA',
  'PAIR_MISMATCH',
  'MANIFEST_INVALID',
  'INVALID_ARGUMENT',
  'BACKEND_UNAVAILABLE',
]);

/** An attempt that took too long gets twice the time at the next, so often: where a round trip takes seconds, handshakes take many. */
const MOST_DOUBLINGS = 2;
const MAX_TIMER_MS = 2 ** 31 - 1;

export class CloudLink {
  private readonly target: CloudTarget;
  private readonly wanted: Wanted;
  private readonly options: EdgeSessionOptions;
  private readonly events: LinkEvents;
  private readonly pace: RetryPace;
  private connection: LinkConnection | null = null;
  private draining = false;
  private closed = false;
  /** Attempts in a row that took too long. */
  private timeouts = 0;
  private tokenRenewed = false;
  private resumeKey: string | null = null;
  private attempt: AbortController | null = null;
  private cancelTimer: (() => void) | null = null;

  constructor(target: CloudTarget, wanted: Wanted, options: EdgeSessionOptions, events: LinkEvents) {
    this.target = target;
    this.wanted = wanted;
    this.options = options;
    this.events = events;
    this.pace = new RetryPace(options, options.random);
  }

  start(): void {
    void this.connect();
  }

  /** True when a frame may be sent now. */
  get canSend(): boolean {
    return this.isOpen && this.connection?.credits?.open === true && this.inFlight < this.options.maxInFlightFrames;
  }

  get isOpen(): boolean {
    return !this.draining && this.connection?.ready === true;
  }

  get maxMessageBytes(): number {
    return this.connection?.maxMessageBytes ?? 0;
  }

  get roundTripMs(): number | null {
    return this.connection?.roundTripMs ?? null;
  }

  get inFlight(): number {
    return this.connection?.credits?.inFlightCount ?? 0;
  }

  sendFrame(frame: number, bytes: Uint8Array): void {
    this.connection?.sendFrame(frame, bytes);
  }

  /** Times filler up and down on the connection; null when there is none, or it ended. */
  probe(upBytes: number, downBytes: number): Promise<number | null> {
    return this.connection?.probe(upBytes, downBytes) ?? Promise.resolve(null);
  }

  /** Tells the cloud that an answer is no longer wanted, where one is still to come. */
  cancelFrame(frame: number): void {
    if (this.connection?.ready === true && this.connection.credits?.has(frame) === true)
      this.connection.send({ type: 'cancel', session: SESSION, frame });
  }

  close(): void {
    this.closed = true;
    this.cancelTimer?.();
    this.attempt?.abort();
    this.connection?.close();
    this.connection = null;
  }

  private async connect(): Promise<void> {
    const { clock } = this.options;
    const wantedMs = this.options.connectTimeoutMs * 2 ** Math.min(this.timeouts, MOST_DOUBLINGS);
    const allowedMs = Math.min(wantedMs, MAX_TIMER_MS);
    const attempt = new AbortController();
    this.attempt = attempt;
    this.events.onStatus({ kind: 'connecting', attempt: this.pace.failures });
    const startMs = clock.nowMs();
    const cancelTimeout = clock.after(allowedMs, () =>
      attempt.abort(new KerfError('HANDSHAKE_TIMEOUT', `no connection to the cloud within ${allowedMs} ms`)),
    );
    try {
      const { token, transport } = await reachCloud(this.target, attempt.signal);
      const leftMs = Math.max(1, allowedMs - (clock.nowMs() - startMs));
      this.adopt(transport, token, leftMs);
    } catch (error) {
      const reason = attempt.signal.aborted ? attempt.signal.reason : error;
      const fault = KerfError.from(reason, 'LINK_LOST', `no connection to the cloud: ${messageOf(reason)}`);
      const { code, message } = fault;
      const cause = whyOfError<CertificateCause>(fault);
      this.lost({ code, message, retryAfterMs: null, cause }, fault.details['unheard'] === true);
    } finally {
      cancelTimeout();
    }
  }

  private adopt(transport: Transport, token: string | null, welcomeTimeoutMs: number): void {
    if (this.closed) return transport.close(1000, 'done');
    const key = this.resumeKey;
    const resume = key === null ? null : { key, outstanding: this.events.outstanding() };
    const open = { model: this.target.model, ...this.wanted, resume, losslessVersion: CODEC_VERSION };
    const setup = { options: this.options, token, open };
    const connection: LinkConnection = new LinkConnection(transport, setup, {
      onOpened: (opened) => this.onOpened(opened, resume !== null),
      onAnswer: (arrival) => {
        if (arrival.message.type === 'result') this.pace.answered();
        this.events.onAnswer(arrival);
        this.events.onCredit();
      },
      onCredit: () => this.events.onCredit(),
      onRoundTrip: (roundTripMs) => this.events.onRoundTrip(roundTripMs),
      onGoAway: (goAway) => this.onGoAway(goAway),
      onIdle: () => this.draining && this.leave(),
      onEnd: (end) => {
        if (this.connection === connection) this.lost(end);
      },
    });
    this.connection = connection;
    connection.start(welcomeTimeoutMs);
  }

  private onOpened(opened: Opened, resumed: boolean): void {
    this.events.onOpened(opened);
    this.resumeKey = opened.resumeKey;
    this.pace.opened(this.options.clock.nowMs());
    this.tokenRenewed = false;
    this.timeouts = 0;
    this.events.onStatus({ kind: 'connected', resumed, credits: opened.credits });
    this.events.onCredit();
  }

  /** Sends nothing more, waits for the answers under way, then connects again. */
  private onGoAway({ graceMs, reason }: GoAway): void {
    if (this.draining) return;
    this.draining = true;
    this.events.onStatus({ kind: 'draining', graceMs, reason });
    if (this.connection?.credits?.idle !== false) return this.leave();
    this.cancelTimer = this.options.clock.after(Math.min(graceMs, MAX_TIMER_MS), () => this.leave());
  }

  private leave(): void {
    const { connection } = this;
    this.cancelTimer?.();
    this.connection = null;
    connection?.leave();
    this.lost({ code: 'DRAINING', message: 'the cloud is going away; connecting again', retryAfterMs: null });
  }

  private lost(end: LinkEnd, unheard = false): void {
    this.cancelTimer?.();
    this.connection = null;
    this.attempt = null;
    this.draining = false;
    if (this.closed) return;
    const { clock, faultRetryMs, backoffMaxMs } = this.options;
    const lasting = LASTING.has(end.code) && !this.mayRenewToken(end.code);
    const tookTooLong = end.code === 'HANDSHAKE_TIMEOUT';
    if (tookTooLong) this.timeouts++;
    const isUnheard = unheard || tookTooLong;
    const { retryAfterMs } = end;
    const attemptEnd = { isUnheard, retryAfterMs, maxMs: lasting ? faultRetryMs : backoffMaxMs };
    const delayMs = this.pace.next(attemptEnd, clock.nowMs());
    this.cancelTimer = clock.after(delayMs, () => void this.connect());
    const { code, message, cause = null } = end;
    this.events.onStatus(
      lasting
        ? { kind: 'faulted', code, message, retryInMs: delayMs, cause }
        : { kind: 'reconnecting', delayMs, code, message },
    );
    this.events.onAway(end, lasting);
  }

  /** A token that has expired is asked for once more before it counts as a lasting fault. */
  private mayRenewToken(code: ErrorCode): boolean {
    if (code !== 'TOKEN_EXPIRED' || typeof this.target.token !== 'function' || this.tokenRenewed) return false;
    this.tokenRenewed = true;
    return true;
  }
}
