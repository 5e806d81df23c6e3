// The index of a frame -> the same input in the page and in the test that checks its answer.
import { float32Tensor, type Tensor } from '@kerf/protocol';

const SHAPE = [1, 3, 48, 192];

/** Pixels from -1 to 1 with a pattern of their own for each frame. */
export function classifierInput(frame: number): Tensor {
  const count = SHAPE.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, at) => ((at * (31 + 2 * frame) + at ** 2) % 256) / 127.5 - 1);
  return float32Tensor(SHAPE, values);
}
