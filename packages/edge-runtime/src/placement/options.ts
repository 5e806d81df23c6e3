// How placement control behaves: its bounds and thresholds in one place.
import { KerfError } from '@kerf/protocol';

/** Every duration is in milliseconds. */
export interface PlacementOptions {
  /** A switch must gain at least this share of what the route of now takes. */
  readonly minGainShare: number;
  /** And so many standard deviations of what the gain is uncertain by. */
  readonly gainDeviations: number;
  /** Least time between two switches for a gain. Falling back does not wait. */
  readonly dwellMs: number;
  /** Deviations above the expected latency that must still be within the deadline. */
  readonly deadlineDeviations: number;
  /**
   * An answer that is later than expected by so many deviations is not waited for: the device begins to finish the frame, where
   * it can. 0: it waits as long as the deadline allows.
   */
  readonly hedgeDeviations: number;
  /** Late answers in a row after which frames leave the cloud; one, where the device cannot finish frames. */
  readonly missesToLeave: number;
  /** First time that frames stay on the device after the cloud failed them; doubled at each further failure. */
  readonly holdBaseMs: number;
  /** Where the doubling stops. */
  readonly holdMaxMs: number;
  /** Frames that must succeed one by one before all of them return to the cloud. */
  readonly returnTrials: number;
  /** After so long in the cloud without a failure the next hold is the first again. */
  readonly healthyMs: number;
  /** Of the time that frames take, what trials of other routes may add. */
  readonly trialShare: number;
  /** An estimate of a rival is tried again when it is older. */
  readonly trialAgeMs: number;
  /** The link is probed when its estimate is older and nothing crosses. */
  readonly probeAgeMs: number;
  /** Bytes of probes, both ways, in a minute. */
  readonly probeBytesPerMinute: number;
  /** Largest probe. */
  readonly maxProbeBytes: number;
  /** A session that no frame used for so long is closed, but for the one that watches the link. */
  readonly idleCloseMs: number;
  /** Switches kept for whoever asks. */
  readonly maxHistory: number;
  /** Between two pings of a session. */
  readonly pingIntervalMs: number;
}

export const DEFAULT_PLACEMENT: PlacementOptions = {
  minGainShare: 0.05,
  gainDeviations: 0.7,
  dwellMs: 1_000,
  deadlineDeviations: 3,
  hedgeDeviations: 4,
  missesToLeave: 2,
  holdBaseMs: 1_000,
  holdMaxMs: 60_000,
  returnTrials: 1,
  healthyMs: 30_000,
  trialShare: 0.02,
  trialAgeMs: 15_000,
  probeAgeMs: 1_500,
  probeBytesPerMinute: 1_000_000,
  maxProbeBytes: 131_072,
  idleCloseMs: 60_000,
  maxHistory: 256,
  pingIntervalMs: 1_000,
};

const RANGES: Readonly<Record<keyof PlacementOptions, readonly [number, number]>> = {
  minGainShare: [0, 1],
  gainDeviations: [0, 10],
  dwellMs: [0, 3_600_000],
  deadlineDeviations: [0, 10],
  hedgeDeviations: [0, 100],
  missesToLeave: [1, 1000],
  holdBaseMs: [1, 3_600_000],
  holdMaxMs: [1, 3_600_000],
  returnTrials: [0, 100],
  healthyMs: [1, 3_600_000],
  trialShare: [0, 0.5],
  trialAgeMs: [1, 3_600_000],
  probeAgeMs: [1, 3_600_000],
  probeBytesPerMinute: [0, 1e9],
  maxProbeBytes: [1, 16_777_216],
  idleCloseMs: [1, 2 ** 31 - 1],
  maxHistory: [1, 65_536],
  pingIntervalMs: [1, 2 ** 31 - 1],
};

/** Defaults with the given ones over them. @throws {KerfError} INVALID_ARGUMENT naming an unknown option or one out of range. */
export function resolvePlacementOptions(given: Partial<PlacementOptions> = {}): PlacementOptions {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of set) {
    const range = Object.hasOwn(RANGES, name) ? RANGES[name as keyof PlacementOptions] : undefined;
    if (range === undefined) {
      throw invalid(name, `is not an option; options are ${Object.keys(RANGES).join(', ')}`);
    }
    if (typeof value !== 'number' || !(value >= range[0] && value <= range[1])) {
      throw invalid(name, `must be a number from ${range[0]} to ${range[1]}, got ${String(value)}`);
    }
  }
  return { ...DEFAULT_PLACEMENT, ...Object.fromEntries(set) };
}

function invalid(name: string, what: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', `placement option '${name}' ${what}`, { details: { option: name } });
}
