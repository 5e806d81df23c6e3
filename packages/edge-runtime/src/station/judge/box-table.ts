// A tensor of boxes, scores or labels -> rows of numbers, whatever its type and its leading axes of one.
import { describeTensor, elementCount, KerfError, type Tensor } from '@kerf/protocol';
import { numbersOf } from './tensor-numbers.ts';

/** A row a box. */
export interface BoxTable {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
  /** Where in `values` the first number is, and how far it is to the next row and the next column. */
  readonly first: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** @throws {KerfError} TENSOR_MISMATCH for a tensor that is not [rows, columns] behind axes of one. */
export function boxTable(name: string, tensor: Tensor): BoxTable {
  const leading = Math.max(0, tensor.shape.length - 2);
  const [rows, columns] = tensor.shape.slice(leading);
  if (rows === undefined || columns === undefined || elementCount(tensor.shape.slice(0, leading)) !== 1) {
    throw mismatch(`output '${name}' is ${describeTensor(tensor)}: boxes are [1, boxes, columns] or [boxes, columns]`);
  }
  return { name, rows, columns, values: numbersOf(tensor), first: 0, rowStep: columns, columnStep: 1 };
}

/** One number for each of `count` boxes. @throws {KerfError} TENSOR_MISMATCH. */
export function boxColumn(name: string, tensor: Tensor, count: number): BoxTable {
  if (elementCount(tensor.shape) !== count) {
    throw mismatch(`output '${name}' is ${describeTensor(tensor)}, and there are ${count} boxes`);
  }
  return { name, rows: count, columns: 1, values: numbersOf(tensor), first: 0, rowStep: 1, columnStep: 1 };
}

/** Rows and columns in each other's place. */
export function turned(table: BoxTable): BoxTable {
  const { rows, columns, rowStep, columnStep } = table;
  return { ...table, rows: columns, columns: rows, rowStep: columnStep, columnStep: rowStep };
}

/** Some of its columns. */
export function columnsOf(table: BoxTable, from: number, columns: number): BoxTable {
  return { ...table, columns, first: table.first + from * table.columnStep };
}

export function numberAt({ values, first, rowStep, columnStep }: BoxTable, row: number, column: number): number {
  return values[first + row * rowStep + column * columnStep] as number;
}

export function mismatch(message: string): KerfError {
  return new KerfError('TENSOR_MISMATCH', message);
}
