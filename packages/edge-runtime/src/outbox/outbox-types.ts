// What goes into an outbox beside the record, and what it tells of itself.
import type { CertificateCause, ErrorCode } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';
import type { DeliveredPicture } from '../sinks/sink.ts';
import type { Verdict } from '../station/result-record.ts';
import type { StorageState } from './journal-types.ts';

export interface PutExtras {
  /** For a provisional record: kept on disk until a final record of the same id is put, so that the frame can be run again. */
  readonly kept?: Picture | null;
  /** For sinks that want the picture; held in memory for the latest records only, and gone after a restart. */
  readonly picture?: DeliveredPicture | null;
  /** Ends the wait for room, with CANCELLED; a record that is being written is written. */
  readonly signal?: AbortSignal;
}

/** A provisional record that waits for a final one. */
export interface Unsettled {
  readonly resultId: string;
  readonly revision: number;
  readonly verdict: Verdict;
}

/** Why a sink does not take its next record. */
export interface SinkBlock {
  readonly code: ErrorCode;
  readonly message: string;
  /** Of a certificate that does not hold: why. */
  readonly cause: CertificateCause | null;
  /** Times that record was tried. */
  readonly attempts: number;
  /** By the outbox's clock. */
  readonly sinceMs: number;
  readonly retryInMs: number;
}

interface GivenUp {
  readonly resultId: string;
  /** The part's id, else the file of its picture; null where it has neither. */
  readonly part: string | null;
  readonly revision: number;
  readonly verdict: Verdict;
}

export type OutboxEvent =
  /** `put` waits: whoever captures should hold back. */
  | { readonly kind: 'held'; readonly reason: 'full' | 'disk-full' | 'disk-failed'; readonly message: string }
  | { readonly kind: 'released' }
  /** Given up for want of room, before some sink had it or a final record came. */
  | ({ readonly kind: 'dropped' } & GivenUp)
  /** The picture of a provisional record was given up for want of room: it is not judged again, and stays as every sink has it. */
  | ({ readonly kind: 'stands' } & GivenUp)
  | ({ readonly kind: 'sink-blocked'; readonly sink: string } & SinkBlock)
  | { readonly kind: 'sink-unblocked'; readonly sink: string }
  /**
   * A sink that keeps pictures has the record without: it is so far behind, or the process was started anew, that the picture is
   * gone; or it is too large for the sink.
   */
  | {
      readonly kind: 'picture-missed';
      readonly sink: string;
      readonly resultId: string;
      readonly verdict: Verdict;
      readonly message: string;
    }
  | { readonly kind: 'storage'; readonly state: StorageState }
  /** A record could not be read back: the disk has damaged it. */
  | { readonly kind: 'damaged'; readonly resultId: string };

export type OutboxListener = (event: OutboxEvent) => void;

export interface OutboxSinkSnapshot {
  readonly name: string;
  /** Since the sink was given to the outbox. */
  readonly delivered: number;
  readonly waiting: number;
  readonly block: SinkBlock | null;
}

export interface OutboxSnapshot {
  /** Records that some sink or a reconciliation still needs, and their bytes with the kept pictures. */
  readonly records: number;
  readonly bytes: number;
  /** Of the log on the disk, with what nobody needs any more. */
  readonly diskBytes: number;
  /** Provisional records that wait for a final one. */
  readonly unsettled: number;
  /** Calls of `put` that wait for room. */
  readonly waiting: number;
  readonly isHeld: boolean;
  readonly storage: StorageState;
  /** Since the start, by verdict. */
  readonly dropped: Readonly<Partial<Record<Verdict, number>>>;
  /** Provisional records whose picture was given up since the start. */
  readonly stood: number;
  /** Times since the start that a sink which keeps pictures got or kept a record without. */
  readonly missedPictures: number;
  /** Of pictures that some sink is still to read, in memory. */
  readonly heldPictureBytes: number;
  /** Bytes found at the start that belong to no whole frame: torn by a crash, or damaged. */
  readonly damagedBytes: number;
  /** Records that could not be read back. */
  readonly damagedRecords: number;
  readonly sinks: readonly OutboxSinkSnapshot[];
}
