// The seam to cameras, folders and uploads: whatever makes captures.
import type { ErrorCode } from '@kerf/protocol';
import type { SourceCause } from '../cause/station-cause.ts';
import type { Capture } from './capture.ts';
import type { TriggerRequest } from './trigger.ts';

export type SourceState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  /** It heals itself: the next attempt comes after `retryInMs`. */
  | {
      readonly kind: 'lost';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryInMs: number;
      /** Absent where somebody else's words are all there is. */
      readonly cause?: SourceCause;
    }
  /** A folder or a file that has been read to its end. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'stopped' };

export interface SourceCounters {
  /** Pictures that the device delivered, whatever became of them: `seen + missed` is what the next three add up to. */
  readonly seen: number;
  /** Handed to the station, with a picture or without, or about to be. */
  readonly captured: number;
  /** Lost before the station had them: overwritten by a later one, cut off, gone before they were read. */
  readonly dropped: number;
  /** Came while nobody had asked for one: only where there is a trigger. */
  readonly skipped: number;
  /** Triggers that no picture followed in time; each became a capture without a picture. */
  readonly missed: number;
  /**
   * Pictures, among the skipped, that came after their trigger had been given up; for uploads, results that came after the
   * sender had stopped waiting.
   */
  readonly late: number;
  /** Equal to the one before, byte for byte. */
  readonly repeated: number;
  /** Could not be read; each became a capture without a picture. */
  readonly unreadable: number;
  /** Times the source was lost and came back. */
  readonly recoveries: number;
}

export interface SourceHandler {
  /**
   * Takes a capture. The promise resolves when the station has room for the next one: a source that can wait (a folder)
   * waits for it, one that cannot (a camera) keeps the latest picture and counts what it drops.
   */
  onCapture(capture: Capture): Promise<void>;
  onState(state: SourceState): void;
}

/** One camera, folder, file or upload door. */
export interface Source {
  readonly name: string;
  /** Starts, once. Never throws for what may heal: that is a state. @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND. */
  start(handler: SourceHandler): Promise<void>;
  /**
   * Asks for one picture; only where the source was made with a trigger. One capture follows: when no picture comes in
   * time, it is one without a picture.
   * @throws {KerfError} OVERLOADED when too many triggers wait for their picture, INVALID_ARGUMENT for a source that runs free.
   */
  trigger(request: TriggerRequest): void;
  readonly counters: SourceCounters;
  /** Ends it; no capture comes afterwards. */
  stop(): Promise<void>;
}
