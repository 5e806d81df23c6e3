// Two model files and a sample -> the time of a run of each, taken in turn.
import type { Backend, LoadOptions, TensorMap } from '@kerf/protocol';

export interface RunTimes {
  readonly wholeMs: number;
  readonly quantizedMs: number;
  /** Median of the ratios of neighbouring runs: a machine that slows down slows both. */
  readonly ratio: number;
  readonly rounds: number;
}

const WARM_UP = 3;
const ROUNDS = 31;
const BUDGET_MS = 20_000;
const LEAST_ROUNDS = 5;

/** Medians; fewer rounds where a run is long. */
export async function measureTimes(
  backend: Backend,
  paths: { readonly whole: string; readonly quantized: string },
  inputs: TensorMap,
  load: LoadOptions,
): Promise<RunTimes> {
  const whole = await backend.load({ path: paths.whole }, load);
  const quantized = await backend.load({ path: paths.quantized }, load);
  try {
    const timed = async (model: typeof whole): Promise<number> => {
      const startedMs = performance.now();
      await model.run(inputs);
      return performance.now() - startedMs;
    };
    for (let round = 0; round < WARM_UP; round++) {
      await timed(whole);
      await timed(quantized);
    }
    const startedMs = performance.now();
    const times: (readonly [number, number])[] = [];
    while (times.length < ROUNDS && (times.length < LEAST_ROUNDS || performance.now() - startedMs < BUDGET_MS)) {
      if (times.length % 2 === 0) times.push([await timed(whole), await timed(quantized)]);
      else {
        const second = await timed(quantized);
        times.push([await timed(whole), second]);
      }
    }
    return {
      wholeMs: median(times.map(([ms]) => ms)),
      quantizedMs: median(times.map(([, ms]) => ms)),
      ratio: median(times.map(([one, other]) => other / one)),
      rounds: times.length,
    };
  } finally {
    await whole.dispose();
    await quantized.dispose();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
