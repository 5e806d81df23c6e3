// Elements as JSON numbers, booleans and strings, flat or nested <-> the bytes of a tensor.
import {
  bytesOf,
  type DType,
  decodeStrings,
  elementCount,
  KerfError,
  makeTensor,
  stringTensor,
  type Tensor,
  typedView,
} from '@kerf/protocol';

type Bounds = readonly [number, number];
const INTEGERS: Partial<Record<DType, Bounds>> = {
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 4_294_967_295],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  int32: [-2_147_483_648, 2_147_483_647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/**
 * A tensor from its elements in JSON, row by row, nested as the shape is or flat.
 * @throws {KerfError} TENSOR_MISMATCH for a wrong count or an element that is not of the dtype.
 */
export function tensorFromJson(name: string, dtype: DType, shape: readonly number[], data: unknown): Tensor {
  const count = elementCount(shape);
  const values: unknown[] = [];
  flatten(data, shape.length, values, count, name);
  if (values.length !== count) throw wrong(name, `needs ${count} elements, got ${values.length}`);
  if (dtype === 'string') {
    if (!values.every((value) => typeof value === 'string')) throw wrong(name, 'holds strings');
    return stringTensor(shape, values as string[]);
  }
  if (dtype === 'float16') throw wrong(name, 'of datatype FP16 must be sent as binary data');
  if (dtype === 'bool') {
    const isBool = (value: unknown): boolean => typeof value === 'boolean' || value === 0 || value === 1;
    if (!values.every(isBool)) throw wrong(name, 'holds true and false');
    return makeTensor(dtype, shape, Uint8Array.from(values, Number));
  }
  const bounds = INTEGERS[dtype];
  const arrayOf = ARRAYS[dtype];
  if (arrayOf === undefined) throw wrong(name, `of dtype ${dtype} cannot be sent as JSON`);
  const isFine = (value: unknown): boolean =>
    typeof value === 'number' &&
    (bounds === undefined || (Number.isInteger(value) && value >= bounds[0] && value <= bounds[1]));
  if (!values.every(isFine)) {
    const hint = dtype === 'int64' || dtype === 'uint64' ? ' (beyond 2^53 as binary data)' : '';
    throw wrong(name, `holds an element that is no ${dtype}${hint}`);
  }
  return makeTensor(dtype, shape, bytesOf(arrayOf(values as number[])));
}

const ARRAYS: Partial<Record<DType, (values: readonly number[]) => ArrayBufferView>> = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int64: (values) => BigInt64Array.from(values, BigInt),
  uint64: (values) => BigUint64Array.from(values, BigInt),
  int32: (values) => Int32Array.from(values),
  uint32: (values) => Uint32Array.from(values),
  int16: (values) => Int16Array.from(values),
  uint16: (values) => Uint16Array.from(values),
  int8: (values) => Int8Array.from(values),
  uint8: (values) => Uint8Array.from(values),
};

function flatten(data: unknown, depth: number, into: unknown[], most: number, name: string): void {
  if (!Array.isArray(data)) throw wrong(name, "needs its elements as a list in 'data'");
  for (const value of data as unknown[]) {
    if (Array.isArray(value) && depth > 1) flatten(value, depth - 1, into, most, name);
    else into.push(value);
    if (into.length > most) throw wrong(name, `has more than ${most} elements`);
  }
}

/**
 * The elements as the text of a flat JSON list.
 * @throws {KerfError} TENSOR_MISMATCH for what JSON cannot hold: FP16, NaN and infinity.
 */
export function jsonOfTensor(name: string, tensor: Tensor): string {
  const { dtype, shape, data } = tensor;
  if (dtype === 'string') return JSON.stringify(decodeStrings(data, elementCount(shape)));
  if (dtype === 'float16') throw wrong(name, 'is FP16: ask for it as binary data');
  if (dtype === 'bool') return `[${[...data].map((value) => value !== 0).join(',')}]`;
  const values = [...(typedView(tensor) as Iterable<number | bigint>)];
  const isFinite = values.every((value) => typeof value === 'bigint' || Number.isFinite(value));
  if (!isFinite) throw wrong(name, 'holds NaN or infinity, which JSON cannot carry: ask for it as binary data');
  return `[${values.join(',')}]`;
}

function wrong(name: string, what: string): KerfError {
  return new KerfError('TENSOR_MISMATCH', `tensor '${name}' ${what}`, { details: { tensor: name } });
}
