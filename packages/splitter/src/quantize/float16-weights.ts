// Float constants -> float16, or the reason why one must stay as it is.
import { bytesOf, float16Bits, makeTensor, type Tensor, typedView } from '@kerf/protocol';

const LARGEST_FLOAT16 = 65_504;
/** Below this, float16 loses bits, and from 2^-25 down everything. */
const SMALLEST_NORMAL = 2 ** -14;

/** The same values as float16, or why that would change them beyond rounding. Infinities and NaN stay what they are. */
export function float16Weights(weights: Tensor): Tensor | string {
  const values = typedView(weights as Tensor & { dtype: 'float32' });
  let largest = 0;
  for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  if (largest > LARGEST_FLOAT16) return `a constant reaches ${largest.toPrecision(3)}, float16 ends at 65504`;
  if (largest > 0 && largest < SMALLEST_NORMAL) {
    return `a constant of ${largest.toPrecision(3)} would lose its bits in float16`;
  }
  const bits = new Uint16Array(values.length);
  for (let at = 0; at < values.length; at++) bits[at] = float16Bits(values[at] as number);
  return makeTensor('float16', weights.shape, bytesOf(bits));
}
