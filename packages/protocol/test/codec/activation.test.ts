// Codecs without a table: every bit back from `lossless`, stated errors from the others, and nothing but codes on bad bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ActivationCodec,
  bytesOf,
  decodeActivation,
  type EncodedActivation,
  encodeActivation,
  float16Bits,
  float16Value,
  float32Tensor,
  KerfError,
  makeTensor,
  type NumericDType,
  stringTensor,
  type Tensor,
  typedView,
} from '../../src/index.ts';

const LIMIT = 1 << 26;
const NO_TABLES = new Map<string, never>();

function decoded({ codec, bytes }: EncodedActivation, { dtype, shape }: Tensor): Tensor {
  return decodeActivation({ codec, dtype, shape, bytes }, NO_TABLES, LIMIT);
}

const valuesOf = (tensor: Tensor): Float32Array => typedView(tensor as Tensor & { dtype: 'float32' });
const floats = (shape: number[], of: (at: number) => number): Tensor =>
  float32Tensor(
    shape,
    Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, at) => of(at)),
  );

/** Smooth, with zeros, as after a ReLU. */
const relu = (shape: number[]): Tensor =>
  floats(shape, (at) => Math.max(0, Math.sin(at * 0.11) + Math.sin(at * 0.017)));

/** Bytes as tensors have them: noise, runs, slopes, few values. */
const content = fc.oneof(
  fc.uint8Array({ minLength: 0, maxLength: 6000 }),
  fc
    .array(fc.tuple(fc.nat(255), fc.nat(900)), { maxLength: 12 })
    .map((runs) => Uint8Array.from(runs.flatMap(([value, length]) => Array.from({ length }, () => value)))),
  fc.tuple(fc.nat(5000), fc.nat(7)).map(([length, step]) => Uint8Array.from({ length }, (_, at) => (at * step) >> 3)),
  fc.array(fc.constantFrom(0, 0, 0, 0, 1, 2, 255), { maxLength: 5000 }).map((values) => Uint8Array.from(values)),
);
const dtypes = fc.constantFrom<NumericDType>(
  ...([
    'float32',
    'float64',
    'float16',
    'int8',
    'uint8',
    'int16',
    'uint16',
    'int32',
    'int64',
    'bool',
  ] as NumericDType[]),
);
const BYTES: Partial<Record<NumericDType, number>> = {
  float64: 8,
  int64: 8,
  float32: 4,
  int32: 4,
  float16: 2,
  int16: 2,
  uint16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

describe('lossless', () => {
  it('gives back every bit of any dtype, shape and content, and is never larger than raw', () => {
    fc.assert(
      fc.property(content, dtypes, fc.integer({ min: 1, max: 40 }), (bytes, dtype, columns) => {
        const size = BYTES[dtype] as number;
        const rows = Math.floor(bytes.byteLength / size / columns);
        const tensor = makeTensor(dtype, [1, rows, columns], bytes.slice(0, rows * columns * size));
        const encoded = encodeActivation(tensor, { kind: 'lossless' });
        expect(encoded.bytes.byteLength).toBeLessThanOrEqual(tensor.data.byteLength);
        expect(decoded(encoded, tensor)).toEqual(tensor);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps NaN with its payload, infinities, negative zero and subnormals', () => {
    const bits = Uint32Array.from(
      { length: 400 },
      (_, at) => [0x7fc0_1234, 0xff80_0000, 0x7f80_0000, 0x8000_0000, 1, 0x3f80_0000, 0, 0][at % 8]!,
    );
    const tensor = makeTensor('float32', [400], bytesOf(bits));
    const encoded = encodeActivation(tensor, { kind: 'lossless' });
    expect(encoded.codec).toEqual({ kind: 'lossless', version: 1 });
    expect(decoded(encoded, tensor).data).toEqual(tensor.data);
  });

  it('takes a hundredth of an empty mask, and less than nine tenths of a rectified activation', () => {
    const mask = makeTensor('uint8', [1, 1, 192, 192], new Uint8Array(192 * 192));
    expect(encodeActivation(mask, { kind: 'lossless' }).bytes.byteLength).toBeLessThan(mask.data.byteLength / 100);
    const activation = relu([1, 16, 48, 48]);
    const { bytes } = encodeActivation(activation, { kind: 'lossless' });
    expect(bytes.byteLength).toBeLessThan(0.9 * activation.data.byteLength);
  });

  it('reads tensors at any byte offset', () => {
    const whole = relu([30, 31]);
    const shifted = new Uint8Array(whole.data.byteLength + 3);
    shifted.set(whole.data, 3);
    const tensor = { ...whole, data: shifted.subarray(3) };
    expect(decoded(encodeActivation(tensor, { kind: 'lossless' }), tensor).data).toEqual(whole.data);
  });
});

describe('float16', () => {
  it('is the nearest half of every value, ties to even', () => {
    const tensor = floats([1, 8, 20, 20], (at) => Math.fround(Math.sin(at) * 10 ** ((at % 9) - 5)));
    const encoded = encodeActivation(tensor, { kind: 'float16' });
    expect(encoded.codec).toEqual({ kind: 'float16', version: 1 });
    const nearest = valuesOf(tensor).map((value) => float16Value(float16Bits(value)));
    expect(valuesOf(decoded(encoded, tensor))).toEqual(nearest);
  });

  it('goes without loss where a value is beyond its range', () => {
    const tensor = floats([50, 50], (at) => (at === 7 ? 70_000 : at % 3));
    const encoded = encodeActivation(tensor, { kind: 'float16' });
    expect(encoded.codec.kind).toBe('lossless');
    expect(decoded(encoded, tensor)).toEqual(tensor);
  });
});

describe('uint8', () => {
  it.each([null, 0, 1, 2, 3])('is off by half a step at most, channels on axis %s', (channelAxis) => {
    const shape = [2, 5, 12, 13];
    const tensor = floats(shape, (at) => Math.sin(at * 0.3) * (1 + (at % 7)) - 2);
    const encoded = encodeActivation(tensor, { kind: 'uint8', channelAxis });
    expect(encoded.codec).toEqual({ kind: 'uint8', version: 1 });
    const values = valuesOf(tensor);
    const back = valuesOf(decoded(encoded, tensor));
    const inner = channelAxis === null ? values.length : shape.slice(channelAxis + 1).reduce((a, b) => a * b, 1);
    const channels = channelAxis === null ? 1 : shape[channelAxis]!;
    const channelOf = (at: number): number => Math.floor(at / inner) % channels;
    for (let channel = 0; channel < channels; channel++) {
      const own = [...values.keys()].filter((at) => channelOf(at) === channel);
      const low = Math.min(...own.map((at) => values[at]!));
      const high = Math.max(...own.map((at) => values[at]!));
      const worst = Math.max(...own.map((at) => Math.abs(values[at]! - back[at]!)));
      expect(worst).toBeLessThanOrEqual(((high - low) / 255) * 0.5001);
    }
  });

  it('of one value all over is that value, and of an axis that is not there an error', () => {
    const constant = floats([40, 40], () => Math.fround(0.1));
    expect(decoded(encodeActivation(constant, { kind: 'uint8', channelAxis: null }), constant)).toEqual(constant);
    expect(() => encodeActivation(constant, { kind: 'uint8', channelAxis: 2 })).toThrow(/no axis 2/);
  });

  it('takes values whose range is beyond float32 without making infinity of them', () => {
    const tensor = floats([30, 30], (at) => (at % 2 === 0 ? 3e38 : -3e38));
    const back = valuesOf(decoded(encodeActivation(tensor, { kind: 'uint8', channelAxis: null }), tensor));
    expect(back.every(Number.isFinite)).toBe(true);
    expect(Math.sign(back[0]!)).toBe(1);
    expect(Math.sign(back[1]!)).toBe(-1);
  });
});

describe('NaN and infinity', () => {
  const tensor = floats([20, 20], (at) => (at === 3 ? Number.NaN : at === 9 ? Number.NEGATIVE_INFINITY : at));

  it.each<ActivationCodec>([{ kind: 'float16' }, { kind: 'uint8', channelAxis: null }])(
    'are counted and go without loss, or are refused: $kind',
    (codec) => {
      const encoded = encodeActivation(tensor, codec);
      expect(encoded.nonFinite).toBe(2);
      expect(['lossless', 'raw']).toContain(encoded.codec.kind);
      expect(decoded(encoded, tensor)).toEqual(tensor);
      expect(() => encodeActivation(tensor, codec, { nonFinite: 'refuse' })).toThrow(
        expect.objectContaining({ code: 'ACTIVATION_NOT_FINITE', details: { nonFinite: 2 } }),
      );
    },
  );
});

describe('what cannot be coded', () => {
  it('goes raw when it is a string, small or noise; another dtype than float32 is an error', () => {
    const text = stringTensor([2], ['a', 'b']);
    expect(encodeActivation(text, { kind: 'lossless' }).codec).toEqual({ kind: 'raw' });
    expect(
      encodeActivation(
        floats([4], () => 0),
        { kind: 'lossless' },
      ).codec,
    ).toEqual({ kind: 'raw' });
    const integers = makeTensor('int32', [100], new Uint8Array(400));
    expect(() => encodeActivation(integers, { kind: 'float16' })).toThrow(/is for float32/);
  });

  it('has no elements: it comes back as it was', () => {
    for (const codec of [{ kind: 'lossless' }, { kind: 'float16' }, { kind: 'uint8', channelAxis: 1 }] as const) {
      const empty = floats([1, 8, 0, 4], () => 0);
      expect(decoded(encodeActivation(empty, codec), empty)).toEqual(empty);
    }
  });
});

describe('a damaged payload', () => {
  const tensor = relu([1, 6, 24, 24]);
  const codecs: ActivationCodec[] = [
    { kind: 'lossless' },
    { kind: 'float16' },
    { kind: 'uint8', channelAxis: null },
    { kind: 'uint8', channelAxis: 1 },
  ];

  it.each(codecs)('cut anywhere is refused: %o', (codec) => {
    const encoded = encodeActivation(tensor, codec);
    for (let length = 0; length < encoded.bytes.byteLength; length += 1 + (length >> 5)) {
      const cut = { ...encoded, bytes: encoded.bytes.subarray(0, length) };
      expect(() => decoded(cut, tensor), `${length} bytes`).toThrow(
        expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
      );
    }
    const longer = { ...encoded, bytes: new Uint8Array([...encoded.bytes, 0]) };
    expect(() => decoded(longer, tensor)).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }));
  });

  it('of another version, a table that is not here or a size beyond the limit has a code of its own', () => {
    const { bytes } = encodeActivation(tensor, { kind: 'lossless' });
    const { dtype, shape } = tensor;
    const codes = (codec: EncodedActivation['codec'], limit = LIMIT): string => {
      try {
        decodeActivation({ codec, dtype, shape, bytes }, NO_TABLES, limit);
        return 'none';
      } catch (error) {
        return KerfError.is(error) ? error.code : String(error);
      }
    };
    expect(codes({ kind: 'lossless', version: 1 })).toBe('none');
    expect(codes({ kind: 'lossless', version: 2 })).toBe('CODEC_UNKNOWN');
    expect(codes({ kind: 'levels', version: 1, table: 'ab'.repeat(32) })).toBe('CODEC_UNKNOWN');
    expect(codes({ kind: 'lossless', version: 1 }, tensor.data.byteLength - 1)).toBe('MESSAGE_TOO_LARGE');
  });
});
