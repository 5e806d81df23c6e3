// A model's declared inputs and a frame's tensors -> which frames may be stacked, and how many rows one has.
import type { Payload, TensorSpec } from '@kerf/protocol';

export interface ShapeClass {
  /** Null: never stacked. */
  readonly key: string | null;
  readonly rows: number;
}

/** Whether every input and output has a first axis whose size the model leaves open. */
export function mayStack(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): boolean {
  return (
    inputs.length > 0 &&
    outputs.length > 0 &&
    [...inputs, ...outputs].every(({ dtype, shape }) => {
      const first = shape?.[0];
      const fixedSize = dtype !== null && dtype !== 'string' && !dtype.endsWith('int4');
      return fixedSize && shape !== null && shape.length > 0 && typeof first !== 'number';
    })
  );
}

/** Frames of equal dtypes and equal shapes but for the first axis share a class. */
export function shapeClassOf(tensors: readonly Payload[], stackable: boolean): ShapeClass {
  const rows = tensors[0]?.shape[0] ?? 1;
  const isCommon = rows > 0 && tensors.every((tensor) => tensor.shape[0] === rows);
  if (!stackable || !isCommon) return { key: null, rows: Math.max(1, rows) };
  return { key: tensors.map(({ dtype, shape }) => `${dtype}:${shape.slice(1).join('x')}`).join('|'), rows };
}
