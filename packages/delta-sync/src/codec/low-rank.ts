// old + scale * (left . right), rounded to float32: what a merged low-rank update makes of a matrix.
//
// The factors are whole numbers and their sums stay below 2^53, so that no order of adding changes a bit.

/** |left| and |right| are below this: 32 products of 48 bits sum up to 53. */
export const MAX_FACTOR = 2 ** 24;

/** Fills `fresh`. @param left rows x rank; @param right rank x columns */
export function addProduct(
  old: Float32Array,
  { rows, columns, rank, scale }: { rows: number; columns: number; rank: number; scale: number },
  left: Int32Array,
  right: Int32Array,
  fresh: Float32Array,
): void {
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let term = 0; term < rank; term++) {
      const factor = left[row * rank + term] as number;
      const from = term * columns;
      for (let column = 0; column < columns; column++) {
        sums[column] = (sums[column] as number) + factor * (right[from + column] as number);
      }
    }
    const first = row * columns;
    for (let column = 0; column < columns; column++) {
      fresh[first + column] = (old[first + column] as number) + scale * (sums[column] as number);
    }
  }
}
