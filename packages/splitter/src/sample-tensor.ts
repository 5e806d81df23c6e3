// A name, dtype and shape -> one tensor of plausible random values.
import {
  bytesOf,
  type DType,
  elementCount,
  float16Bits,
  KerfError,
  makeTensor,
  type Random,
  stringTensor,
  type Tensor,
} from '@kerf/protocol';

/**
 * What integers hold: `named` goes by the input's name (masks are 1, positions count up, a sample rate is 16000) and
 * is small otherwise; the others are for models that index with them or compute a shape from them.
 */
export type IntegerMode = 'named' | 'binary' | 'ones' | 'zeros';

export const INTEGER_MODES: readonly IntegerMode[] = ['named', 'ones', 'binary', 'zeros'];

/** Exclusive end of small integers: embeddings and class lists are seldom smaller. */
const SMALL = 8;

/** Of one input: more is made up of by nobody who wants to see a model run. */
const MAX_ELEMENTS = 2 ** 28;

/**
 * Floats lie in [-1, 1), 8-bit integers fill their range, strings are single letters.
 * @throws {KerfError} INVALID_ARGUMENT for more elements than are made up.
 */
export function sampleTensor(
  name: string,
  dtype: DType,
  shape: readonly number[],
  random: Random,
  mode: IntegerMode,
): Tensor {
  const count = elementCount(shape);
  if (count > MAX_ELEMENTS) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `the input '${name}' of ${dtype}[${shape.join(', ')}] is larger than what is made up`,
    );
  }
  const float = (): number => random() * 2 - 1;
  const fill = <T extends { [at: number]: number }>(into: T, next: (at: number) => number): T => {
    for (let at = 0; at < count; at++) into[at] = next(at);
    return into;
  };
  const integer = integerSource(name, shape, random, mode);
  switch (dtype) {
    case 'string':
      return stringTensor(
        shape,
        Array.from({ length: count }, () => String.fromCharCode(97 + Math.floor(random() * 4))),
      );
    case 'float32':
      return makeTensor(dtype, shape, bytesOf(fill(new Float32Array(count), float)));
    case 'float64':
      return makeTensor(dtype, shape, bytesOf(fill(new Float64Array(count), float)));
    case 'float16':
      return makeTensor(dtype, shape, bytesOf(fill(new Uint16Array(count), () => float16Bits(float()))));
    case 'bool':
      return makeTensor(dtype, shape, bytesOf(fill(new Uint8Array(count), () => (random() < 0.5 ? 0 : 1))));
    case 'int64':
    case 'uint64':
      return makeTensor(dtype, shape, bytesOf(BigInt64Array.from({ length: count }, (_, at) => BigInt(integer(at)))));
    case 'int32':
    case 'uint32':
      return makeTensor(dtype, shape, bytesOf(fill(new Int32Array(count), integer)));
    case 'int16':
    case 'uint16':
      return makeTensor(dtype, shape, bytesOf(fill(new Int16Array(count), integer)));
    case 'int8':
    case 'uint8': {
      const next = mode === 'named' ? (): number => Math.floor(random() * 256) : integer;
      return makeTensor(dtype, shape, bytesOf(fill(new Uint8Array(count), next)));
    }
    case 'int4':
    case 'uint4':
      return makeTensor(
        dtype,
        shape,
        Uint8Array.from({ length: Math.ceil(count / 2) }, () => Math.floor(random() * 256)),
      );
  }
}

function integerSource(
  name: string,
  shape: readonly number[],
  random: Random,
  mode: IntegerMode,
): (at: number) => number {
  if (mode === 'zeros') return () => 0;
  if (mode === 'ones') return () => 1;
  if (mode === 'binary') return () => Math.floor(random() * 2);
  const last = shape.at(-1) ?? 1;
  if (/mask/i.test(name)) return () => 1;
  if (/token_type|segment/i.test(name)) return () => 0;
  if (/position/i.test(name)) return (at) => at % last;
  if (/^(sr|rate)$|sampl(e|ing)_?rate/i.test(name)) return () => 16_000;
  return () => Math.floor(random() * SMALL);
}
