// Tensors to TensorProto bytes and back, in every dtype and every field that may hold one.

import { byteLengthOf, DTYPE_BITS, type DType, makeTensor, stringTensor, typedView } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { concatChunks, numberOfDType, tensorFromProto, tensorToProto } from '../src/index.ts';
import { floatField, intField, messageField, stringField } from '../src/wire-writer.ts';
import { expectCode } from './models.ts';

const dtypes = (Object.keys(DTYPE_BITS) as DType[]).filter((dtype) => dtype !== 'string');

test.each(dtypes)('%s goes out and comes back', (dtype) => {
  const shape = [2, 3];
  const data = Uint8Array.from({ length: byteLengthOf(dtype, shape) }, (_, at) => at + 1);
  const back = tensorFromProto(concatChunks(tensorToProto('t', makeTensor(dtype, shape, data))));
  expect(back).toEqual({ name: 't', tensor: { dtype, shape, data } });
});

test('scalars, empty tensors and strings go out and come back', () => {
  for (const tensor of [
    makeTensor('float32', [], new Uint8Array(4)),
    makeTensor('int64', [0, 3], new Uint8Array()),
    stringTensor([2], ['', 'größe']),
  ]) {
    expect(tensorFromProto(concatChunks(tensorToProto('', tensor))).tensor).toEqual(tensor);
  }
});

describe('typed fields', () => {
  const read = (dtype: DType, count: number, ...fields: Uint8Array[]) =>
    tensorFromProto(concatChunks([intField(1, count), intField(2, numberOfDType(dtype)), ...fields])).tensor;
  const values = (tensor: ReturnType<typeof read>) => [...(typedView(tensor) as Int8Array)];

  test('int32_data holds the small integers, negative ones as ten bytes', () => {
    for (const dtype of ['int8', 'int16', 'int32'] as const) {
      expect(values(read(dtype, 2, intField(5, -3), intField(5, 100)))).toEqual([-3, 100]);
    }
    expect(values(read('uint8', 1, intField(5, 200)))).toEqual([200]);
    expect(values(read('float16', 1, intField(5, 0x3c00)))).toEqual([0x3c00]);
    expect(values(read('bool', 2, intField(5, 1), intField(5, 0)))).toEqual([1, 0]);
    expect(values(read('int4', 3, intField(5, 0x21), intField(5, 0x03)))).toEqual([0x21, 0x03]);
  });

  test('int64_data and uint64_data are exact, packed and loose together', () => {
    const packed = messageField(7, [Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)]);
    expect(values(read('int64', 3, ...packed, intField(7, 2n ** 62n + 1n)))).toEqual([1n, -1n, 2n ** 62n + 1n]);
    expect(values(read('uint64', 1, intField(11, 2n ** 64n - 1n)))).toEqual([2n ** 64n - 1n]);
    expect(values(read('uint32', 1, intField(11, 4_000_000_000)))).toEqual([4_000_000_000]);
  });

  test('float_data, loose and packed', () => {
    const packed = messageField(4, [new Uint8Array(new Float32Array([1.5, -2]).buffer)]);
    expect(values(read('float32', 3, ...packed, floatField(4, 0.25)))).toEqual([1.5, -2, 0.25]);
  });

  test('string_data', () => {
    expect(read('string', 2, stringField(6, 'a'), stringField(6, 'b'))).toEqual(stringTensor([2], ['a', 'b']));
  });
});

test('refuses what has no JavaScript form, and data elsewhere', () => {
  const bfloat16 = [intField(1, 1), intField(2, 16), ...messageField(9, [new Uint8Array(2)])];
  expectCode(() => tensorFromProto(concatChunks(bfloat16)), 'MODEL_UNSUPPORTED', /bfloat16/);
  const entry = messageField(13, [stringField(1, 'location'), stringField(2, 'w')]);
  const external = [intField(1, 1), intField(2, 1), ...entry, intField(14, 1)];
  expectCode(() => tensorFromProto(concatChunks(external)), 'MODEL_UNSUPPORTED', /another file/);
});
