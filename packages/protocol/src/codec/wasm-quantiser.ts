// Runs of float32 values -> levels, sixteen at a time in the WebAssembly coder.
import { MAX_LEVELS } from './level-table.ts';
import { giveBack, takeKernel } from './wasm-kernel.ts';
import { STORE_AT } from './wasm-machine.ts';

/** Values that the coder looks at together. */
const LANES = 16;
/** Values of a run beyond this are brought over piece by piece: pieces fit the processor's cache. */
const PIECE = 8192;

/** As `quantiseRun` of levels.ts. */
export type QuantiseRun = (
  values: Float32Array,
  from: number,
  count: number,
  thresholds: Float32Array,
  levels: Uint8Array,
  to: number,
) => void;

export interface RunQuantiser {
  readonly run: QuantiseRun;
  release(): void;
}

/** Null where WebAssembly is not to be had. */
export function wasmQuantiser(): RunQuantiser | null {
  const valuesAt = STORE_AT;
  const thresholdsAt = valuesAt + 4 * PIECE;
  const levelsAt = thresholdsAt + 4 * MAX_LEVELS;
  const kernel = takeKernel(levelsAt + PIECE);
  if (kernel === null) return null;
  const { buffer } = kernel.memory;
  const held = new Float32Array(buffer, valuesAt, PIECE);
  const edges = new Float32Array(buffer, thresholdsAt, MAX_LEVELS);
  const found = new Uint8Array(buffer, levelsAt, PIECE);
  const run: QuantiseRun = (values, from, count, thresholds, levels, to) => {
    edges.set(thresholds);
    for (let done = 0; done < count; done += PIECE) {
      const here = Math.min(PIECE, count - done);
      held.set(values.subarray(from + done, from + done + here));
      kernel.code.quantise(valuesAt, Math.ceil(here / LANES) * LANES, thresholdsAt, thresholds.length, levelsAt);
      levels.set(found.subarray(0, here), to + done);
    }
  };
  return { run, release: () => giveBack(kernel) };
}
