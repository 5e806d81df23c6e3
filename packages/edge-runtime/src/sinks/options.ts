// What every sink needs besides its own configuration, and the bounds that all of them share.
import type { Clock, Random } from '@kerf/protocol';

export interface SinkSetup {
  /** Name in the station file. */
  readonly name: string;
  /** Stands in topics and file names. */
  readonly station: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallClock: () => number;
  /** The value of an environment variable: secrets never stand in a station file. */
  readonly secret: (name: string) => string | null;
}

export const SINK_BOUNDS = {
  /** Records, newest last, that a sink knows it has: one that comes again leaves no second trace. */
  knownRecords: 4096,
  /** Of a file of records, what is read at the start to know its last ones. */
  rereadBytes: 8 * 2 ** 20,
  /** A sink that keeps a link connects again after a time drawn from 0 to this, doubled at each failure ... */
  backoffBaseMs: 200,
  /** ... up to this. */
  backoffMaxMs: 30_000,
} as const;
