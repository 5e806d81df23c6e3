// A value's name and type -> ValueInfoProto bytes.
import type { Dimension } from '@kerf/protocol';
import type { ValueType } from './model.ts';
import { DIMENSION, TENSOR_TYPE, TYPE, VALUE_INFO } from './schema.ts';
import { type Chunks, intField, messageField, stringField } from './wire-writer.ts';

/** The message for a value; a type that is null or not a tensor is left to the runtime to infer. */
export function encodeValueInfo(name: string, type: ValueType | null): Chunks {
  const chunks = [stringField(VALUE_INFO.name, name)];
  if (type?.kind === 'tensor' && type.dataType > 0) {
    const tensor = [intField(TENSOR_TYPE.elemType, type.dataType)];
    if (type.shape !== null) tensor.push(...messageField(TENSOR_TYPE.shape, encodeShape(type.shape)));
    chunks.push(...messageField(VALUE_INFO.type, messageField(TYPE.tensor, tensor)));
  }
  return chunks;
}

function encodeShape(shape: readonly Dimension[]): Chunks {
  return shape.flatMap((dimension) => {
    if (dimension === null) return messageField(1, []);
    const field =
      typeof dimension === 'number' ? intField(DIMENSION.value, dimension) : stringField(DIMENSION.param, dimension);
    return messageField(1, [field]);
  });
}
