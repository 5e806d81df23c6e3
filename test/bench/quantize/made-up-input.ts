// A shape -> one input of made-up pixels, the same in Node and in a page; and outputs -> plain numbers.
import { elementCount, float32Tensor, seededRandom, type TensorMap, typedView } from '@kerf/protocol';

/** @param shape `[1, 3, height, width]`. @returns `image`, float32 from 0 to 1. */
export function madeUpInput(shape: readonly number[]): TensorMap {
  const random = seededRandom(1);
  return new Map([['image', float32Tensor(shape, Float32Array.from({ length: elementCount(shape) }, random))]]);
}

/** Every output as numbers that JSON carries. */
export function valuesOf(outputs: TensorMap): Record<string, number[]> {
  return Object.fromEntries([...outputs].map(([name, tensor]) => [name, Array.from(typedView(tensor), Number)]));
}
