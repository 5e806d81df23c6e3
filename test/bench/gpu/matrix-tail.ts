// A tail that a GPU has work with: a small activation in, many products of matrices behind it, rows that batch.
import { buildModel } from '@kerf/onnx';
import { float32Tensor, makeTensor, seededRandom, type TensorMap } from '@kerf/protocol';

const WIDTH = 512;
const LAYERS = 64;
/** A row is so many tokens inside the model and one outside: 8 KB cross, 69 GFLOP follow. */
const TOKENS = 2048;
/** Values of a row, outside. */
export const ELEMENTS = 4 * WIDTH;

/** Input `x` and output `y`: float32, [batch, 2048]. One weight serves all layers, so the file stays at 1 MB. */
export function matrixTail(): Uint8Array {
  const random = seededRandom(7);
  // Products keep their scale: the variance is what He et al. (2015) give for a layer before a maximum with zero.
  const scale = Math.sqrt((2 * 3) / WIDTH);
  const weight = Float32Array.from({ length: WIDTH * WIDTH }, () => (2 * random() - 1) * scale);
  const integers = (...values: number[]) =>
    makeTensor('int64', [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  const layers = Array.from({ length: LAYERS }, (_, at) => [
    { op: 'MatMul', inputs: [at === 0 ? 'tokens' : `h${at}`, 'w'], outputs: [`m${at}`] },
    { op: 'Relu', inputs: [`m${at}`], outputs: [`h${at + 1}`] },
  ]).flat();
  return buildModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', ELEMENTS] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', ELEMENTS] }],
    nodes: [
      { op: 'Reshape', inputs: ['x', 'four'], outputs: ['folded'] },
      { op: 'Tile', inputs: ['folded', 'repeats'], outputs: ['tokens'] },
      ...layers,
      { op: 'Slice', inputs: [`h${LAYERS}`, 'from', 'to', 'axis'], outputs: ['first'] },
      { op: 'Reshape', inputs: ['first', 'flat'], outputs: ['y'] },
    ],
    initializers: [
      { name: 'w', tensor: float32Tensor([WIDTH, WIDTH], weight) },
      { name: 'four', tensor: integers(0, 4, WIDTH) },
      { name: 'repeats', tensor: integers(1, TOKENS / 4, 1) },
      { name: 'from', tensor: integers(0) },
      { name: 'to', tensor: integers(4) },
      { name: 'axis', tensor: integers(1) },
      { name: 'flat', tensor: integers(0, ELEMENTS) },
    ],
  });
}

/** Seeded values in [0, 1), float32 [rows, 2048]. */
export function rowsOf(rows: number, seed: number): TensorMap {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: rows * ELEMENTS }, () => random());
  return new Map([['x', float32Tensor([rows, ELEMENTS], values)]]);
}
