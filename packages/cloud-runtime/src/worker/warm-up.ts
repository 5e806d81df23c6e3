// Loaded segments -> the same after a run of every batch size that frames may come in, within a budget of time.
import { byteLengthOf, type LoadedModel, makeTensor, type Tensor, type TensorSpec } from '@kerf/protocol';
import type { WarmUpReply, WarmUpRequest } from './jobs.ts';

/**
 * Runs every segment on zeros, at each batch size up to the largest; on the CPU provider, which compiles nothing, at powers of
 * two. A segment that leaves more than its rows open is left out: which sizes will come is not known. A run that fails is
 * no failure of the model: zeros may be nothing that it takes.
 */
export async function warmUp(
  models: readonly LoadedModel[],
  provider: string,
  { maxRows, budgetMs }: WarmUpRequest,
): Promise<WarmUpReply> {
  const startMs = performance.now();
  const spentMs = (): number => performance.now() - startMs;
  let [runs, left] = [0, 0];
  for (const rows of provider === 'cpu' ? powersOfTwo(maxRows) : upTo(maxRows)) {
    for (const model of models) {
      const inputs = zeros(model.inputs, rows);
      if (inputs === null) continue;
      if (spentMs() >= budgetMs) {
        left++;
        continue;
      }
      runs++;
      await model.run(inputs).catch(() => {});
    }
  }
  return { runs, ms: spentMs(), left };
}

function upTo(most: number): number[] {
  return Array.from({ length: most }, (_, at) => at + 1);
}

function powersOfTwo(most: number): number[] {
  return upTo(most).filter((rows) => (rows & (rows - 1)) === 0);
}

/** Null where the size of an input is not known, or does not grow with the rows and has been run. */
function zeros(specs: readonly TensorSpec[], rows: number): Map<string, Tensor> | null {
  const tensors = new Map<string, Tensor>();
  const hasRows = specs.length > 0 && specs.every(({ shape }) => typeof shape?.[0] !== 'number');
  if (!hasRows && rows > 1) return null;
  for (const { name, dtype, shape } of specs) {
    if (dtype === null || dtype === 'string' || shape === null || shape.length === 0) return null;
    const sizes = shape.map((size, axis) => (axis === 0 && typeof size !== 'number' ? rows : size));
    if (!sizes.every((size) => typeof size === 'number')) return null;
    tensors.set(name, makeTensor(dtype, sizes, new Uint8Array(byteLengthOf(dtype, sizes))));
  }
  return tensors;
}
