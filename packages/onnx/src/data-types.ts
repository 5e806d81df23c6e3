// TensorProto.DataType numbers <-> dtypes, and where each keeps its elements.
import type { DType } from '@kerf/protocol';

/** How the typed data fields of a TensorProto hold a type. */
export type TypedField = 'floatData' | 'int32Data' | 'stringData' | 'int64Data' | 'doubleData' | 'uint64Data';

export interface DataTypeInfo {
  readonly name: string;
  /** Null for types that ONNX Runtime's JavaScript API cannot carry. */
  readonly dtype: DType | null;
  /** Bits per element in raw data; 0 for strings. */
  readonly bits: number;
  readonly field: TypedField;
  /** Elements of the typed field per tensor element: 2 for complex; 4- and 2-bit types pack a byte into one int32. */
  readonly fieldElements: number;
}

const type = (name: string, dtype: DType | null, bits: number, field: TypedField, fieldElements = 1): DataTypeInfo => ({
  name,
  dtype,
  bits,
  field,
  fieldElements,
});

/** By number of TensorProto.DataType. */
export const DATA_TYPES: ReadonlyMap<number, DataTypeInfo> = new Map([
  [1, type('float32', 'float32', 32, 'floatData')],
  [2, type('uint8', 'uint8', 8, 'int32Data')],
  [3, type('int8', 'int8', 8, 'int32Data')],
  [4, type('uint16', 'uint16', 16, 'int32Data')],
  [5, type('int16', 'int16', 16, 'int32Data')],
  [6, type('int32', 'int32', 32, 'int32Data')],
  [7, type('int64', 'int64', 64, 'int64Data')],
  [8, type('string', 'string', 0, 'stringData')],
  [9, type('bool', 'bool', 8, 'int32Data')],
  [10, type('float16', 'float16', 16, 'int32Data')],
  [11, type('float64', 'float64', 64, 'doubleData')],
  [12, type('uint32', 'uint32', 32, 'uint64Data')],
  [13, type('uint64', 'uint64', 64, 'uint64Data')],
  [14, type('complex64', null, 64, 'floatData', 2)],
  [15, type('complex128', null, 128, 'doubleData', 2)],
  [16, type('bfloat16', null, 16, 'int32Data')],
  [17, type('float8e4m3fn', null, 8, 'int32Data')],
  [18, type('float8e4m3fnuz', null, 8, 'int32Data')],
  [19, type('float8e5m2', null, 8, 'int32Data')],
  [20, type('float8e5m2fnuz', null, 8, 'int32Data')],
  [21, type('uint4', 'uint4', 4, 'int32Data', 0.5)],
  [22, type('int4', 'int4', 4, 'int32Data', 0.5)],
  [23, type('float4e2m1', null, 4, 'int32Data', 0.5)],
  [24, type('float8e8m0', null, 8, 'int32Data')],
  [25, type('uint2', null, 2, 'int32Data', 0.25)],
  [26, type('int2', null, 2, 'int32Data', 0.25)],
]);

const NUMBERS = new Map<DType, number>();
for (const [number, info] of DATA_TYPES) if (info.dtype !== null) NUMBERS.set(info.dtype, number);

/** The dtype of a TensorProto.DataType number; null when ONNX Runtime's JavaScript API has none. */
export function dtypeOfNumber(number: number): DType | null {
  return DATA_TYPES.get(number)?.dtype ?? null;
}

/** The TensorProto.DataType number of a dtype. */
export function numberOfDType(dtype: DType): number {
  return NUMBERS.get(dtype) ?? 0;
}
