// Options as a caller gives them -> every option with a checked value.
import { type Clock, DEFAULT_WIRE_LIMITS, KerfError, type Random, systemClock, type WireLimits } from '@kerf/protocol';

/** How a session behaves at its limits. Every duration is in milliseconds. */
export interface EdgeSessionOptions {
  /** Name and version that the cloud logs. */
  readonly agent: string;
  /** Time a frame has when `infer` is not told; then it ends with DEADLINE_EXCEEDED, or LINK_LOST when the cloud is away. */
  readonly deadlineMs: number;
  /** Frames that are on the device (queued, in the head, waiting for a credit, in a local run); one more ends with OVERLOADED. */
  readonly maxQueuedFrames: number;
  /** Frames whose head runs or has run and that wait for a credit; beyond it, frames queue before the head. */
  readonly maxPreparedFrames: number;
  /** Frames that the cloud holds, however many credits it grants; each keeps its activations on the device. */
  readonly maxInFlightFrames: number;
  /** Times a frame is sent, over all reconnects; then it ends with LINK_LOST, so that no frame can break every link. */
  readonly maxSends: number;
  /** How long the cloud may be away before frames run on the device, where it holds the rest of the model. */
  readonly awayGraceMs: number;
  /** Time kept before a deadline for finishing on the device; null measures it. */
  readonly localReserveMs: number | null;
  /** For connecting, TLS and welcome together, in attempts side by side; then they begin anew. */
  readonly connectTimeoutMs: number;
  /** For the cloud to load the model and answer `open`; then the next attempt. */
  readonly openTimeoutMs: number;
  /** Between two pings. */
  readonly pingIntervalMs: number;
  /** Without any sign of the peer for this long the link counts as lost. */
  readonly peerTimeoutMs: number;
  /** Largest delay before the first reconnect; doubled at each further one, each drawn evenly from 0 to it. */
  readonly backoffBaseMs: number;
  /** Where the growing stops; without any answer from a peer it stops at 2 s. */
  readonly backoffMaxMs: number;
  /** Largest delay after a fault that trying again does not cure by itself (a refused token, an unknown model). */
  readonly faultRetryMs: number;
  /**
   * What to do with an activation that holds NaN or infinity where the split's codec would lose them: send that tensor
   * without loss, or end the frame on the device, where it can, or with ACTIVATION_NOT_FINITE.
   */
  readonly nonFinite: 'lossless' | 'refuse';
  /** How input tensors cross where the whole model runs in the cloud. With a split, split.json says how tensors cross. */
  readonly inputCodec: 'raw' | 'lossless';
  /** Limits on what the cloud may send. */
  readonly limits: WireLimits;
  readonly clock: Clock;
  readonly random: Random;
}

const DEFAULTS: EdgeSessionOptions = {
  agent: 'kerf-edge/0.1.0',
  deadlineMs: 10_000,
  maxQueuedFrames: 64,
  maxPreparedFrames: 2,
  maxInFlightFrames: 64,
  maxSends: 4,
  awayGraceMs: 250,
  localReserveMs: null,
  connectTimeoutMs: 10_000,
  openTimeoutMs: 60_000,
  pingIntervalMs: 5_000,
  peerTimeoutMs: 20_000,
  backoffBaseMs: 200,
  backoffMaxMs: 30_000,
  faultRetryMs: 60_000,
  nonFinite: 'lossless',
  inputCodec: 'raw',
  limits: DEFAULT_WIRE_LIMITS,
  clock: systemClock,
  random: Math.random,
};

/** Timers of every platform hold 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

type NumericOption = {
  [K in keyof EdgeSessionOptions]: EdgeSessionOptions[K] extends number | null ? K : never;
}[keyof EdgeSessionOptions];

const RANGES: Record<NumericOption, { readonly min: number; readonly max: number; readonly whole: boolean }> = {
  deadlineMs: { min: 1, max: MAX_TIMER_MS, whole: false },
  maxQueuedFrames: { min: 1, max: 65_536, whole: true },
  maxPreparedFrames: { min: 1, max: 1024, whole: true },
  maxInFlightFrames: { min: 1, max: 65_536, whole: true },
  maxSends: { min: 1, max: 1000, whole: true },
  awayGraceMs: { min: 0, max: MAX_TIMER_MS, whole: false },
  localReserveMs: { min: 0, max: MAX_TIMER_MS, whole: false },
  connectTimeoutMs: { min: 1, max: MAX_TIMER_MS, whole: false },
  openTimeoutMs: { min: 1, max: MAX_TIMER_MS, whole: false },
  pingIntervalMs: { min: 1, max: MAX_TIMER_MS, whole: false },
  peerTimeoutMs: { min: 1, max: MAX_TIMER_MS, whole: false },
  backoffBaseMs: { min: 1, max: MAX_TIMER_MS, whole: false },
  backoffMaxMs: { min: 1, max: MAX_TIMER_MS, whole: false },
  faultRetryMs: { min: 1, max: MAX_TIMER_MS, whole: false },
};

/**
 * Defaults with the given options over them; an option that is undefined keeps its default.
 * @throws {KerfError} INVALID_ARGUMENT naming an unknown option or one out of range.
 */
export function resolveEdgeSessionOptions(given: Partial<EdgeSessionOptions> = {}): EdgeSessionOptions {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const unknown = set.find(([name]) => !Object.hasOwn(DEFAULTS, name));
  if (unknown) throw invalid(unknown[0], `is not an option; options are ${Object.keys(DEFAULTS).join(', ')}`);
  const options: EdgeSessionOptions = { ...DEFAULTS, ...Object.fromEntries(set) };
  for (const [name, { min, max, whole }] of Object.entries(RANGES) as [
    NumericOption,
    (typeof RANGES)[NumericOption],
  ][]) {
    const value = options[name];
    if (name === 'localReserveMs' && value === null) continue;
    const fits = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
    if (!fits) throw invalid(name, `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
  }
  if (options.backoffMaxMs < options.backoffBaseMs) throw invalid('backoffMaxMs', 'must not be below backoffBaseMs');
  if (options.peerTimeoutMs < options.pingIntervalMs)
    throw invalid('peerTimeoutMs', 'must not be below pingIntervalMs');
  if (options.nonFinite !== 'lossless' && options.nonFinite !== 'refuse')
    throw invalid('nonFinite', "must be 'lossless' or 'refuse'");
  if (options.inputCodec !== 'raw' && options.inputCodec !== 'lossless')
    throw invalid('inputCodec', "must be 'raw' or 'lossless'");
  if (typeof options.agent !== 'string' || options.agent.length > 256) throw invalid('agent', 'must be a short string');
  return options;
}

function invalid(name: string, what: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', `session option '${name}' ${what}`, { details: { option: name } });
}
