// The Open Inference Protocol's names of element types <-> kerf's dtypes.
import { type DType, KerfError } from '@kerf/protocol';

/** `BYTES` lies in memory as kerf's strings do: for each element a uint32 length and its bytes. */
const DATATYPES: ReadonlyMap<DType, string> = new Map([
  ['bool', 'BOOL'],
  ['uint8', 'UINT8'],
  ['uint16', 'UINT16'],
  ['uint32', 'UINT32'],
  ['uint64', 'UINT64'],
  ['int8', 'INT8'],
  ['int16', 'INT16'],
  ['int32', 'INT32'],
  ['int64', 'INT64'],
  ['float16', 'FP16'],
  ['float32', 'FP32'],
  ['float64', 'FP64'],
  ['string', 'BYTES'],
]);
const DTYPES = new Map([...DATATYPES].map(([dtype, datatype]) => [datatype, dtype]));

/** @throws {KerfError} MODEL_UNSUPPORTED: the protocol has no name for it. */
export function datatypeOf(dtype: DType | null): string {
  const datatype = dtype === null ? undefined : DATATYPES.get(dtype);
  if (datatype === undefined) {
    throw new KerfError('MODEL_UNSUPPORTED', `the protocol has no datatype for ${dtype ?? 'what is no tensor'}`);
  }
  return datatype;
}

/** @throws {KerfError} TENSOR_MISMATCH. */
export function dtypeOf(datatype: unknown): DType {
  const dtype = typeof datatype === 'string' ? DTYPES.get(datatype) : undefined;
  if (dtype === undefined) {
    throw new KerfError('TENSOR_MISMATCH', `a datatype must be one of ${[...DTYPES.keys()].join(', ')}`);
  }
  return dtype;
}
