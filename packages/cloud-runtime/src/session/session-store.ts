// Sessions by their resume keys: made, found again after a lost link, forgotten when their time is over.
import { randomBytes } from 'node:crypto';
import { KerfError } from '@kerf/protocol';
import type { ModelLease } from '../models/model-pool.ts';
import type { ModelRunner } from '../models/model-runner.ts';
import { CloudSession, type SessionContext, type SessionOwner } from './cloud-session.ts';

export type StoreContext = Omit<SessionContext, 'onKept'>;

/** 192 bits: a key cannot be guessed, and it is of use only with a token of the same subject. */
const KEY_BYTES = 24;

export class SessionStore {
  readonly #context: SessionContext;
  readonly #sessions = new Map<string, CloudSession>();
  /** Ends of waiting, for sessions without a link. */
  readonly #waiting = new Map<CloudSession, () => void>();
  #keptBytes = 0;

  constructor(context: StoreContext) {
    this.#context = { ...context, onKept: (_session, bytes) => this.#kept(bytes) };
  }

  get size(): number {
    return this.#sessions.size;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** A session of its own. @throws {KerfError} OVERLOADED when there are too many. */
  create(owner: SessionOwner, lease: ModelLease): CloudSession {
    const { maxSessions } = this.#context.limits;
    if (this.#sessions.size >= maxSessions) this.#evictOneWaiting();
    if (this.#sessions.size >= maxSessions) {
      throw new KerfError('OVERLOADED', 'the cloud has as many sessions as it may; try again later', {
        details: { retryAfterMs: 1000 },
      });
    }
    const session = new CloudSession(randomBytes(KEY_BYTES).toString('base64url'), owner, lease, this.#context);
    this.#sessions.set(session.key, session);
    return session;
  }

  /**
   * The earlier session of a key; null when it is over, belongs to another subject or model, or has kept answers that
   * the edge may not be able to read.
   */
  find(key: string, owner: SessionOwner, model: string, pair: string | null): CloudSession | null {
    const session = this.#sessions.get(key);
    if (session === undefined || session.subject !== owner.subject) return null;
    if (session.losslessAnswers !== owner.losslessAnswers) return null;
    if (session.lease.id !== model || session.lease.pair !== pair) return null;
    this.#stopWaiting(session);
    return session;
  }

  /** The session has lost its link: it waits to be resumed. */
  keep(session: CloudSession): void {
    if (!this.#sessions.has(session.key)) return;
    const { clock, limits } = this.#context;
    if (limits.resumeWindowMs === 0) {
      this.close(session);
      return;
    }
    this.#stopWaiting(session);
    this.#waiting.set(
      session,
      clock.after(limits.resumeWindowMs, () => this.close(session)),
    );
  }

  close(session: CloudSession): void {
    this.#stopWaiting(session);
    this.#sessions.delete(session.key);
    session.close();
  }

  /** Ends the sessions of a model that was replaced: an edge opens it anew, and sends again what was not answered. */
  endReplaced(runner: ModelRunner): void {
    for (const session of this.#sessions.values()) {
      if (session.lease.runner !== runner) continue;
      session.tell(new KerfError('WORKER_LOST', 'the model was replaced in the cloud; open it again'));
      this.close(session);
    }
  }

  closeAll(): void {
    for (const session of this.#sessions.values()) this.close(session);
  }

  #stopWaiting(session: CloudSession): void {
    this.#waiting.get(session)?.();
    this.#waiting.delete(session);
  }

  #evictOneWaiting(): void {
    const oldest = this.#waiting.keys().next().value;
    if (oldest !== undefined) this.close(oldest);
  }

  /** Beyond the limit the oldest sessions lose their answers first, those without a link before the others. */
  #kept(change: number): void {
    this.#keptBytes += change;
    if (change < 0) return;
    const { maxKeptBytes } = this.#context.limits;
    if (this.#keptBytes <= maxKeptBytes) return;
    for (const session of [...this.#waiting.keys(), ...this.#sessions.values()]) {
      session.dropKept();
      if (this.#keptBytes <= maxKeptBytes) return;
    }
  }
}
