// What every source needs besides its own configuration, and the bounds that all of them share.
import type { Clock, Random } from '@kerf/protocol';

export interface SourceSetup {
  /** Name in the station file; stands in every capture. */
  readonly name: string;
  /** True: a capture is made for each trigger only. False: for each picture. */
  readonly hasTrigger: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallClock: () => number;
}

export const CAPTURE_BOUNDS = {
  /** Triggers that wait for their picture, and captures of triggers that wait for the station; one more is refused. */
  maxTriggers: 16,
  /** How long a trigger waits for its picture. */
  triggerTimeoutMs: 2_000,
  /** A lost source tries again after a time drawn from 0 to this, doubled at each failure ... */
  retryBaseMs: 500,
  /** ... up to this. */
  retryMaxMs: 30_000,
  /** Files of a folder that are looked at ahead of the one that is read. */
  folderLookahead: 256,
  /** Finished files that could not be moved; with more, a folder reads no further. */
  folderUnmoved: 256,
} as const;
