// A tensor whose data lies in another file -> its TensorProto.
import type { Tensor } from '@kerf/protocol';
import { numberOfDType } from './data-types.ts';
import { ENTRY, TENSOR } from './schema.ts';
import { type Chunks, intField, messageField, stringField } from './wire-writer.ts';

const LOCATION_EXTERNAL = 1;

/** Where the data lies: `location`, and `offset` and `length` in bytes where they are said. */
export interface ExternalPlace {
  readonly location: string;
  readonly offset?: number | string;
  readonly length?: number | string;
}

/** Only dtype and shape of `tensor` are written. */
export function externalInitializer(name: string, { dtype, shape }: Tensor, place: ExternalPlace): Chunks {
  return [
    ...shape.map((size) => intField(TENSOR.dims, size)),
    intField(TENSOR.dataType, numberOfDType(dtype)),
    stringField(TENSOR.name, name),
    ...Object.entries(place).flatMap(([key, value]) =>
      messageField(TENSOR.externalData, [stringField(ENTRY.key, key), stringField(ENTRY.value, String(value))]),
    ),
    intField(TENSOR.dataLocation, LOCATION_EXTERNAL),
  ];
}
