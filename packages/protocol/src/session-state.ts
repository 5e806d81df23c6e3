// Which message may arrive in which state: the one table that edge and cloud share.
import { KerfError } from './errors.ts';
import type { Message, MessageType } from './messages.ts';

/** The end that receives. */
export type Role = 'edge' | 'cloud';

/** `greeting` until hello and welcome have crossed, `closed` when the transport has ended. */
export type LinkState = 'greeting' | 'ready' | 'closed';

/**
 * Of the session that the message names: `unknown` when no `open` named it, `opening` until `opened`, `closed` after
 * `close` or a fault of the session.
 */
export type SessionState = 'unknown' | 'opening' | 'open' | 'closed';

/** `ignore`: legal, but about something that has ended meanwhile. */
export type Verdict = 'accept' | 'ignore';

type SessionRule = Partial<Record<SessionState, Verdict>>;

interface Rule {
  readonly links: readonly LinkState[];
  /** Null when the message names no session. */
  readonly sessions: SessionRule | null;
}

const OPEN_ONLY: SessionRule = { open: 'accept', closed: 'ignore' };
const WHILE_GREETING: Rule = { links: ['greeting'], sessions: null };
const WHILE_READY: Rule = { links: ['ready'], sessions: null };
const ANY_TIME: Rule = { links: ['greeting', 'ready'], sessions: null };

/** A message that is not listed for a role is never legal there. */
const RULES: Record<Role, Partial<Record<MessageType, Rule>>> = {
  cloud: {
    hello: WHILE_GREETING,
    open: { links: ['ready'], sessions: { unknown: 'accept' } },
    frame: { links: ['ready'], sessions: OPEN_ONLY },
    cancel: { links: ['ready'], sessions: OPEN_ONLY },
    close: { links: ['ready'], sessions: { opening: 'accept', open: 'accept', closed: 'ignore' } },
    ping: WHILE_READY,
    pong: WHILE_READY,
    probe: WHILE_READY,
  },
  edge: {
    welcome: WHILE_GREETING,
    opened: { links: ['ready'], sessions: { opening: 'accept', closed: 'ignore' } },
    result: { links: ['ready'], sessions: OPEN_ONLY },
    fault: { links: ['greeting', 'ready'], sessions: { opening: 'accept', open: 'accept', closed: 'ignore' } },
    credit: { links: ['ready'], sessions: OPEN_ONLY },
    goaway: ANY_TIME,
    ping: WHILE_READY,
    pong: WHILE_READY,
    probed: WHILE_READY,
  },
};

/**
 * Judges a message that has arrived.
 * @param session state of the session that the message names; not looked at when it names none.
 * @throws {KerfError} MESSAGE_UNEXPECTED: the peer breaks the protocol, and the link should end.
 */
export function judgeMessage(role: Role, link: LinkState, session: SessionState, message: Message): Verdict {
  if (link === 'closed') return 'ignore';
  const rule = RULES[role][message.type];
  if (rule?.links.includes(link) !== true) throw unexpected(role, `in link state '${link}'`, message);
  if (rule.sessions === null || sessionOf(message) === null) return 'accept';
  const verdict = rule.sessions[session];
  if (verdict === undefined) throw unexpected(role, `in session state '${session}'`, message);
  return verdict;
}

/** The session that a message names, or null. */
export function sessionOf(message: Message): number | null {
  return 'session' in message ? message.session : null;
}

function unexpected(role: Role, when: string, message: Message): KerfError {
  return new KerfError('MESSAGE_UNEXPECTED', `the ${role} cannot take '${message.type}' ${when}`, {
    details: { type: message.type },
  });
}
