// Tensors that follow from old ones by a rule (another type, a scale, pruned), and old bytes that a text is added to: each comes
// out bit for bit, and takes next to nothing.
import { type NumericDType, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { bfloatOf, bitsOfFloat, floatOfBits, halfOf, valueOfHalf } from '../src/codec/float-bits.ts';
import { bytesOfArray, model, modelWith, normal, plainFile, roundTrip } from './support/sources.ts';

const ROWS = 64;
const COLUMNS = 150;
const COUNT = ROWS * COLUMNS;
const old = normal(COUNT, 0.05, 1);
const rowOf = (at: number): number => Math.floor(at / COLUMNS);

async function between(
  [fromType, from]: readonly [NumericDType, ArrayBufferView],
  [toType, to]: readonly [NumericDType, ArrayBufferView],
  names = ['w', 'w'],
) {
  const of = (name: string, dtype: NumericDType, data: ArrayBufferView): Uint8Array =>
    modelWith([{ name, dtype, shape: [ROWS, COLUMNS], data: bytesOfArray(data) }]);
  const { delta, report } = await roundTrip(
    [await model('old.onnx', of(names[0] as string, fromType, from))],
    [await model('new.onnx', of(names[1] as string, toType, to))],
  );
  const main = report.parts.find(({ bytes }) => bytes > 1000);
  return { delta, strategy: main?.strategy, version: delta[7] };
}

const floats = (change: (value: number, at: number) => number) => ['float32', old.map(change)] as const;
const halves = Uint16Array.from(old, (value) => halfOf(bitsOfFloat(value)));
const eights = Int8Array.from(old, (value) => Math.max(-128, Math.min(127, Math.round(value / 0.0011))));

describe('a rule is found, and takes next to nothing', () => {
  test.each([
    ['float32 to float16', floats((v) => v), ['float16', halves], 0],
    ['float16 to float32', ['float16', halves], ['float32', Float32Array.from(halves, valueOfHalf)], 0],
    ['float32 to int8', floats((v) => v), ['int8', eights], 0],
    ['int8 to float32', ['int8', eights], ['float32', Float32Array.from(eights, (v) => v * Math.fround(0.0011))], 0],
    [
      'float32 to uint8 around 117, by row',
      floats((v) => v),
      ['uint8', Uint8Array.from(old, (v, at) => Math.round(v / (0.002 + rowOf(at) / 50_000)) + 117)],
      ROWS * 4,
    ],
    ['a third', floats((v) => v), floats((v) => v / 3), 800],
    ['a factor by row', floats((v) => v), floats((v, at) => v * Math.fround(0.5 + rowOf(at) / 97)), ROWS * 4],
    ['pruned by size', floats((v) => v), floats((v) => (Math.abs(v) < 0.0371 ? 0 : v)), 0],
    ['signs turned', floats((v) => v), floats((v) => -v), 0],
  ] as const)('%s', async (_name, from, to, more) => {
    const { delta, strategy, version } = await between(from, to);
    expect(strategy).toBe('derived');
    expect(version).toBe(2);
    expect(delta.byteLength).toBeLessThan(400 + more);
  });

  test('under the name that a tool gives it, beside tensors of the same shape', async () => {
    const { delta, strategy } = await between(['float32', old], ['int8', eights], ['w', 'w_quantized']);
    expect(strategy).toBe('derived');
    expect(delta.byteLength).toBeLessThan(400);
  });
});

test('pruned and trained further: what became 0 takes less than its mask would, the rest what it takes as differences', async () => {
  const noise = normal(COUNT, 5e-5, 3);
  const trained = old.map((value, at) => value + (noise[at] as number));
  const plain = await between(['float32', old], ['float32', trained]);
  const pruned = await between(
    ['float32', old],
    ['float32', trained.map((value) => (Math.abs(value) < 0.033 ? 0 : value))],
  );
  expect(pruned.strategy).toBe('derived');
  const kept = trained.filter((value) => Math.abs(value) >= 0.033).length / COUNT;
  expect(pruned.delta.byteLength).toBeLessThan(plain.delta.byteLength * kept + COUNT / 16);
});

test('values that are no numbers, and infinite ones, come out as they are', async () => {
  const odd = old.map((value, at) =>
    at % 1000 === 0 ? Number.NaN : at % 777 === 0 ? Number.POSITIVE_INFINITY : value,
  );
  await between(['float32', odd], ['float16', halves]);
  await between(['float32', odd], ['int8', eights]);
  await between(['float16', Uint16Array.from(halves, (bits, at) => (at % 99 === 0 ? 0x7e01 : bits))], ['float32', odd]);
});

test('a delta without the new operations stays one that older kerfs read', async () => {
  const { version } = await between(
    ['float32', old],
    ['float32', old.map((value, at) => value + ((at % 7) - 3) * 1e-6)],
  );
  expect(version).toBe(1);
});

const longs = BigInt64Array.from({ length: COUNT }, (_, at) => BigInt(Math.imul(at, 0x9e37_79b1)));

test.each([
  ['a derived tensor', 'float32', 'int8', old, eights],
  ['a table whose numbers all moved', 'int64', 'int64', longs, longs.map((value) => value + 86_413n)],
] as const)('where devices read only format 1, %s is told in it', async (_name, fromType, toType, from, to) => {
  const of = (dtype: NumericDType, data: ArrayBufferView): Uint8Array =>
    modelWith([{ name: 'w', dtype, shape: [ROWS, COLUMNS], data: bytesOfArray(data) }]);
  const sides = [[await model('old.onnx', of(fromType, from))], [await model('new.onnx', of(toType, to))]] as const;
  const newest = await roundTrip(...sides);
  expect([newest.delta[7], newest.report.format]).toEqual([2, 2]);
  const first = await roundTrip(...sides, 1);
  expect([first.delta[7], first.report.format]).toEqual([1, 1]);
  expect(first.delta.byteLength).toBeGreaterThan(newest.delta.byteLength);
});

test('a file of whole numbers too', async () => {
  const numbers = Int32Array.from({ length: 6000 }, (_, at) => Math.imul(at, 0x9e3779b1) >> 4);
  const sides = [
    [await plainFile('old', bytesOfArray(numbers))],
    [await plainFile('new', bytesOfArray(numbers.map((value) => value + 4321)))],
  ] as const;
  expect((await roundTrip(...sides)).report.format).toBe(2);
  expect((await roundTrip(...sides, 1)).report.format).toBe(1);
});

describe('a text is added to the old bytes', () => {
  const random = seededRandom(9);
  const numbers = BigInt64Array.from({ length: 6000 }, () => BigInt(Math.floor(random() * 1e9)));

  test.each([
    ['by the same', (value: bigint) => value + 86_413n],
    ['by the same, down', (value: bigint) => value - 1_000_003n],
  ])('whole numbers that all moved %s', async (_name, change) => {
    const before = await plainFile('old', bytesOfArray(numbers));
    const { delta, report } = await roundTrip([before], [await plainFile('new', bytesOfArray(numbers.map(change)))]);
    expect(report.parts.map(({ strategy }) => strategy)).toContain('added');
    expect(delta.byteLength).toBeLessThan(300);
  });

  test('few numbers all over a file that moved take some bytes each, not a copy and a text between each two', async () => {
    const noise = Uint8Array.from({ length: 200_000 }, () => Math.floor(random() * 256));
    const fresh = noise.slice();
    const view = new DataView(fresh.buffer);
    let moved = 0;
    for (let at = 400; at + 4 < fresh.length; at += 1200 + 4 * Math.floor(random() * 200)) {
      view.setUint32(at, view.getUint32(at, true) + 70_003, true);
      moved++;
    }
    const { delta } = await roundTrip([await plainFile('old', noise)], [await plainFile('new', fresh)]);
    expect(delta.byteLength).toBeLessThan(300 + moved * 3);
  });
});

describe('rounding', () => {
  test('every float16 is itself again', () => {
    for (let bits = 0; bits < 0x1_0000; bits++) {
      if ((bits & 0x7c00) === 0x7c00 && (bits & 1023) !== 0) continue;
      expect(halfOf(bitsOfFloat(valueOfHalf(bits)))).toBe(bits);
    }
  });

  test('between two float16 the nearest is taken, in the middle the even one', () => {
    for (let bits = 0; bits < 0x7bff; bits += 13) {
      const [low, high] = [valueOfHalf(bits), valueOfHalf(bits + 1)];
      const middle = (low + high) / 2;
      expect(halfOf(bitsOfFloat(middle))).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(halfOf(bitsOfFloat(middle) + 1)).toBe(bits + 1);
      expect(halfOf(bitsOfFloat(middle) - 1)).toBe(bits);
    }
    expect([65_519.99, 65_520, -1e9].map((value) => halfOf(bitsOfFloat(value)))).toEqual([0x7bff, 0x7c00, 0xfc00]);
  });

  test('bfloat16 is rounded in the same way', () => {
    expect([0x3f80_8000, 0x3f81_8000, 0x3f80_8001, 0x7f7f_ffff].map(bfloatOf)).toEqual([
      0x3f80, 0x3f82, 0x3f81, 0x7f80,
    ]);
    expect(Number.isNaN(floatOfBits(bfloatOf(0x7f80_0001) << 16))).toBe(true);
  });
});
