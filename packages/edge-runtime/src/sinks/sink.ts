// The seam to whoever gets verdicts: files, MQTT, a webhook, a PLC.
import type { Picture } from '../capture/capture.ts';
import type { Pictures } from '../station/pictures.ts';
import type { ResultRecord } from '../station/result-record.ts';

/** A record on its way to a sink, with what only some sinks want. */
export interface Delivery {
  readonly record: ResultRecord;
  /** Null where the record has none, or comes again with another revision. */
  readonly picture: OfferedPicture | null;
  /** Milliseconds since the outbox got it, by a clock that nobody sets; left out where an earlier run of the outbox got it. */
  readonly ageMs?: number;
}

export interface OfferedPicture {
  /** Null where it is no longer held. Called at most once for each delivery. */
  read(): Promise<DeliveredPicture | null>;
  /** Tells and counts that the sink keeps the record without it, for good; `message` says why. */
  leave(message: string): void;
}

export interface DeliveredPicture {
  /** As it was taken. */
  readonly original: Picture;
  /** Who works on it, away from the thread that asks. */
  readonly pictures: Pictures;
}

/**
 * Records come in the order of the frames, one at a time. A final record may follow a provisional one of the same `resultId`,
 * with a larger `revision`.
 */
export interface Sink {
  readonly name: string;
  /** False where it never reads a picture: none is held for it. @default true */
  readonly usesPictures?: boolean;
  /**
   * Resolves when the record is where a loss of power or of the link cannot undo it. A record with the `resultId` and
   * `revision` of an earlier one (it comes again after a crash) must leave no second trace.
   * @throws {KerfError} whatever went wrong; the outbox keeps the record and tries again.
   */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
