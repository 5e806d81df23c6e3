// TensorProto <-> the protocol's Tensor, and a TensorProto file's bytes <-> a named Tensor.
import {
  DTYPE_BITS,
  decodeStrings,
  elementCount,
  KerfError,
  makeTensor,
  stringTensor,
  type Tensor,
} from '@kerf/protocol';
import { DATA_TYPES, type DataTypeInfo, numberOfDType } from './data-types.ts';
import type { TensorRecord } from './model.ts';
import { ReadContext } from './read-context.ts';
import { readTensor } from './read-tensor.ts';
import { TENSOR } from './schema.ts';
import { TYPED_FIELD_NUMBERS, verifyTensor } from './verify-tensors.ts';
import { decodeInt64, decodeUint64, FieldReader, plainBytes, WIRE } from './wire-reader.ts';
import { type Chunks, intField, messageField, stringField, varint } from './wire-writer.ts';

/** A tensor with the name that its file gives it. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * Reads a serialised TensorProto, such as `test_data_set_0/input_0.pb`.
 * @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE, MODEL_UNSUPPORTED for a dtype without a JavaScript form or external data.
 */
export function tensorFromProto(file: Uint8Array): NamedTensor {
  const bytes = plainBytes(file);
  const context = new ReadContext(bytes);
  const record = readTensor(context, 'tensor', -1, { start: 0, end: bytes.byteLength });
  verifyTensor(record, 'the tensor');
  return { name: record.name, tensor: tensorOfRecord(bytes, record) };
}

/**
 * The elements of a verified tensor of a model. Raw data is a view of the file where it holds no strings.
 * @throws {KerfError} MODEL_UNSUPPORTED for a dtype without a JavaScript form or external data.
 */
export function tensorOfRecord(bytes: Uint8Array, record: TensorRecord): Tensor {
  const info = DATA_TYPES.get(record.dataType);
  if (info === undefined || info.dtype === null) {
    throw new KerfError('MODEL_UNSUPPORTED', `tensors of type ${info?.name ?? record.dataType} cannot be read here`);
  }
  if (record.external !== null) throw new KerfError('MODEL_UNSUPPORTED', 'the tensor keeps its data in another file');
  if (record.raw !== null) {
    return makeTensor(info.dtype, record.dims, bytes.subarray(record.raw.start, record.raw.end));
  }
  if (info.dtype === 'string') return stringTensor(record.dims, readStrings(bytes, record));
  const size = Math.ceil((elementCount(record.dims) * DTYPE_BITS[info.dtype]) / 8);
  return makeTensor(info.dtype, record.dims, readTyped(bytes, record, info, new Uint8Array(size)));
}

function readStrings(bytes: Uint8Array, record: TensorRecord): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const strings: string[] = [];
  const reader = new FieldReader(bytes, record.span, () => 'the tensor');
  while (reader.next()) {
    if (reader.field !== TENSOR.stringData) continue;
    try {
      strings.push(decoder.decode(bytes.subarray(reader.start, reader.end)));
    } catch (cause) {
      throw KerfError.from(cause, 'MODEL_UNSUPPORTED', 'a string of the tensor is not valid UTF-8');
    }
  }
  return strings;
}

/** Copies the typed data field of the tensor's type into little-endian elements. */
function readTyped(bytes: Uint8Array, record: TensorRecord, info: DataTypeInfo, into: Uint8Array): Uint8Array {
  const view = new DataView(into.buffer);
  const elementBytes = Math.max(1, info.bits / 8);
  const field = TYPED_FIELD_NUMBERS[info.field];
  const isFixed = info.field === 'floatData' || info.field === 'doubleData';
  let at = 0;
  const putVarint = (position: number): void => {
    if (elementBytes === 8) view.setBigUint64(at, decodeUint64(bytes, position), true);
    else if (elementBytes === 4) view.setUint32(at, decodeInt64(bytes, position) >>> 0, true);
    else if (elementBytes === 2) view.setUint16(at, decodeInt64(bytes, position) & 0xffff, true);
    else view.setUint8(at, decodeInt64(bytes, position) & 0xff);
    at += elementBytes;
  };
  const reader = new FieldReader(bytes, record.span, () => 'the tensor');
  while (reader.next()) {
    if (reader.field !== field) continue;
    if (isFixed) {
      into.set(bytes.subarray(reader.start, reader.end), at);
      at += reader.end - reader.start;
    } else if (reader.wire === WIRE.varint) putVarint(reader.start);
    else {
      for (let position = reader.start; position < reader.end; position++) {
        putVarint(position);
        while ((bytes[position] as number) >= 0x80) position++;
      }
    }
  }
  return into;
}

/** A TensorProto of a tensor; numbers as raw data, without a copy. */
export function tensorToProto(name: string, tensor: Tensor): Chunks {
  const chunks: Uint8Array[] = [];
  if (tensor.shape.length > 0) {
    chunks.push(...messageField(TENSOR.dims, [Uint8Array.from(tensor.shape.flatMap((size) => varint(size)))]));
  }
  chunks.push(intField(TENSOR.dataType, numberOfDType(tensor.dtype)));
  if (name !== '') chunks.push(stringField(TENSOR.name, name));
  if (tensor.dtype === 'string') {
    const strings = decodeStrings(tensor.data, elementCount(tensor.shape));
    for (const value of strings) chunks.push(stringField(TENSOR.stringData, value));
  } else chunks.push(...messageField(TENSOR.rawData, [tensor.data]));
  return chunks;
}
