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

/** How the frames of an entry are told apart. */
export interface EntryClass {
  /** What comes before the shapes in the class; null: frames of this entry are never stacked. */
  readonly prefix: string | null;
  /** The class of every frame whatever its shapes, where the model leaves nothing open but the rows. */
  readonly common: string | null;
}

/**
 * Entries of one model, by the segment that frames enter at. Where nothing but the rows is open, frames of all entries of a
 * chain share a class: they meet in the segments behind.
 */
export function entryClasses(
  entries: readonly { readonly inputs: readonly TensorSpec[] }[],
  stackable: readonly boolean[],
): EntryClass[] {
  const isFixed = entries.every(({ inputs }) =>
    inputs.every(({ shape }) => shape !== null && shape.slice(1).every((size) => typeof size === 'number')),
  );
  const isChain = entries.length > 1;
  return entries.map(({ inputs }, at) => {
    const mayMeet = stackable.slice(at).includes(true) && inputs.every(hasOpenRows);
    return {
      prefix: mayMeet ? (isChain ? `cut ${at}/` : '') : null,
      common: mayMeet && isChain && isFixed ? 'all cuts' : null,
    };
  });
}

function hasOpenRows({ shape }: TensorSpec): boolean {
  return shape !== null && shape.length > 0 && typeof shape[0] !== 'number';
}

/** Frames of equal dtypes and equal shapes but for the first axis share a class. */
export function shapeClassOf(tensors: readonly Payload[], { prefix, common }: EntryClass): ShapeClass {
  const rows = tensors[0]?.shape[0] ?? 1;
  const isCommon = rows > 0 && tensors.every((tensor) => tensor.shape[0] === rows);
  if (prefix === null || !isCommon) return { key: null, rows: Math.max(1, rows) };
  const shapes = tensors.map(({ dtype, shape }) => `${dtype}:${shape.slice(1).join('x')}`).join('|');
  return { key: common ?? `${prefix}${shapes}`, rows };
}
