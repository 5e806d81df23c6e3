// Tensors as raw little-endian bytes with a dtype and a shape: the form that the wire, the codecs and the runtimes share.
import { KerfError } from './errors.ts';
import { checkStringBytes } from './string-bytes.ts';

/** Bits per element of every dtype that ONNX Runtime's JavaScript API carries; `string` has no fixed size. */
export const DTYPE_BITS = {
  float32: 32,
  float64: 64,
  float16: 16,
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  bool: 8,
  int4: 4,
  uint4: 4,
  string: 0,
} as const;

export type DType = keyof typeof DTYPE_BITS;

export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BITS, value);
}

/**
 * A dense tensor. `data` holds the elements in row-major order, little-endian; two 4-bit elements a byte, low nibble
 * first; for `string`, each element as a uint32 byte length followed by its UTF-8 bytes.
 */
export interface Tensor {
  readonly dtype: DType;
  /** Row-major dimensions; `[]` is a scalar. */
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Tensors by name. A map, since a name may be any string. */
export type TensorMap = ReadonlyMap<string, Tensor>;

/** A dimension as a model declares it: a size, a symbol, or null when nothing is known. */
export type Dimension = number | string | null;

/** What a model declares of an input or output. */
export interface TensorSpec {
  readonly name: string;
  /** Null when the value is not a tensor (a sequence, a map, an optional). */
  readonly dtype: DType | null;
  /** Null when the rank is unknown. */
  readonly shape: readonly Dimension[] | null;
}

/** Number of elements of a shape. @throws {KerfError} TENSOR_MISMATCH for a negative, fractional or overflowing size. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new KerfError('TENSOR_MISMATCH', `shape [${shape.join(', ')}] has a dimension that is not a whole number`);
    }
    count *= size;
  }
  if (!Number.isSafeInteger(count)) {
    throw new KerfError('TENSOR_MISMATCH', `shape [${shape.join(', ')}] has too many elements`);
  }
  return count;
}

/** Bytes of a dense tensor of a fixed-size dtype. @throws {KerfError} TENSOR_MISMATCH for `string` or a bad shape. */
export function byteLengthOf(dtype: DType, shape: readonly number[]): number {
  const bits = DTYPE_BITS[dtype];
  if (bits === 0) throw new KerfError('TENSOR_MISMATCH', 'a string tensor has no fixed byte length');
  const count = elementCount(shape);
  return bits === 4 ? Math.ceil(count / 2) : count * (bits / 8);
}

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * A checked tensor. On a string tensor the elements are walked once.
 * @throws {KerfError} TENSOR_MISMATCH when `data` has not the length that dtype and shape ask for.
 */
export function makeTensor(dtype: DType, shape: readonly number[], data: Uint8Array): Tensor {
  if (dtype === 'string') {
    checkStringBytes(data, elementCount(shape));
  } else {
    const expected = byteLengthOf(dtype, shape);
    if (data.byteLength !== expected) {
      throw new KerfError(
        'TENSOR_MISMATCH',
        `${dtype}[${shape.join(', ')}] needs ${expected} bytes, got ${data.byteLength}`,
      );
    }
  }
  return { dtype, shape, data };
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** A float32 tensor over `values`, without a copy. */
export function float32Tensor(shape: readonly number[], values: Float32Array): Tensor {
  return makeTensor('float32', shape, bytesOf(values));
}

const TYPED_ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  int4: Uint8Array,
  uint4: Uint8Array,
} as const;

export type NumericDType = keyof typeof TYPED_ARRAYS;
export type TypedView<D extends NumericDType> = InstanceType<(typeof TYPED_ARRAYS)[D]>;

/**
 * The elements as the typed array that ONNX Runtime uses for the dtype (float16 as Uint16Array, 4-bit types packed).
 * A view where the bytes are aligned, else a copy.
 */
export function typedView<D extends NumericDType>(tensor: Tensor & { readonly dtype: D }): TypedView<D>;
export function typedView(tensor: Tensor): TypedView<NumericDType>;
export function typedView(tensor: Tensor): TypedView<NumericDType> {
  if (tensor.dtype === 'string') throw new KerfError('TENSOR_MISMATCH', 'a string tensor has no typed view');
  if (!HOST_IS_LITTLE_ENDIAN) throw new KerfError('BACKEND_UNAVAILABLE', 'big-endian machines are not supported');
  const ArrayType = TYPED_ARRAYS[tensor.dtype];
  const size = ArrayType.BYTES_PER_ELEMENT;
  const { data } = tensor;
  // Not slice(): on a Node Buffer that is a view, at the same odd address.
  const aligned = data.byteOffset % size === 0 ? data : new Uint8Array(data);
  return new ArrayType(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** A string tensor. */
export function stringTensor(shape: readonly number[], values: readonly string[]): Tensor {
  if (elementCount(shape) !== values.length) {
    throw new KerfError('TENSOR_MISMATCH', `string[${shape.join(', ')}] got ${values.length} values`);
  }
  const encoded = values.map((value) => new TextEncoder().encode(value));
  const data = new Uint8Array(encoded.reduce((sum, bytes) => sum + 4 + bytes.byteLength, 0));
  const view = new DataView(data.buffer);
  let at = 0;
  for (const bytes of encoded) {
    view.setUint32(at, bytes.byteLength, true);
    data.set(bytes, at + 4);
    at += 4 + bytes.byteLength;
  }
  return { dtype: 'string', shape, data };
}

/** The elements of a string tensor's bytes. @throws {KerfError} TENSOR_MISMATCH when they do not hold exactly `count` strings. */
export function decodeStrings(data: Uint8Array, count: number): string[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const broken = (): KerfError => new KerfError('TENSOR_MISMATCH', `string data does not hold ${count} UTF-8 strings`);
  // Every element takes at least its length field: checked before anything is allocated.
  if (count * 4 > data.byteLength) throw broken();
  const values: string[] = [];
  let at = 0;
  while (values.length < count) {
    if (at + 4 > data.byteLength) throw broken();
    const length = view.getUint32(at, true);
    at += 4;
    if (length > data.byteLength - at) throw broken();
    try {
      values.push(UTF8.decode(data.subarray(at, at + length)));
    } catch {
      throw broken();
    }
    at += length;
  }
  if (at !== data.byteLength) throw broken();
  return values;
}

/** `float32[1, 3, H, ?]`: a tensor or spec for people. */
export function describeTensor(tensor: {
  readonly dtype: DType | null;
  readonly shape: readonly Dimension[] | null;
}): string {
  const shape = tensor.shape === null ? '[...]' : `[${tensor.shape.map((size) => size ?? '?').join(', ')}]`;
  return `${tensor.dtype ?? 'non-tensor'}${shape}`;
}

/**
 * Checks a tensor against what the model declares; an input that is no plain tensor (an optional) is left to the runtime.
 * @throws {KerfError} TENSOR_MISMATCH that names the tensor, what was expected and what came.
 */
export function checkTensor(tensor: Tensor, spec: TensorSpec): void {
  const fits =
    spec.dtype === null ||
    (tensor.dtype === spec.dtype &&
      (spec.shape === null ||
        (spec.shape.length === tensor.shape.length &&
          spec.shape.every((size, axis) => typeof size !== 'number' || size === tensor.shape[axis]))));
  if (!fits) {
    throw new KerfError(
      'TENSOR_MISMATCH',
      `tensor '${spec.name}' must be ${describeTensor(spec)}, got ${describeTensor(tensor)}`,
      { details: { tensor: spec.name } },
    );
  }
  makeTensor(tensor.dtype, tensor.shape, tensor.data);
}

/**
 * Checks that `tensors` holds exactly the tensors that `specs` declare.
 * @throws {KerfError} TENSOR_MISMATCH for a missing, surplus or unfitting tensor.
 */
export function checkTensors(tensors: TensorMap, specs: readonly TensorSpec[]): void {
  for (const spec of specs) {
    const tensor = tensors.get(spec.name);
    if (tensor === undefined) {
      throw new KerfError('TENSOR_MISMATCH', `tensor '${spec.name}' (${describeTensor(spec)}) is missing`);
    }
    checkTensor(tensor, spec);
  }
  if (tensors.size > specs.length) {
    const known = new Set(specs.map((spec) => spec.name));
    const surplus = [...tensors.keys()].filter((name) => !known.has(name));
    throw new KerfError(
      'TENSOR_MISMATCH',
      `tensor '${surplus[0]}' is not an input; inputs are ${[...known].join(', ')}`,
    );
  }
}
