// Checks of one TensorProto: type, dims against the bytes held, and where external data may lie.
import { KerfError } from '@kerf/protocol';
import { DATA_TYPES, type DataTypeInfo, type TypedField } from './data-types.ts';
import { type ExternalRef, type SparseTensorRecord, shorten, type TensorRecord } from './model.ts';
import { TENSOR } from './schema.ts';

/** Field number of each typed data field. */
export const TYPED_FIELD_NUMBERS: Record<TypedField, number> = {
  floatData: TENSOR.floatData,
  int32Data: TENSOR.int32Data,
  stringData: TENSOR.stringData,
  int64Data: TENSOR.int64Data,
  doubleData: TENSOR.doubleData,
  uint64Data: TENSOR.uint64Data,
};

/** Bytes of a tensor's elements in raw data; 0 for strings. The dims must have been checked. */
export function tensorByteLength(tensor: TensorRecord): number {
  const info = DATA_TYPES.get(tensor.dataType);
  const count = tensor.dims.reduce((product, size) => product * size, 1);
  return Math.ceil((count * (info?.bits ?? 0)) / 8);
}

/** @throws {KerfError} MODEL_MALFORMED, EXTERNAL_DATA. */
export function verifyTensor(tensor: TensorRecord, where: string): void {
  const fault = (what: string): KerfError => new KerfError('MODEL_MALFORMED', `${where}: ${what}`);
  const info = DATA_TYPES.get(tensor.dataType);
  if (info === undefined) throw fault(`the tensor has the unknown data type ${tensor.dataType}`);
  const count = checkDims(tensor.dims, fault);
  if (tensor.external !== null) {
    verifyExternal(tensor, info, tensor.external, where);
    return;
  }
  const shape = `${info.name}[${tensor.dims.slice(0, 16).join(', ')}]`;
  if (tensor.raw !== null) {
    if (info.bits === 0) throw fault('a string tensor cannot have raw data');
    const wanted = Math.ceil((count * info.bits) / 8);
    const held = tensor.raw.end - tensor.raw.start;
    if (held !== wanted) throw fault(`${shape} needs ${wanted} bytes, the file holds ${held}`);
    return;
  }
  const wanted = Math.ceil(count * info.fieldElements);
  const held = tensor.typedCounts?.get(TYPED_FIELD_NUMBERS[info.field]) ?? 0;
  if (held !== wanted) throw fault(`${shape} needs ${wanted} elements, the file holds ${held}`);
}

function checkDims(dims: readonly number[], fault: (what: string) => KerfError): number {
  let count = 1;
  for (const size of dims) {
    if (size < 0) throw fault(`the tensor has the negative dimension ${size}`);
    count *= size;
  }
  // Also where a zero hides a size that no integer holds.
  if (!dims.every(Number.isSafeInteger) || !Number.isSafeInteger(count * 16)) {
    throw fault(`the tensor declares [${dims.slice(0, 16).join(', ')}], more elements than any memory holds`);
  }
  return count;
}

/** @throws {KerfError} MODEL_MALFORMED, EXTERNAL_DATA. */
export function verifySparseTensor(sparse: SparseTensorRecord, where: string): void {
  const fault = (what: string): KerfError => new KerfError('MODEL_MALFORMED', `${where}: ${what}`);
  const { values, indices } = sparse;
  if (values === null || indices === null) throw fault('the sparse tensor lacks its values or its indices');
  checkDims(sparse.dims, fault);
  verifyTensor(values, where);
  verifyTensor(indices, where);
  const fits = indices.dims[0] === values.dims[0] && indices.dims.length >= 1 && indices.dims.length <= 2;
  if (values.dims.length !== 1 || !fits) throw fault('indices and values of the sparse tensor do not fit');
}

function verifyExternal(tensor: TensorRecord, info: DataTypeInfo, external: ExternalRef, where: string): void {
  const name = tensor.name === '' ? where : `tensor '${shorten(tensor.name)}'`;
  const fault = (what: string): KerfError => new KerfError('EXTERNAL_DATA', `external data of ${name}: ${what}`);
  if (info.bits === 0) throw fault('strings cannot be external');
  const problem = locationProblem(external.location);
  if (problem !== null) throw fault(problem);
  const wanted = tensorByteLength(tensor);
  if (external.length !== null && external.length !== wanted) {
    throw fault(`the model says ${external.length} bytes, its type and dims ask for ${wanted}`);
  }
  if (!Number.isSafeInteger(external.offset + wanted)) throw fault('the offset is beyond any file');
}

/**
 * Why a location may not be used, or null. Only a relative path that goes down is accepted, in any system's reading:
 * the same file must be safe on Linux, Windows and in a browser.
 */
export function locationProblem(location: string): string | null {
  if (location === '') return 'the location is empty';
  if (/\p{Cc}/u.test(location)) return 'the location holds a control character';
  if (location.startsWith('/') || location.startsWith('\\')) return 'the location is an absolute path';
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return 'the location is a drive or a URL, not a path beside the model';
  if (location.includes('\\')) return 'the location holds a backslash';
  const parts = location.split('/');
  if (parts.includes('..')) return "the location leaves the model's folder";
  if (parts.includes('_ORT_MEM_ADDR_')) return 'the location is an address in memory';
  if (location.endsWith('/') || parts.every((part) => part === '' || part === '.')) return 'the location is not a file';
  return null;
}
