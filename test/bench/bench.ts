// What a bench is, the rows it gives, and the arithmetic that they share.

export interface BenchRow {
  readonly bench: string;
  readonly case: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is compared with, measured in the same run; null for a figure that stands alone. */
  readonly against: string | null;
  readonly ratio: number | null;
  /** Such as `<= 1.03`; null where nothing is promised. */
  readonly goal: string | null;
  readonly met: boolean | null;
}

export interface BenchOptions {
  readonly full: boolean;
  /** A part of the bench, in its own words; null for all of it. */
  readonly only: string | null;
  /** A folder for what a bench writes beside its rows; null for none. */
  readonly out: string | null;
}

export interface Bench {
  readonly name: string;
  readonly summary: string;
  run(options: BenchOptions): AsyncIterable<BenchRow>;
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export interface PairedTimes {
  readonly ours: number;
  readonly theirs: number;
  /** Median of the ratios of neighbouring rounds: drift of the machine's speed cancels. */
  readonly ratio: number;
}

/** Runs both in turn, A B B A, after a warm-up. Milliseconds, medians. */
export async function interleave(
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
  { warmUp = 3, rounds = 15 }: { readonly warmUp?: number; readonly rounds?: number } = {},
): Promise<PairedTimes> {
  for (let round = 0; round < warmUp; round++) {
    await ours();
    await theirs();
  }
  const oursMs: number[] = [];
  const theirsMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      oursMs.push(await timed(ours));
      theirsMs.push(await timed(theirs));
    } else {
      theirsMs.push(await timed(theirs));
      oursMs.push(await timed(ours));
    }
  }
  const ratios = oursMs.map((ms, round) => ms / (theirsMs[round] ?? Number.NaN));
  return { ours: median(oursMs), theirs: median(theirsMs), ratio: median(ratios) };
}

async function timed(task: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await task();
  return performance.now() - startedMs;
}
