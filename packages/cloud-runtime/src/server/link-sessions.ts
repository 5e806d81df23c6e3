// `open` and `close` of one link -> its sessions: found again or made, attached, and kept or closed when the link ends.
import { coversModel, type Grant } from '@kerf/access';
import {
  CODEC_VERSION,
  type ErrorCode,
  type Fault,
  KerfError,
  type Message,
  type Open,
  type SessionState,
} from '@kerf/protocol';
import type { CloudSession, SessionLink } from '../session/cloud-session.ts';
import type { LinkContext } from './link-context.ts';

interface Entry {
  state: SessionState;
  session: CloudSession | null;
}

/** What the sessions need of their link. */
export interface SessionsLink {
  /** As sessions see it. */
  readonly link: SessionLink;
  /** Null before the token was checked. */
  grant(): Grant | null;
  isClosed(): boolean;
  /** Set when nothing new is opened any more. */
  leaving(): ErrorCode | null;
  send(message: Message): void;
  sendFault(error: KerfError, at: Pick<Fault, 'session' | 'frame'>): void;
}

/** Session numbers are never used again on a link; one that opens more has to connect anew. */
const MAX_SESSION_NUMBERS = 4096;

export class LinkSessions {
  readonly #entries = new Map<number, Entry>();
  readonly #context: LinkContext;
  readonly #link: SessionsLink;

  constructor(context: LinkContext, link: SessionsLink) {
    this.#context = context;
    this.#link = link;
  }

  /** Frames whose answer is still to come. */
  get pending(): number {
    let count = 0;
    for (const { session } of this.#entries.values()) count += session?.pending ?? 0;
    return count;
  }

  stateOf(number: number): SessionState {
    return this.#entries.get(number)?.state ?? 'unknown';
  }

  /** Null where there is none, or it is not open. */
  get(number: number): CloudSession | null {
    return this.#entries.get(number)?.session ?? null;
  }

  /** @throws {KerfError} OVERLOADED for a link that has opened too many. */
  open(open: Open): void {
    if (this.#entries.size >= MAX_SESSION_NUMBERS) {
      throw new KerfError('OVERLOADED', 'this link has opened too many sessions; connect again');
    }
    const inUse = [...this.#entries.values()].filter(({ state }) => state === 'opening' || state === 'open').length;
    const entry: Entry = { state: 'opening', session: null };
    this.#entries.set(open.session, entry);
    const opening =
      inUse >= this.#context.limits.maxSessionsPerLink
        ? Promise.reject(new KerfError('OVERLOADED', 'this link has too many sessions; close one'))
        : this.#sessionFor(open);
    opening.then(
      (session) => this.#opened(open, entry, session),
      (error: unknown) => this.#refuse(open, entry, KerfError.from(error, 'INTERNAL', 'the model could not be opened')),
    );
  }

  close(number: number): void {
    const entry = this.#entries.get(number);
    if (entry !== undefined) this.#closeEntry(entry);
  }

  closeAll(): void {
    for (const entry of this.#entries.values()) this.#closeEntry(entry);
  }

  /** Another link has resumed it. */
  takenOver(number: number): void {
    this.#entries.set(number, { state: 'closed', session: null });
  }

  /** The session is over although the link goes on. */
  ended(number: number, error: KerfError): void {
    this.#entries.set(number, { state: 'closed', session: null });
    this.#link.sendFault(error, { session: number, frame: null });
  }

  /** The link has ended: who comes back finds its session again. */
  keepAll(): void {
    for (const entry of this.#entries.values()) {
      const { session } = entry;
      entry.session = null;
      if (session === null) continue;
      session.detach(this.#link.link);
      if (!session.isAttached) this.#context.sessions.keep(session);
    }
  }

  #closeEntry(entry: Entry): void {
    if (entry.session !== null) this.#context.sessions.close(entry.session);
    entry.state = 'closed';
    entry.session = null;
  }

  /** @throws {KerfError} why the session cannot be had. */
  async #sessionFor(open: Open): Promise<CloudSession> {
    const { pool, sessions, isDraining } = this.#context;
    const grant = this.#link.grant();
    const leaving = this.#link.leaving();
    if (isDraining()) throw new KerfError('DRAINING', 'the cloud is going away; connect again');
    if (leaving !== null) throw new KerfError(leaving, 'this link opens nothing more; connect again');
    // Before anything is looked up: whether the model exists is nobody's business who may not use it.
    if (grant === null || !coversModel(grant.models, open.model)) {
      throw new KerfError('FORBIDDEN', 'the token does not cover this model; get one whose models claim does');
    }
    const owner = { subject: grant.subject, losslessAnswers: open.losslessVersion === CODEC_VERSION };
    if (open.resume !== null) {
      const earlier = sessions.find(open.resume.key, owner, open.model, open.pair);
      if (earlier !== null) return earlier;
    }
    const lease = await pool.acquire(open.model, open.pair, open.identity ?? null);
    try {
      return sessions.create(owner, lease);
    } catch (error) {
      lease.letGo();
      throw error;
    }
  }

  #opened(open: Open, entry: Entry, session: CloudSession): void {
    const { limits, sessions, log } = this.#context;
    if (this.#link.isClosed() || entry.state === 'closed') {
      // The edge went away, or closed the session, while the model was loading.
      if (entry.state === 'closed') sessions.close(session);
      else sessions.keep(session);
      return;
    }
    const known = session.attach(this.#link.link, open.session, open.resume?.outstanding ?? []);
    entry.state = 'open';
    entry.session = session;
    const { specs, identity } = session.lease;
    const { inputs, outputs } = specs;
    this.#link.send({
      type: 'opened',
      session: open.session,
      credits: limits.credits,
      inputs,
      outputs,
      resumeKey: session.key,
      resumeWindowMs: limits.resumeWindowMs,
      known,
      ...(identity === null ? {} : { identity }),
    });
    log({ level: 'info', event: 'session-opened', model: open.model, subject: session.subject, known: known.length });
    session.resend();
  }

  #refuse(open: Open, entry: Entry, error: KerfError): void {
    const wasClosed = entry.state === 'closed';
    entry.state = 'closed';
    if (!wasClosed) this.#link.sendFault(error, { session: open.session, frame: null });
  }
}
