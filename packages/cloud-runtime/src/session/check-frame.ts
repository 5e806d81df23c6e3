// A frame's payloads -> the same in the order of the model's inputs, or why they do not fit.
import { describeTensor, KerfError, type Payload, type TensorSpec } from '@kerf/protocol';

/**
 * Bytes were held against dtype and shape when the message was decoded; here both are held against the model.
 * @throws {KerfError} TENSOR_MISMATCH for a missing, surplus or unfitting tensor.
 */
export function payloadsInOrder(payloads: readonly Payload[], inputs: readonly TensorSpec[]): Payload[] {
  const byName = new Map(payloads.map((payload) => [payload.name, payload]));
  if (byName.size < payloads.length) throw mismatch(repeated(payloads), 'is there twice');
  const ordered = inputs.map((spec) => {
    const payload = byName.get(spec.name);
    if (payload === undefined) throw mismatch(spec.name, `(${describeTensor(spec)}) is missing`);
    if (!fits(payload, spec)) {
      throw mismatch(spec.name, `must be ${describeTensor(spec)}, got ${describeTensor(payload)}`);
    }
    return payload;
  });
  if (payloads.length > inputs.length) {
    const known = new Set(inputs.map(({ name }) => name));
    const surplus = payloads.find(({ name }) => !known.has(name))?.name ?? '';
    throw mismatch(surplus, `is not an input; inputs are ${[...known].join(', ')}`);
  }
  return ordered;
}

function repeated(payloads: readonly Payload[]): string {
  const names = payloads.map(({ name }) => name);
  return names.find((name, at) => names.indexOf(name) !== at) ?? '';
}

function fits(payload: Payload, { dtype, shape }: TensorSpec): boolean {
  // An optional takes a tensor, a sequence does not: the runtime tells.
  if (dtype === null) return true;
  if (payload.dtype !== dtype) return false;
  if (shape === null) return true;
  return (
    shape.length === payload.shape.length &&
    shape.every((size, axis) => typeof size !== 'number' || size === payload.shape[axis])
  );
}

function mismatch(tensor: string, what: string): KerfError {
  return new KerfError('TENSOR_MISMATCH', `tensor '${tensor}' ${what}`, { details: { tensor } });
}
