// What is asked of a trial's process and what it says, over Node's own channel. One question at a time.
import type { GoldenReport, ReleaseManifest } from '@kerf/delta-sync';
import type { PartAnswer, StationFile } from '@kerf/edge-runtime/node';
import type { FailedMessage } from '../../failed-message.ts';

/** `folder`: the slot that holds the release. */
export interface GoldenQuestion {
  readonly kind: 'golden';
  readonly folder: string;
  readonly manifest: ReleaseManifest;
}

/** Before the first `judge`. */
export interface OpenQuestion {
  readonly kind: 'open';
  readonly file: StationFile;
}

/** A picture as `PartJudge.judge` takes it. */
export interface JudgeQuestion {
  readonly kind: 'judge';
  readonly picture: Uint8Array;
}

export type TrialQuestion = GoldenQuestion | OpenQuestion | JudgeQuestion;

export interface TrialAnswers {
  /** Null: the release has no golden samples. */
  readonly golden: GoldenReport | null;
  /** Hex SHA-256 of the model's file. */
  readonly open: string;
  readonly judge: PartAnswer;
}

export type TrialMessage =
  /** It is getting on. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'answer'; readonly value: TrialAnswers[TrialQuestion['kind']] }
  | FailedMessage;
