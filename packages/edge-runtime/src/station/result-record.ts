// One part's result: what sinks, the outbox, the Inspector and an audit read. Names follow OPC 40100-1 where it has one.

import type { ErrorCode } from '@kerf/protocol';
import type { Rectangle } from './fit-picture.ts';

export const RESULT_FORMAT = 'kerf-result/1';

/** What the station says of a part. Having no result is never `PASS`. */
export type Verdict = 'PASS' | 'REVIEW' | 'NG' | 'NO_READ' | 'ERROR';

/** A part of the frame's time by the station's clock; all spans of a frame add up to its `totalMs`. */
export interface ResultSpan {
  readonly stage:
    | 'capture'
    | 'preprocess'
    | 'queue'
    | 'head'
    | 'encode'
    | 'send'
    | 'cloud-queue'
    | 'cloud-decode'
    | 'tail'
    | 'wait'
    | 'decode'
    | 'local'
    | 'postprocess'
    | 'decide';
  /** From the start of the frame. */
  readonly startMs: number;
  readonly durationMs: number;
  /** How far its border with the cloud's spans may be from the truth, where it comes from the offset of the two clocks. */
  readonly errorMs?: number;
}

export interface ResultBox {
  /** Pixels of the picture that was taken. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly score: number;
}

/** Where the model saw something, as runs over a small grid: [value, length, value, length, ...], row-major. */
export interface ResultMask {
  readonly width: number;
  readonly height: number;
  readonly runs: readonly number[];
  /** The part of the picture that the grid lies over, in pixels; without it, all of the picture. */
  readonly area?: Rectangle;
}

/** What exactly, with its values. Brightness and contrast are of 255, sizes in pixels. */
export type ReasonDetail =
  | { readonly kind: 'no-picture' | 'unreadable-picture' | 'repeated-picture' }
  | { readonly kind: 'picture-size'; readonly width: number; readonly height: number }
  | { readonly kind: 'too-dark' | 'too-bright'; readonly brightness: number }
  | { readonly kind: 'flat'; readonly contrast: number }
  | { readonly kind: 'no-answer'; readonly source: string; readonly waitMs: number }
  /** `error` is the system's code, such as `EACCES`. */
  | { readonly kind: 'file-unreadable'; readonly file: string; readonly error: string }
  | { readonly kind: 'file-too-large'; readonly file: string; readonly bytes: number; readonly mostBytes: number }
  | { readonly kind: 'file-no-picture'; readonly file: string }
  | { readonly kind: 'no-part-id' }
  | { readonly kind: 'unknown-part'; readonly partId: string }
  | { readonly kind: 'cloud-silent' | 'given-up' | 'no-score' | 'station-ended' }
  | { readonly kind: 'too-late'; readonly deadlineMs: number; readonly stage: ResultSpan['stage'] }
  | { readonly kind: 'unsure'; readonly label: string; readonly probability: number; readonly sureFrom: number };

export interface Reason {
  readonly code: ErrorCode;
  /** English, for logs and for screens that do not know the detail. */
  readonly message: string;
  /** Absent where somebody else's words are all there is: a runtime, the cloud, a source. */
  readonly detail?: ReasonDetail;
}

export interface ResultRecord {
  readonly format: typeof RESULT_FORMAT;
  /**
   * Unique for ever: `STATION/SOURCE/KEY` where the source names its pictures, else `STATION/RUN/FRAME`. Exactly one final
   * record of it reaches each sink.
   */
  readonly resultId: string;
  /** 0 for the first record of the id; a reconciled one has more. */
  readonly revision: number;
  readonly station: string;
  /** Counts frames of this run, from 0. */
  readonly frame: number;
  readonly partId: string | null;
  readonly source: string;
  /** Name of the file that the picture was read from; absent where it came otherwise. */
  readonly file?: string;
  readonly verdict: Verdict;
  /** Why it is not what the scores alone say: no picture, no answer in time, an unknown part. */
  readonly reason: Reason | null;
  /** True while a better answer may still come: made without the model that was to make it. OPC 40100: IsPartial. */
  readonly isPartial: boolean;
  readonly isSimulated: boolean;
  /** When the picture was taken, ISO 8601, UTC. */
  readonly takenTime: string;
  /** When this record was made, ISO 8601, UTC. */
  readonly creationTime: string;
  /** The model's release or file hash; OPC 40100: InternalRecipeId. */
  readonly release: string;
  /** Hash of thresholds and task, so that a verdict can be traced to them; OPC 40100: InternalConfigurationId. */
  readonly thresholdsVersion: string;
  /** Where it ran, and which model said so. */
  readonly placement: 'edge' | 'cloud' | 'split' | 'small' | 'none';
  /** Name of the route (`edge`, `cloud`, `cut-2`, ...). */
  readonly route: string;
  /** Why the device ran it although the cloud was to. */
  readonly fallbackReason: ErrorCode | null;
  /** The part's score, and others by name (classes). */
  readonly score: number | null;
  readonly scores: Readonly<Record<string, number>>;
  readonly boxes: readonly ResultBox[];
  readonly mask: ResultMask | null;
  /** Hex SHA-256 of the picture's bytes as they came. */
  readonly imageSha256: string | null;
  readonly spans: readonly ResultSpan[];
  /** From the moment the station had the picture to the verdict; of a reconciled record, that of the first. */
  readonly totalMs: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** W3C trace id, hex. */
  readonly traceId: string | null;
}
