// The axes of a tensor in another order -> where each run of its elements stood before, and the elements in that order.

export interface Turn {
  /** Of the old tensor. */
  readonly dims: readonly number[];
  /** For each axis of the new tensor, the one of the old. */
  readonly axes: readonly number[];
}

export interface Runs {
  readonly count: number;
  /** Of each: axes at the end that stay where they are. */
  readonly bytes: number;
  /** Into the old tensor. */
  readonly from: (run: number) => number;
}

/** In the order of the new elements. */
export function runsOf({ dims, axes }: Turn, elementBytes: number): Runs {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, size) => product * size, elementBytes));
  let turned = axes.length;
  while (axes[turned - 1] === turned - 1) turned--;
  const outer = axes.slice(0, turned).map((axis) => ({ size: dims[axis] as number, stride: strides[axis] as number }));
  return {
    count: outer.reduce((product, { size }) => product * size, 1),
    bytes: turned === 0 ? elementBytes : (strides[turned - 1] as number),
    from(run) {
      let offset = 0;
      let left = run;
      for (let axis = outer.length - 1; axis >= 0; axis--) {
        const { size, stride } = outer[axis] as (typeof outer)[number];
        offset += (left % size) * stride;
        left = Math.floor(left / size);
      }
      return offset;
    },
  };
}

/** The elements of the old tensor in the order of the new one. */
export function turned(old: Uint8Array, turn: Turn, elementBytes: number): Uint8Array<ArrayBuffer> {
  const { count, bytes, from } = runsOf(turn, elementBytes);
  const fresh = new Uint8Array(old.byteLength);
  for (let run = 0; run < count; run++) {
    const start = from(run);
    for (let byte = 0; byte < bytes; byte++) fresh[run * bytes + byte] = old[start + byte] as number;
  }
  return fresh;
}
