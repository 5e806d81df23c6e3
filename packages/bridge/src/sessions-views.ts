// What the screen Sessions shows, as plain data.
import type { ResultRecord, Verdict } from '@kerf/edge-runtime';
import type { CauseView } from './cause-view.ts';
import type { FaultView } from './fault-view.ts';
import type { PictureView } from './views.ts';

export interface SessionView {
  readonly name: string;
  readonly bytes: number;
  /** When it was changed last, ISO 8601, UTC. */
  readonly changedAt: string;
  readonly isReplay: boolean;
}

export interface SessionsView {
  /** Null while nothing is recorded. */
  readonly recording: { readonly name: string; readonly parts: number; readonly bytes: number } | null;
  /** Since the start: parts that were not recorded while they should have been, and why the last one was not. */
  readonly missed: number;
  readonly fault: string | null;
  /** The same where the station itself found it; absent from an older station. */
  readonly cause?: CauseView | null;
  /** The newest first. */
  readonly sessions: readonly SessionView[];
  readonly replay:
    | { readonly state: 'idle' }
    | { readonly state: 'running'; readonly session: string; readonly done: number; readonly all: number }
    | {
        readonly state: 'done';
        readonly session: string;
        /** The session that the replay wrote. */
        readonly out: string;
        readonly equal: number;
        readonly changed: number;
        readonly skipped: number;
      }
    | ({ readonly state: 'failed'; readonly session: string } & FaultView);
}

export interface SidedVerdict {
  readonly resultId: string;
  readonly verdict: Verdict;
  readonly score: number | null;
}

export interface PairView {
  readonly partId: string | null;
  /** Null where that session has no such part. */
  readonly left: SidedVerdict | null;
  readonly right: SidedVerdict | null;
}

export interface Comparison {
  /** Parts that both have, and how many of them have another verdict, or the same with another score. */
  readonly both: number;
  readonly changed: number;
  readonly moved: number;
  readonly onlyLeft: number;
  readonly onlyRight: number;
  /** Why a session ends before its end; null where it does not. */
  readonly cutLeft: string | null;
  readonly cutRight: string | null;
  /** Changed verdicts first, then other scores, then parts of one session alone, then equal ones. */
  readonly pairs: readonly PairView[];
  readonly hasMore: boolean;
}

export interface ComparedPart {
  readonly record: ResultRecord;
  readonly picture: PictureView | null;
}
