// The transition table, every cell of it.
import { describe, expect, it } from 'vitest';
import { KerfError } from '../src/errors.ts';
import { MESSAGE_TYPES, type Message, type MessageType } from '../src/messages.ts';
import { judgeMessage, type LinkState, type Role, type SessionState, sessionOf } from '../src/session-state.ts';

const LINKS: LinkState[] = ['greeting', 'ready', 'closed'];
const SESSIONS: SessionState[] = ['unknown', 'opening', 'open', 'closed'];
const TYPES = Object.keys(MESSAGE_TYPES) as MessageType[];
const WITHOUT_SESSION = new Set<MessageType>(['hello', 'welcome', 'goaway', 'ping', 'pong', 'probe', 'probed']);

const messageOf = (type: MessageType): Message =>
  ({ type, ...(WITHOUT_SESSION.has(type) ? {} : { session: 1 }) }) as unknown as Message;

/** All that is legal, as `role link session type`; `*` where the session does not matter. Everything else is refused. */
const ACCEPTED = new Set([
  'cloud greeting * hello',
  'cloud ready unknown open',
  'cloud ready open frame',
  'cloud ready open cancel',
  'cloud ready opening close',
  'cloud ready open close',
  'cloud ready * ping',
  'cloud ready * pong',
  'cloud ready * probe',
  'edge greeting * welcome',
  'edge ready opening opened',
  'edge ready open result',
  'edge greeting opening fault',
  'edge greeting open fault',
  'edge ready opening fault',
  'edge ready open fault',
  'edge ready open credit',
  'edge greeting * goaway',
  'edge ready * goaway',
  'edge ready * ping',
  'edge ready * pong',
  'edge ready * probed',
]);
const IGNORED = new Set([
  'cloud ready closed frame',
  'cloud ready closed cancel',
  'cloud ready closed close',
  'edge ready closed opened',
  'edge ready closed result',
  'edge greeting closed fault',
  'edge ready closed fault',
  'edge ready closed credit',
]);

describe('transition table', () => {
  for (const role of ['edge', 'cloud'] satisfies Role[]) {
    it(`is exact for the ${role}`, () => {
      for (const link of LINKS) {
        for (const session of SESSIONS) {
          for (const type of TYPES) {
            const cell = `${role} ${link} ${WITHOUT_SESSION.has(type) ? '*' : session} ${type}`;
            const expected =
              link === 'closed'
                ? 'ignore'
                : ACCEPTED.has(cell)
                  ? 'accept'
                  : IGNORED.has(cell)
                    ? 'ignore'
                    : 'MESSAGE_UNEXPECTED';
            expect(outcome(role, link, session, type), cell).toBe(expected);
          }
        }
      }
    });
  }

  it('takes a fault of the link whatever the sessions do', () => {
    const fault: Message = {
      type: 'fault',
      session: null,
      frame: null,
      code: 'DRAINING',
      message: '',
      retryAfterMs: null,
      credits: 0,
    };
    expect(sessionOf(fault)).toBeNull();
    for (const session of SESSIONS) expect(judgeMessage('edge', 'greeting', session, fault)).toBe('accept');
  });
});

function outcome(role: Role, link: LinkState, session: SessionState, type: MessageType): string {
  try {
    return judgeMessage(role, link, session, messageOf(type));
  } catch (error) {
    return KerfError.is(error) ? error.code : String(error);
  }
}
