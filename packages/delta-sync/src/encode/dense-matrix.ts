// Dense matrices of doubles, row by row: the little linear algebra that finding factors takes.

export interface Dense {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** a . b */
export function product({ rows, columns, values }: Dense, probes: Dense): Dense {
  const count = probes.columns;
  const result = { rows, columns: count, values: new Float64Array(rows * count) };
  for (let row = 0; row < rows; row++) {
    const sums = result.values.subarray(row * count, (row + 1) * count);
    for (let column = 0; column < columns; column++) {
      addScaled(sums, probes.values, column * count, values[row * columns + column] as number);
    }
  }
  return result;
}

/** The transposed basis . difference */
export function coordinatesIn(basis: Dense, { rows, columns, values }: Dense): Dense {
  const count = basis.columns;
  const result = { rows: count, columns, values: new Float64Array(count * columns) };
  for (let row = 0; row < rows; row++) {
    for (let probe = 0; probe < count; probe++) {
      const weight = basis.values[row * count + probe] as number;
      if (weight === 0) continue;
      addScaled(result.values.subarray(probe * columns, (probe + 1) * columns), values, row * columns, weight);
    }
  }
  return result;
}

export function transposed({ rows, columns, values }: Dense): Dense {
  const turned = new Float64Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column] as number;
  }
  return { rows: columns, columns: rows, values: turned };
}

export function addScaled(sums: Float64Array, values: Float64Array, from: number, weight: number): void {
  for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] as number) + weight * (values[from + at] as number);
}

/** Gram-Schmidt, twice; a column that adds nothing becomes 0. */
export function orthonormalise({ rows, columns, values }: Dense): void {
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let at = 0; at < rows * columns; at += columns) sum += (values[at + a] as number) * (values[at + b] as number);
    return sum;
  };
  for (let column = 0; column < columns; column++) {
    const before = Math.sqrt(dot(column, column));
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < column; other++) {
        const share = dot(column, other);
        for (let at = 0; at < rows * columns; at += columns) {
          values[at + column] = (values[at + column] as number) - share * (values[at + other] as number);
        }
      }
    }
    const length = Math.sqrt(dot(column, column));
    const scale = length > before * 1e-10 ? 1 / length : 0;
    for (let at = 0; at < rows * columns; at += columns) values[at + column] = (values[at + column] as number) * scale;
  }
}

/** rows x rows. */
export function gram({ rows, columns, values }: Dense): Float64Array {
  const product = new Float64Array(rows * rows);
  for (let a = 0; a < rows; a++) {
    for (let b = a; b < rows; b++) {
      let sum = 0;
      for (let at = 0; at < columns; at++)
        sum += (values[a * columns + at] as number) * (values[b * columns + at] as number);
      product[a * rows + b] = sum;
      product[b * rows + a] = sum;
    }
  }
  return product;
}

/** Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's rotations. */
export function eigen(matrix: Float64Array, size: number): { vectors: Float64Array; squares: number[] } {
  const vectors = new Float64Array(size * size);
  for (let at = 0; at < size; at++) vectors[at * size + at] = 1;
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let a = 0; a < size; a++) for (let b = a + 1; b < size; b++) rotate(matrix, vectors, size, a, b);
  }
  return { vectors, squares: Array.from({ length: size }, (_, at) => matrix[at * size + at] as number) };
}

function rotate(matrix: Float64Array, vectors: Float64Array, size: number, a: number, b: number): void {
  const off = matrix[a * size + b] as number;
  if (off === 0) return;
  const theta = ((matrix[b * size + b] as number) - (matrix[a * size + a] as number)) / (2 * off);
  const tangent = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  const turn = (values: Float64Array, first: number, second: number): void => {
    const x = values[first] as number;
    const y = values[second] as number;
    values[first] = cosine * x - sine * y;
    values[second] = sine * x + cosine * y;
  };
  for (let at = 0; at < size; at++) turn(matrix, at * size + a, at * size + b);
  for (let at = 0; at < size; at++) turn(matrix, a * size + at, b * size + at);
  for (let at = 0; at < size; at++) turn(vectors, at * size + a, at * size + b);
}
