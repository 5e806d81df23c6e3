// The seam to whoever keeps records until every sink has them: the outbox.
import type { Picture } from '../capture/capture.ts';
import type { DeliveredPicture } from '../sinks/sink.ts';
import type { ResultRecord } from './result-record.ts';

export interface ResultStore {
  /**
   * Takes a record, in the order of the frames. Resolves when it is safe; waits while there is no room. A record that is
   * not partial settles the provisional one of its id.
   * @throws {KerfError} CLOSED, INVALID_ARGUMENT.
   */
  put(
    record: ResultRecord,
    extras?: {
      /** Of a provisional record: kept, so that the frame can be judged again. */
      readonly kept?: Picture | null;
      /** For sinks that want it. */
      readonly picture?: DeliveredPicture | null;
    },
  ): Promise<void>;
  /** Provisional records whose picture is kept, oldest first. */
  readonly unsettled: readonly { readonly resultId: string }[];
  /** Null when it is settled or gone. */
  readUnsettled(resultId: string): Promise<{ readonly record: ResultRecord; readonly picture: Picture } | null>;
}
