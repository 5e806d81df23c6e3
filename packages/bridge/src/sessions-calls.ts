// The calls of the screen Sessions: record, replay, compare. A part of the one contract.
import * as v from 'valibot';
import type { ComparedPart, Comparison, SessionsView } from './sessions-views.ts';
import type { Role } from './views.ts';

const nothing = v.strictObject({});
/** A file in the folder of sessions, and nothing else. */
const name = v.pipe(v.string(), v.regex(/^[\p{L}\p{M}\p{N}_-][\p{L}\p{M}\p{N}_.-]{0,150}\.mcap$/u));
/** Most pairs of one answer. */
export const MAX_PAIRS = 500;

export const SESSIONS_CALLS = {
  'sessions.view': { role: 'viewer', params: nothing },
  'sessions.start': { role: 'engineer', params: nothing },
  'sessions.stop': { role: 'engineer', params: nothing },
  /** Judges the session's parts again, by this station's model, into a session of its own. */
  'sessions.replay': {
    role: 'engineer',
    params: v.strictObject({ session: name, judgeBy: v.picklist(['recorded', 'station']) }),
  },
  'sessions.cancel': { role: 'engineer', params: nothing },
  /** Pairs of the same part, those with changed verdicts first. */
  'sessions.compare': {
    role: 'viewer',
    params: v.strictObject({
      left: name,
      right: name,
      offset: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)),
      limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PAIRS)),
    }),
  },
  'sessions.part': {
    role: 'viewer',
    params: v.strictObject({ session: name, resultId: v.pipe(v.string(), v.minLength(1), v.maxLength(400)) }),
  },
} as const satisfies Record<string, { role: Role; params: v.GenericSchema }>;

export interface SessionsResults {
  'sessions.view': SessionsView;
  'sessions.start': SessionsView;
  'sessions.stop': SessionsView;
  'sessions.replay': SessionsView;
  'sessions.cancel': SessionsView;
  'sessions.compare': Comparison;
  'sessions.part': ComparedPart | null;
}

export interface SessionsTopics {
  /** When recording or replaying begins, goes on or ends. */
  sessions: SessionsView;
}
