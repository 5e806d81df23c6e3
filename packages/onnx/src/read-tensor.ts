// TensorProto and SparseTensorProto bytes -> records; the elements are counted, never decoded.
import type { ExternalRef, SparseTensorRecord, TensorRecord } from './model.ts';
import type { ReadContext } from './read-context.ts';
import { ENTRY, SPARSE, TENSOR } from './schema.ts';
import { countPackedVarints, decodeInt64, type FieldReader, type Span, WIRE } from './wire-reader.ts';

const EXTERNAL_LOCATION = 1;

/** @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE. */
export function readTensor(context: ReadContext, label: string, index: number, span: Span): TensorRecord {
  return context.within(label, index, span, (reader) => {
    const dims: number[] = [];
    const entries = new Map<string, string>();
    let counts: Map<number, number> | null = null;
    let name = '';
    let dataType = 0;
    let raw: Span | null = null;
    let location = 0;
    while (reader.next()) {
      switch (reader.field) {
        case TENSOR.dims:
          readInts(context, reader, dims);
          if (dims.length > context.limits.maxRank) {
            throw context.tooLarge(`a tensor has more than ${context.limits.maxRank} dimensions`);
          }
          break;
        case TENSOR.dataType:
          dataType = reader.int();
          break;
        case TENSOR.name:
          name = context.name(reader);
          break;
        case TENSOR.rawData:
          raw = reader.span();
          break;
        case TENSOR.externalData:
          readEntry(context, reader, entries);
          break;
        case TENSOR.dataLocation:
          location = reader.int();
          break;
        case TENSOR.segment:
          throw reader.malformed('a tensor is split into segments, which no runtime reads');
        case TENSOR.floatData:
        case TENSOR.int32Data:
        case TENSOR.stringData:
        case TENSOR.int64Data:
        case TENSOR.doubleData:
        case TENSOR.uint64Data:
          counts ??= new Map<number, number>();
          counts.set(reader.field, (counts.get(reader.field) ?? 0) + countElements(reader));
          break;
        default:
      }
    }
    const external = location === EXTERNAL_LOCATION ? externalRef(reader, entries) : null;
    return { span, name, dataType, dims, external, raw, typedCounts: counts };
  });
}

/** @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE. */
export function readSparseTensor(context: ReadContext, label: string, index: number, span: Span): SparseTensorRecord {
  return context.within(label, index, span, (reader) => {
    const dims: number[] = [];
    let values: TensorRecord | null = null;
    let indices: TensorRecord | null = null;
    while (reader.next()) {
      if (reader.field === SPARSE.values) values = readTensor(context, 'values', -1, reader.span());
      else if (reader.field === SPARSE.indices) indices = readTensor(context, 'indices', -1, reader.span());
      else if (reader.field === SPARSE.dims) readInts(context, reader, dims);
    }
    return { span, name: values?.name ?? '', values, indices, dims };
  });
}

/** Appends the integers of a field, packed or not. */
export function readInts(context: ReadContext, reader: FieldReader, into: number[]): void {
  if (reader.wire === WIRE.varint) {
    context.record(1);
    into.push(reader.int());
    return;
  }
  reader.expect(WIRE.bytes);
  context.record(countPackedVarints(reader));
  let at = reader.start;
  while (at < reader.end) {
    into.push(decodeInt64(reader.bytes, at));
    while ((reader.bytes[at] as number) >= 0x80) at++;
    at++;
  }
}

function countElements(reader: FieldReader): number {
  if (reader.field === TENSOR.stringData) {
    reader.expect(WIRE.bytes);
    return 1;
  }
  const fixed =
    reader.field === TENSOR.floatData ? WIRE.fixed32 : reader.field === TENSOR.doubleData ? WIRE.fixed64 : null;
  if (reader.wire === (fixed ?? WIRE.varint)) return 1;
  reader.expect(WIRE.bytes);
  if (fixed === null) return countPackedVarints(reader);
  const size = fixed === WIRE.fixed32 ? 4 : 8;
  const length = reader.end - reader.start;
  if (length % size !== 0) throw reader.malformed(`a packed list of ${size}-byte numbers has ${length} bytes`);
  return length / size;
}

function readEntry(context: ReadContext, reader: FieldReader, entries: Map<string, string>): void {
  context.within('external_data', -1, reader.span(), (entry) => {
    let key = '';
    let value = '';
    while (entry.next()) {
      if (entry.field === ENTRY.key) key = context.name(entry);
      else if (entry.field === ENTRY.value) value = context.name(entry);
    }
    if (entries.has(key)) throw entry.malformed(`external data says '${key}' twice`);
    entries.set(key, value);
  });
}

function externalRef(reader: FieldReader, entries: ReadonlyMap<string, string>): ExternalRef {
  const location = entries.get('location');
  if (location === undefined) throw reader.malformed('external data has no location');
  const number = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
      throw reader.malformed(`the ${key} of external data is not a whole number of bytes`);
    }
    return value;
  };
  return { location, offset: number('offset') ?? 0, length: number('length') };
}
