// The range of a value -> scale and zero point of uint8, and the tensors that say them in a model.
import { bytesOf, float32Tensor, makeTensor, type Tensor } from '@kerf/protocol';

/** What a value was seen to hold, or what is kept of it. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** value = (level - zeroPoint) * scale, levels 0 to 255. */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

const LEVELS = 255;
/** Scales below are not told apart from zero by every kernel. */
const LEAST_SCALE = 2 ** -100;

/** Zero is always a level of its own: padding and ReLU are exact. */
export function affineOf({ min, max }: Range): Affine {
  const low = Math.min(min, 0);
  const high = Math.max(max, 0);
  const scale = Math.max(Math.fround((high - low) / LEVELS), LEAST_SCALE);
  return { scale, zeroPoint: Math.max(0, Math.min(LEVELS, Math.round(-low / scale))) };
}

/** One scale a channel, or a scalar. */
export function scaleTensor(affines: readonly Affine[], shape: readonly number[]): Tensor {
  return float32Tensor(
    shape,
    Float32Array.from(affines, ({ scale }) => scale),
  );
}

export function zeroPointTensor(affines: readonly Affine[], shape: readonly number[]): Tensor {
  return makeTensor('uint8', shape, bytesOf(Uint8Array.from(affines, ({ zeroPoint }) => zeroPoint)));
}
