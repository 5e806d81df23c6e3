// The seam to whoever says "now": a PLC, an HTTP call, a program.
import type { ResultRecord } from '../station/result-record.ts';

export interface TriggerRequest {
  readonly partId: string | null;
  /** Names the trigger over restarts, see `Capture.key`; null where the caller has no name for it. */
  readonly key: string | null;
  /** Called once with the part's first record, when that is safe. */
  readonly onResult: ((record: ResultRecord) => void) | null;
}

export interface TriggerCounters {
  /** Triggers that were handed on. */
  readonly fired: number;
  /** Not handed on: the source or the station had no room, or the trigger bounced. */
  readonly refused: number;
  /** Results that came after whoever triggered had stopped waiting. */
  readonly late: number;
}

/** What starts captures of a source that has a trigger. */
export interface Trigger {
  readonly name: string;
  /** Starts, once. `fire` throws what `Source.trigger` throws. @throws {KerfError} INVALID_ARGUMENT. */
  start(fire: (request: TriggerRequest) => void): Promise<void>;
  readonly counters: TriggerCounters;
  stop(): Promise<void>;
}
