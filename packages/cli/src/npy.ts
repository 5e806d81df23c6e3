// NumPy's .npy files <-> tensors, so that inputs come from and outputs go to any Python script.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (versions 1.0 to 3.0).
import { byteLengthOf, type DType, describeTensor, KerfError, makeTensor, type Tensor } from '@kerf/protocol';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const HEADER_ALIGNMENT = 64;

const DTYPES: Readonly<Record<string, DType>> = {
  '<f4': 'float32',
  '<f8': 'float64',
  '<f2': 'float16',
  '|i1': 'int8',
  '<i2': 'int16',
  '<i4': 'int32',
  '<i8': 'int64',
  '|u1': 'uint8',
  '<u2': 'uint16',
  '<u4': 'uint32',
  '<u8': 'uint64',
  '|b1': 'bool',
};
const DESCRIPTIONS = new Map(Object.entries(DTYPES).map(([descr, dtype]) => [dtype, descr]));

/** @throws {KerfError} TENSOR_MISMATCH for another format, a big-endian, Fortran-ordered or object array, or a wrong size. */
export function decodeNpy(bytes: Uint8Array): Tensor {
  if (bytes.byteLength < 12 || MAGIC.some((byte, at) => bytes[at] !== byte)) throw broken('it is not a .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 0) >= 2;
  const start = wide ? 12 : 10;
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.byteLength) throw broken('its header is cut short');
  const header = new TextDecoder('utf-8').decode(bytes.subarray(start, end));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? '';
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const dtype = Object.hasOwn(DTYPES, descr) ? DTYPES[descr] : undefined;
  if (dtype === undefined) throw broken(`its dtype '${descr}' is not carried; save it little-endian as a plain number`);
  if (sizes === undefined) throw broken('its header has no shape');
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  if (/'fortran_order':\s*True/.test(header) && shape.length > 1) {
    throw broken('it is in Fortran order; save numpy.ascontiguousarray(x)');
  }
  return makeTensor(dtype, shape, bytes.subarray(end));
}

/** @throws {KerfError} TENSOR_MISMATCH for a dtype that NumPy has no plain form of. */
export function encodeNpy(tensor: Tensor): Uint8Array {
  const descr = DESCRIPTIONS.get(tensor.dtype);
  if (descr === undefined) throw broken(`${describeTensor(tensor)} has no .npy form`);
  const shape = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(', ');
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const unpadded = 10 + dictionary.length + 1;
  const total = Math.ceil(unpadded / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const bytes = new Uint8Array(total + byteLengthOf(tensor.dtype, tensor.shape));
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, total - 10, true);
  bytes.set(new TextEncoder().encode(`${dictionary.padEnd(total - 11)}\n`), 10);
  bytes.set(tensor.data, total);
  return bytes;
}

function broken(reason: string): KerfError {
  return new KerfError('TENSOR_MISMATCH', `the array cannot be used: ${reason}`);
}
