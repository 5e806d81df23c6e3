// Options of an outbox as a caller gives them -> every bound with a checked value.
import { type Clock, KerfError, type Random, systemClock } from '@kerf/protocol';

/** How an outbox behaves at its limits. Durations are in milliseconds. */
export interface OutboxOptions {
  /**
   * 0: `put` resolves when the record would survive a loss of power; records put together share one sync. More: `put`
   * resolves when the record is written, and a loss of power takes at most what was put in the last so many milliseconds
   * (killing the process takes nothing).
   */
  readonly syncEveryMs: number;
  /** Records and kept pictures that some sink or a reconciliation still needs, together. */
  readonly maxBytes: number;
  readonly maxRecords: number;
  /** One record as JSON. */
  readonly maxRecordBytes: number;
  /** Calls of `put` that wait for room; one more fails with OVERLOADED. */
  readonly maxWaiting: number;
  /** Keys of records put lately that are remembered, over restarts: so far back a record put again is not taken twice. */
  readonly seenWindow: number;
  /** Where a file of the log ends and the next begins. */
  readonly segmentBytes: number;
  /** Kept free beside the log, so that a full disk still lets the outbox tidy up: a segment's worth, less where the disk is small. */
  readonly reserveBytes: number;
  /** Of the latest pictures that some sink is still to read, held in memory as they came; for records before those, sinks get none. */
  readonly maxHeldPictureBytes: number;
  /** Records read lately that are held in memory, so that several sinks do not each read them. */
  readonly maxHeldRecords: number;
  /** A sink that takes longer is told to stop, and the record is tried again. */
  readonly deliverTimeoutMs: number;
  /** Largest delay before a sink's second attempt; doubled at each further one, each drawn evenly from 0 to it. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** How late it is written down that a sink has a record, at most; after a crash a sink may see that much again. */
  readonly ackEveryMs: number;
  /** Between attempts of a disk that is full or fails. */
  readonly diskRetryMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

const MIB = 1024 * 1024;

const DEFAULTS: OutboxOptions = {
  syncEveryMs: 0,
  maxBytes: 256 * MIB,
  maxRecords: 50_000,
  maxRecordBytes: MIB,
  maxWaiting: 64,
  seenWindow: 2048,
  segmentBytes: MIB,
  reserveBytes: MIB,
  maxHeldPictureBytes: 64 * MIB,
  maxHeldRecords: 256,
  deliverTimeoutMs: 30_000,
  backoffBaseMs: 200,
  backoffMaxMs: 30_000,
  ackEveryMs: 200,
  diskRetryMs: 1000,
  clock: systemClock,
  random: Math.random,
};

/** Timers of every platform hold 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_BYTES = 2 ** 40;

type NumericOption = Exclude<keyof OutboxOptions, 'clock' | 'random'>;

const RANGES: Record<NumericOption, readonly [min: number, max: number]> = {
  syncEveryMs: [0, 60_000],
  maxBytes: [4096, MAX_BYTES],
  maxRecords: [1, 10_000_000],
  maxRecordBytes: [1024, 64 * MIB],
  maxWaiting: [1, 65_536],
  seenWindow: [0, 65_536],
  segmentBytes: [1024, 1024 * MIB],
  reserveBytes: [0, 1024 * MIB],
  maxHeldPictureBytes: [0, MAX_BYTES],
  maxHeldRecords: [0, 65_536],
  deliverTimeoutMs: [1, MAX_TIMER_MS],
  backoffBaseMs: [1, MAX_TIMER_MS],
  backoffMaxMs: [1, MAX_TIMER_MS],
  ackEveryMs: [0, 60_000],
  diskRetryMs: [1, MAX_TIMER_MS],
};

/**
 * Defaults with the given options over them; an option that is undefined keeps its default.
 * @throws {KerfError} INVALID_ARGUMENT naming an unknown option or one out of range.
 */
export function resolveOutboxOptions(given: Partial<OutboxOptions> = {}): OutboxOptions {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const unknown = set.find(([name]) => !Object.hasOwn(DEFAULTS, name));
  if (unknown) throw invalid(unknown[0], `is not an option; options are ${Object.keys(DEFAULTS).join(', ')}`);
  const options: OutboxOptions = { ...DEFAULTS, ...Object.fromEntries(set) };
  for (const [name, [min, max]] of Object.entries(RANGES) as [NumericOption, readonly [number, number]][]) {
    const value: unknown = options[name];
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
    if (!fits) throw invalid(name, `must be a whole number from ${min} to ${max}`);
  }
  if (options.backoffMaxMs < options.backoffBaseMs) throw invalid('backoffMaxMs', 'must not be below backoffBaseMs');
  return options;
}

function invalid(name: string, what: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', `outbox option '${name}' ${what}`, { details: { option: name } });
}
