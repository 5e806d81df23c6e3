// Keeps a connection to the cloud: connects, opens the model, and connects again after whatever ends it.
import { CODEC_VERSION, type ErrorCode, type GoAway, type Open, type Opened, type Transport } from '@kerf/protocol';
import type { EdgeSessionOptions } from '../session/options.ts';
import type { SessionStatus } from '../session/status.ts';
import { ConnectRace, type GreetingEvents } from './connect-race.ts';
import { type ConnectionEvents, LinkConnection, type LinkEnd, SESSION } from './link-connection.ts';
import type { CloudAddress } from './reach-cloud.ts';
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

/** Attempts that took too long get twice the time at the next, so often: where a round trip takes seconds, handshakes take many. */
const MOST_DOUBLINGS = 2;
/** The rest is for the cloud's run and for what the estimate is off. */
const SHARE_OF_TIME_LEFT = 0.8;
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
  /** How often in a row connecting took too long. */
  private timeouts = 0;
  private tokenRenewed = false;
  private resumeKey: string | null = null;
  private isResuming = false;
  private race: ConnectRace | null = null;
  /** When a connection that is in doubt may be raced again. */
  private nextRaceMs = Number.NEGATIVE_INFINITY;
  private lastRoundTripMs: number | null = null;
  private cancelTimer: (() => void) | null = null;

  constructor(target: CloudTarget, wanted: Wanted, options: EdgeSessionOptions, events: LinkEvents) {
    this.target = target;
    this.wanted = wanted;
    this.options = options;
    this.events = events;
    this.pace = new RetryPace(options, options.random);
  }

  start(): void {
    this.connect();
  }

  /** True when a frame may be sent now. */
  get canSend(): boolean {
    return this.isOpen && this.connection?.credits?.open === true && this.inFlight < this.options.maxInFlightFrames;
  }

  /** True when all that was sent has arrived. */
  get isIdle(): boolean {
    return this.connection?.isUplinkIdle ?? true;
  }

  /** True when a frame like the last one, sent now, is likely to be there with time for its answer. */
  canMeet(remainingMs: number): boolean {
    const expectedMs = this.connection?.expectedMs ?? 0;
    return expectedMs <= remainingMs * SHARE_OF_TIME_LEFT;
  }

  /** Frames wait for what was sent to arrive: asks for a sign of it. */
  askUplink(): void {
    this.connection?.askUplink(true);
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
    this.race?.stop();
    this.connection?.close();
    this.connection = null;
  }

  private connect(): void {
    this.events.onStatus({ kind: 'connecting', attempt: this.pace.failures });
    this.beginRace();
  }

  private beginRace(): void {
    const { clock, connectTimeoutMs } = this.options;
    const wantedMs = connectTimeoutMs * 2 ** Math.min(this.timeouts, MOST_DOUBLINGS);
    this.race = new ConnectRace(
      this.target,
      {
        clock,
        connectTimeoutMs,
        limitMs: Math.min(wantedMs, MAX_TIMER_MS),
        roundTripMs: this.lastRoundTripMs,
      },
      {
        connect: ({ transport, token }, greeting) => this.connectionOver(transport, token, greeting),
        onGreeted: (connection) => this.greeted(connection),
        onFailed: (end, isUnheard) => this.raceFailed(end, isUnheard),
      },
    );
  }

  private connectionOver(transport: Transport, token: string | null, greeting: GreetingEvents): LinkConnection {
    const connection: LinkConnection = new LinkConnection(
      transport,
      { options: this.options, token },
      {
        onGreeted: () => greeting.onGreeted(),
        onOpened: (opened) => this.onOpened(opened),
        onAnswer: (arrival) => {
          if (arrival.message.type === 'result') this.pace.answered();
          this.events.onAnswer(arrival);
          this.events.onCredit();
        },
        onCredit: () => this.events.onCredit(),
        onRoundTrip: (roundTripMs) => {
          this.lastRoundTripMs = connection.roundTripMs;
          this.events.onRoundTrip(roundTripMs);
        },
        onDoubt: () => this.onDoubt(connection),
        onTrust: () => this.onTrust(connection),
        onGoAway: (goAway) => this.onGoAway(goAway),
        onIdle: () => this.draining && this.leave(),
        onEnd: (end) => {
          if (this.connection === connection) this.connectionEnded(end);
          else greeting.onEnd(end);
        },
      },
    );
    return connection;
  }

  /** The connection owes a sign: whether the cloud can be reached otherwise is tried beside it. The first of them that is heard counts. */
  private onDoubt(connection: LinkConnection): void {
    const isTime = this.options.clock.nowMs() >= this.nextRaceMs;
    if (this.connection === connection && this.race === null && !this.draining && isTime) this.beginRace();
  }

  private onTrust(connection: LinkConnection): void {
    if (this.connection !== connection) return;
    this.race?.stop();
    this.race = null;
  }

  private greeted(connection: LinkConnection): void {
    const silent = this.connection;
    this.race = null;
    if (silent !== null) {
      const message = 'the connection went silent; another one is through';
      this.goOnWithout({ code: 'LINK_LOST', message, retryAfterMs: null });
      silent.leave();
    }
    this.adopt(connection);
  }

  private raceFailed(end: LinkEnd, isUnheard: boolean): void {
    this.race = null;
    if (this.connection === null) this.lost(end, isUnheard);
    else this.nextRaceMs = this.options.clock.nowMs() + this.options.connectTimeoutMs / 2;
  }

  private connectionEnded(end: LinkEnd): void {
    if (this.race === null) this.lost(end);
    else this.goOnWithout(end);
  }

  /** Another attempt is under way, or through. */
  private goOnWithout(end: LinkEnd): void {
    this.connection = null;
    this.events.onStatus({ kind: 'reconnecting', delayMs: 0, code: end.code, message: end.message });
    this.events.onAway(end, false);
  }

  private adopt(connection: LinkConnection): void {
    this.connection = connection;
    const key = this.resumeKey;
    this.isResuming = key !== null;
    const resume = key === null ? null : { key, outstanding: this.events.outstanding() };
    connection.open({ model: this.target.model, ...this.wanted, resume, losslessVersion: CODEC_VERSION });
  }

  private onOpened(opened: Opened): void {
    this.events.onOpened(opened);
    this.resumeKey = opened.resumeKey;
    this.pace.opened(this.options.clock.nowMs());
    this.tokenRenewed = false;
    this.timeouts = 0;
    this.events.onStatus({ kind: 'connected', resumed: this.isResuming, credits: opened.credits });
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
    this.cancelTimer = clock.after(delayMs, () => this.connect());
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
