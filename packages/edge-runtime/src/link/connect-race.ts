// Attempts to reach the cloud, side by side -> the first connection on which it has greeted, or why there is none.
import { type CertificateCause, type Clock, KerfError, messageOf, whyOfError } from '@kerf/protocol';
import type { LinkConnection, LinkEnd } from './link-connection.ts';
import { type CloudAddress, reachCloud } from './reach-cloud.ts';

/** Each pause before a further attempt is so much longer than the one before. */
const GROWTH = 1.5;
/** The first pause, and the longest, as shares of the time that connecting may take. */
const FIRST_SHARE = 0.2;
const LONGEST_SHARE = 0.5;
/** TCP, TLS, the upgrade and the greeting take four round trips; one that is on its way is not joined before. */
const ROUND_TRIPS = 6;
/** The oldest, which has come farthest where the network is slow, the newest, and one between. */
const MOST_AT_ONCE = 3;

export interface RaceOptions {
  readonly clock: Clock;
  /** What one attempt is given: how long it is alone is a share of it. */
  readonly connectTimeoutMs: number;
  /** What all of them are given. */
  readonly limitMs: number;
  /** Of an earlier connection; null where none is known. */
  readonly roundTripMs: number | null;
}

/** What the race makes of a transport, and whom it tells how it went; nothing comes after either. */
export interface RaceEvents {
  connect(reached: Awaited<ReturnType<typeof reachCloud>>, on: GreetingEvents): LinkConnection;
  onGreeted(connection: LinkConnection): void;
  onFailed(end: LinkEnd, isUnheard: boolean): void;
}

export interface GreetingEvents {
  onGreeted(): void;
  /** Before it was greeted. */
  onEnd(end: LinkEnd): void;
}

interface Runner {
  readonly abort: AbortController;
  connection: LinkConnection | null;
}

/**
 * A network that swallows what is sent leaves attempts that never end, and TCP repeats what they sent ever more rarely: what comes
 * back is found by a fresh attempt, begun beside those under way so that a network that is only slow loses nothing by it.
 */
export class ConnectRace {
  readonly #address: CloudAddress;
  readonly #options: RaceOptions;
  readonly #events: RaceEvents;
  #runners: Runner[] = [];
  #pauseMs: number;
  #cancelPause: () => void = () => {};
  readonly #cancelLimit: () => void;

  /** Begins at once. */
  constructor(address: CloudAddress, options: RaceOptions, events: RaceEvents) {
    this.#address = address;
    this.#options = options;
    this.#events = events;
    const { connectTimeoutMs, roundTripMs } = options;
    const wantedMs = Math.max(connectTimeoutMs * FIRST_SHARE, ROUND_TRIPS * (roundTripMs ?? 0));
    this.#pauseMs = Math.min(wantedMs, connectTimeoutMs * LONGEST_SHARE);
    this.#cancelLimit = options.clock.after(options.limitMs, () => this.#timedOut());
    this.#begin();
  }

  /** Ends all attempts; nobody is told. */
  stop(): void {
    this.#cancelPause();
    this.#cancelLimit();
    for (const runner of this.#runners.splice(0)) end(runner);
  }

  #begin(): void {
    const { clock } = this.#options;
    if (this.#runners.length === MOST_AT_ONCE) for (const runner of this.#runners.splice(1, 1)) end(runner);
    const runner: Runner = { abort: new AbortController(), connection: null };
    this.#runners.push(runner);
    this.#cancelPause = clock.after(this.#pauseMs, () => this.#begin());
    this.#pauseMs = Math.min(this.#pauseMs * GROWTH, this.#options.connectTimeoutMs * LONGEST_SHARE);
    reachCloud(this.#address, runner.abort.signal).then(
      (reached) => this.#greet(runner, reached),
      (error: unknown) => this.#unreached(runner, error),
    );
  }

  #greet(runner: Runner, reached: Awaited<ReturnType<typeof reachCloud>>): void {
    const connection = this.#events.connect(reached, {
      onGreeted: () => this.#greeted(runner),
      onEnd: (end) => this.#failed(runner, end, false),
    });
    runner.connection = connection;
    connection.start();
  }

  #greeted(runner: Runner): void {
    const { connection } = runner;
    this.#runners = this.#runners.filter((other) => other !== runner);
    this.stop();
    if (connection !== null) this.#events.onGreeted(connection);
  }

  #unreached(runner: Runner, error: unknown): void {
    const fault = KerfError.from(error, 'LINK_LOST', `no connection to the cloud: ${messageOf(error)}`);
    const { code, message, details } = fault;
    const cause = whyOfError<CertificateCause>(fault);
    this.#failed(runner, { code, message, retryAfterMs: null, cause }, details['unheard'] === true);
  }

  /** What the cloud says itself holds for all; where the network fails one, another may be through. */
  #failed(runner: Runner, end: LinkEnd, isUnheard: boolean): void {
    if (!this.#runners.includes(runner)) return;
    this.#runners = this.#runners.filter((other) => other !== runner);
    if (this.#runners.length > 0 && end.code === 'LINK_LOST') return;
    this.stop();
    this.#events.onFailed(end, isUnheard);
  }

  #timedOut(): void {
    const isReached = this.#runners.some(({ connection }) => connection !== null);
    this.stop();
    const what = isReached ? 'the cloud did not greet' : 'no connection to the cloud';
    const message = `${what} within ${this.#options.limitMs} ms`;
    this.#events.onFailed({ code: 'HANDSHAKE_TIMEOUT', message, retryAfterMs: null }, true);
  }
}

function end({ abort, connection }: Runner): void {
  abort.abort(new KerfError('CANCELLED', 'another attempt goes on'));
  connection?.leave();
}
