// Frames that failed, trials that ran, and what both cost -> what the controller remembers from frame to frame. Pure.
import type { PlacementOptions } from './options.ts';

export interface Hold {
  /** When the cloud last failed a frame. */
  readonly sinceMs: number;
  /** Failures in a row, each of which doubled the time. */
  readonly failures: number;
  readonly untilMs: number;
  /** Trials that succeeded since. */
  readonly successes: number;
}

export interface ControlMemory {
  readonly route: string;
  readonly sinceMs: number;
  /** Frames went to the cloud and were failed; until trials have succeeded, they stay on the device. */
  readonly hold: Hold | null;
  /** Since when the cloud has failed no frame. */
  readonly healthySinceMs: number;
  /** Of the time that trials may add; below 0 while one that cost more is being paid back. */
  readonly trialCreditMs: number;
  /** Frames in a row that the route has failed, those included that the device is finishing now. */
  readonly misses: number;
  readonly trial: TrialUnderWay | null;
}

export interface TrialUnderWay {
  /** What was taken from the credit for it. */
  readonly chargedMs: number;
  /** What the frame would have taken on the route of the others; null where its cost is not counted. */
  readonly insteadMs: number | null;
}

/** At the start. */
export function startMemory(route: string, nowMs: number): ControlMemory {
  return {
    route,
    sinceMs: nowMs,
    hold: null,
    healthySinceMs: nowMs,
    trialCreditMs: 0,
    misses: 0,
    trial: null,
  };
}

/** The hold after another failure: each one in a row doubles it. */
export function nextHold(before: Hold | null, nowMs: number, { holdBaseMs, holdMaxMs }: PlacementOptions): Hold {
  const failures = (before?.failures ?? 0) + 1;
  const lastsMs = Math.min(holdMaxMs, holdBaseMs * 2 ** Math.min(failures - 1, 30));
  return { sinceMs: nowMs, failures, untilMs: nowMs + lastsMs, successes: 0 };
}

/** A frame that went to the cloud. */
export interface RemoteFrame {
  readonly route: string;
  readonly isTrial: boolean;
}

/** The answer is late, and the device begins to finish the frame: it has not ended, yet whoever waits for that learns it late. */
export function afterLate(memory: ControlMemory, { route }: RemoteFrame): ControlMemory {
  return route === memory.route ? { ...memory, misses: memory.misses + 1 } : memory;
}

/** How a frame that went to the cloud ended. */
export function afterFrame(
  memory: ControlMemory,
  frame: RemoteFrame & {
    readonly isAnswered: boolean;
    /** {@link afterLate} was told of it. */
    readonly wasLate: boolean;
    readonly tookMs: number;
  },
  nowMs: number,
  options: PlacementOptions,
): ControlMemory {
  const settled = frame.isTrial ? afterTrial(memory, frame.tookMs) : memory;
  if (frame.isAnswered) {
    if (!frame.isTrial) return { ...settled, misses: 0 };
    const { hold } = settled;
    return hold === null ? settled : { ...settled, hold: { ...hold, successes: hold.successes + 1 } };
  }
  const isNew = frame.route === settled.route && !frame.wasLate;
  const failed = { ...settled, healthySinceMs: nowMs, misses: settled.misses + (isNew ? 1 : 0) };
  if (!frame.isTrial || settled.hold === null) return failed;
  return { ...failed, hold: nextHold(settled.hold, nowMs, options) };
}

/** A trial has ended: what it cost beyond what was expected is charged too. */
export function afterTrial(memory: ControlMemory, tookMs: number | null): ControlMemory {
  const { trial, trialCreditMs } = memory;
  if (trial === null) return memory;
  const { chargedMs, insteadMs } = trial;
  const costMs = tookMs === null || insteadMs === null ? chargedMs : Math.max(0, tookMs - insteadMs);
  return { ...memory, trial: null, trialCreditMs: trialCreditMs + chargedMs - costMs };
}
