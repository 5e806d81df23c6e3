// The seam to whoever gets verdicts: files, MQTT, a webhook, a PLC.
import type { ResultRecord } from '../station/result-record.ts';

/** A record on its way to a sink, with what only some sinks want. */
export interface Delivery {
  readonly record: ResultRecord;
  /**
   * The picture as it was taken and its overlay, both encoded; null where they are gone (after a restart) or were never
   * asked for. Called at most once for each delivery.
   */
  readonly pictures:
    | (() => Promise<{ readonly original: EncodedPicture; readonly overlay: EncodedPicture | null } | null>)
    | null;
}

export interface EncodedPicture {
  readonly format: 'png' | 'jpeg' | 'webp';
  readonly bytes: Uint8Array;
}

/**
 * Records come in the order of the frames, one at a time. A final record may follow a provisional one of the same `resultId`,
 * with a larger `revision`.
 */
export interface Sink {
  readonly name: string;
  /**
   * Resolves when the record is where a loss of power or of the link cannot undo it. A record with the `resultId` and
   * `revision` of an earlier one (it comes again after a crash) must leave no second trace.
   * @throws {KerfError} whatever went wrong; the outbox keeps the record and tries again.
   */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
