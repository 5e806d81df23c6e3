// Contenders that can run a frame -> their frames, taken in turn so that the machine's drift meets all of them alike.
import { KerfError, messageOf } from '@kerf/protocol';
import { type MeasureLimits, NEVER_HOPELESS } from './placements.ts';

export interface Entrant<T> {
  /** No frame can be faster: what the link takes for its bytes. */
  readonly floorMs: number;
  frame(): Promise<T>;
}

export interface RoundFrames<T> {
  readonly frames: readonly T[];
  /** Why there is none, or fewer than of the others. */
  readonly note: string | null;
}

/** A floor this much above the best median is beaten for certain, whatever the median's own error. */
const FLOOR_MARGIN = 1.1;
/** A frame whose bytes alone take longer is not tried. */
const MAX_FLOOR_MS = 15_000;
/** Of the budget: past it a round is broken off, and placements that had no frame yet have none. */
const HARD_STOP = 3;

interface Lane<T> {
  readonly entrant: Entrant<T>;
  readonly frames: T[];
  /** Also of the warm-up. */
  readonly latenciesMs: number[];
  warmUps: number;
  note: string | null;
  isOut: boolean;
}

/**
 * Rounds of A B C, A B C, ...: first those that warm up, then those that count. Give the most promising first: whoever
 * cannot be the best (by what the link takes, or after two frames far behind) is then found out early.
 */
export async function measureRounds<T>(
  entrants: readonly Entrant<T>[],
  latencyMs: (frame: T) => number,
  { frames, warmUpFrames, budgetMs, hopelessRatio, nowMs }: MeasureLimits & { readonly nowMs: () => number },
): Promise<RoundFrames<T>[]> {
  const lanes = entrants.map(
    (entrant): Lane<T> => ({ entrant, frames: [], latenciesMs: [], warmUps: 0, note: null, isOut: false }),
  );
  const startedMs = nowMs();
  // Where one frame takes a good part of the time there is, every frame counts.
  const slowMs = budgetMs / (2 * Math.max(1, lanes.length));
  const step = async (lane: Lane<T>): Promise<void> => {
    const frame = await lane.entrant.frame();
    const tookMs = latencyMs(frame);
    lane.latenciesMs.push(tookMs);
    if (lane.warmUps < warmUpFrames && tookMs < slowMs) lane.warmUps++;
    else lane.frames.push(frame);
  };
  for (;;) {
    const open = lanes.filter((lane) => !lane.isOut && lane.frames.length < frames);
    const isCounted = open.every((lane) => lane.frames.length > 0);
    if (open.length === 0 || (isCounted && nowMs() - startedMs > budgetMs)) break;
    for (const lane of open) {
      if (nowMs() - startedMs > HARD_STOP * budgetMs) retire(lane, 'not measured: the time for measuring was over');
      else if (!isBeaten(lane, lanes, latencyMs, hopelessRatio)) await step(lane).catch((error) => fail(lane, error));
    }
  }
  return lanes.map(({ frames: counted, note }) => ({ frames: counted, note }));
}

function retire<T>(lane: Lane<T>, note: string): void {
  lane.isOut = true;
  if (lane.frames.length === 0) lane.note = note;
}

function fail<T>(lane: Lane<T>, error: unknown): void {
  lane.isOut = true;
  const code = KerfError.is(error) ? `${error.code}: ` : '';
  lane.note = `${code}${messageOf(error)}`;
}

/** Takes a lane out that cannot be the best. */
function isBeaten<T>(
  lane: Lane<T>,
  lanes: readonly Lane<T>[],
  latencyMs: (frame: T) => number,
  hopelessRatio: number,
): boolean {
  const { floorMs } = lane.entrant;
  if (floorMs > MAX_FLOOR_MS)
    retire(lane, `not tried: its bytes alone take ${Math.round(floorMs / 1000)} s on this link`);
  const bestMs = Math.min(...lanes.filter((other) => other !== lane).map((other) => medianSoFar(other, latencyMs)));
  if (hopelessRatio !== NEVER_HOPELESS && floorMs > FLOOR_MARGIN * bestMs) {
    retire(
      lane,
      `cannot be best: its bytes alone take ${floorMs.toFixed(0)} ms, another takes ${bestMs.toFixed(0)} ms in all`,
    );
  } else if (lane.frames.length >= 2 && Math.min(...lane.latenciesMs) > hopelessRatio * bestMs) {
    lane.isOut = true;
    lane.note = `${lane.frames.length} frames: far behind the best`;
  }
  return lane.isOut;
}

/** Of the warm-up where nothing else is known: it errs on the slow side. Infinity without any frame. */
function medianSoFar<T>(lane: Lane<T>, latencyMs: (frame: T) => number): number {
  const known = lane.frames.length > 0 ? lane.frames.map(latencyMs) : lane.latenciesMs;
  const sorted = [...known].sort((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.POSITIVE_INFINITY;
}
