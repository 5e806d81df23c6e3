// ValueInfoProto and TypeProto bytes -> the declared type of a value.
import type { Dimension } from '@kerf/protocol';
import type { ValueInfoRecord, ValueType } from './model.ts';
import type { ReadContext } from './read-context.ts';
import { DIMENSION, TENSOR_TYPE, TYPE, VALUE_INFO } from './schema.ts';
import type { FieldReader, Span } from './wire-reader.ts';

const UNKNOWN: ValueType = { kind: 'unknown' };

/** @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE for a type that is nested too deeply. */
export function readValueInfo(context: ReadContext, label: string, index: number, span: Span): ValueInfoRecord {
  return context.within(label, index, span, (reader) => {
    let name = '';
    let type = UNKNOWN;
    while (reader.next()) {
      if (reader.field === VALUE_INFO.name) name = context.name(reader);
      else if (reader.field === VALUE_INFO.type) type = readType(context, reader.span());
    }
    return { span, name, type };
  });
}

function readType(context: ReadContext, span: Span): ValueType {
  return context.within('type', -1, span, (reader) => {
    let type = UNKNOWN;
    while (reader.next()) {
      switch (reader.field) {
        case TYPE.tensor:
          type = readTensorType(context, reader.span());
          break;
        case TYPE.sparseTensor:
          type = { kind: 'sparse' };
          break;
        case TYPE.opaque:
          type = { kind: 'opaque' };
          break;
        case TYPE.sequence:
          walkInner(context, reader, 1);
          type = { kind: 'sequence' };
          break;
        case TYPE.map:
          walkInner(context, reader, 2);
          type = { kind: 'map' };
          break;
        case TYPE.optional:
          walkInner(context, reader, 1);
          type = { kind: 'optional' };
          break;
        default:
      }
    }
    return type;
  });
}

/** Walks the type inside a sequence, map or optional: only its nesting matters here. */
function walkInner(context: ReadContext, reader: FieldReader, typeField: number): void {
  context.within('element', -1, reader.span(), (inner) => {
    while (inner.next()) if (inner.field === typeField && inner.wire === 2) readType(context, inner.span());
  });
}

function readTensorType(context: ReadContext, span: Span): ValueType {
  return context.within('tensor_type', -1, span, (reader) => {
    let dataType = 0;
    let shape: Dimension[] | null = null;
    while (reader.next()) {
      if (reader.field === TENSOR_TYPE.elemType) dataType = reader.int();
      else if (reader.field === TENSOR_TYPE.shape) shape = readShape(context, reader.span());
    }
    return { kind: 'tensor', dataType, shape };
  });
}

function readShape(context: ReadContext, span: Span): Dimension[] {
  return context.within('shape', -1, span, (reader) => {
    const dimensions: Dimension[] = [];
    while (reader.next()) {
      if (reader.field !== 1) continue;
      if (dimensions.length >= context.limits.maxRank) {
        throw context.tooLarge(`a shape has more than ${context.limits.maxRank} dimensions`);
      }
      dimensions.push(readDimension(context, reader.span()));
    }
    return dimensions;
  });
}

function readDimension(context: ReadContext, span: Span): Dimension {
  return context.within('dim', -1, span, (reader) => {
    let dimension: Dimension = null;
    while (reader.next()) {
      if (reader.field === DIMENSION.value) {
        const value = reader.int();
        // Exporters write -1 for a size they do not know.
        dimension = value < 0 || !Number.isSafeInteger(value) ? null : value;
      } else if (reader.field === DIMENSION.param) {
        const param = context.name(reader);
        dimension = param === '' ? null : param;
      }
    }
    return dimension;
  });
}
