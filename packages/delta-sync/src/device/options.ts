// What a device's updates may take, in one place, each with its unit and its reason.

const MIB = 1024 * 1024;

export interface DeviceLimits {
  /** Written at once, and the least that is lost when a fetch breaks off. @default 256 KiB */
  readonly pieceBytes: number;
  /** Synced at least so often while a file is fetched, so that a power cut costs no more. @default 4 MiB */
  readonly syncBytes: number;
  /** A mirror that says nothing for so long is left. @default 30 s */
  readonly idleTimeoutMs: number;
  /** Attempts for one file, over all mirrors, before the update ends as it is. @default 6 */
  readonly attempts: number;
  /** Wait before an attempt after a failed one, doubled each time. @default 1 s */
  readonly retryDelayMs: number;
  /** Starts on probation before a release that never proves itself is left. @default 3 */
  readonly trialStarts: number;
}

export const DEFAULT_DEVICE_LIMITS: DeviceLimits = {
  pieceBytes: MIB / 4,
  syncBytes: 4 * MIB,
  idleTimeoutMs: 30_000,
  attempts: 6,
  retryDelayMs: 1000,
  trialStarts: 3,
};

/** Releases that failed here and are not tried again; the oldest is forgotten. */
export const MAX_REJECTED = 16;
/** Of why one failed; more is cut off. */
export const MAX_REASON_CHARS = 500;
/** Of each text in a cause. */
export const MAX_CAUSE_CHARS = 200;
/** A device's state is small. */
export const MAX_STATE_BYTES = 64 * 1024;
/** Files from here on are asked for as a delta that nobody listed: below, the blob costs as much as the question. */
export const ASK_DELTA_BYTES = 64 * 1024;
/** A delta is taken when it is at most this part of the file: below that, decoding costs more than it saves. */
export const DELTA_SHARE = 0.8;
/** The same for a compressed file. */
export const COMPRESSED_SHARE = 0.95;
/** Deltas one behind the other: each takes a file's time and place on the disk. */
export const MAX_HOPS = 3;
