// Tables of whole numbers: indices, offsets, counts, masks.
import type { DType } from '@kerf/protocol';
import { type MadePair, pair, type Weight } from './made-model.ts';
import { noiseBytes, normals, randomOf, redrawn, whole } from './random.ts';

export function tables(): MadePair[] {
  const random = randomOf(5);
  const weight = (name: string, dtype: DType, values: ArrayBufferView & { length: number }, columns = 1): Weight => ({
    name,
    dtype,
    shape: [values.length / columns, columns],
    values,
  });
  const longs = (values: ArrayLike<number>): BigInt64Array => BigInt64Array.from(Array.from(values), BigInt);
  const ids = Int32Array.from({ length: 12_000 }, () => whole(30_000, random));
  const sorted = ids.slice().sort();
  const steps = Int32Array.from({ length: 12_000 }, () => 1 + whole(7, random));
  let sum = 0;
  const rising = steps.map((step) => (sum += step));
  const inserted = Int32Array.from([
    ...rising.slice(0, 4000),
    ...Array.from({ length: 300 }, (_, at) => 90_000 + at * 3),
    ...rising.slice(4000),
  ]);
  const counts = Int32Array.from({ length: 20_000 }, () => Math.floor(2 ** (14 * random())));
  const fine = [3, 40, 700, 9000, 120_000].map((size) => normals(4000, size, random));
  const finer = fine.map((values) =>
    normals(4000, 3, random).map((value, at) => Math.round(value + (values[at] as number))),
  );
  const wave = (period: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: 40_000 }, (_, at) => Math.sin(at / period));
  const repeated = (period: number): Uint8Array<ArrayBuffer> => {
    const once = noiseBytes(period, randomOf(period));
    return Uint8Array.from({ length: 200_000 }, (_, at) => once[at % period] as number);
  };
  const ints = (list: Float32Array[]): Weight[] =>
    list.map((values, at) => weight(`table${at}`, 'int32', Int32Array.from(values), 40));
  const mask = Uint8Array.from({ length: 30_000 }, (_, at) => (Math.sin(at / 50) > 0.3 ? 1 : 0));
  const curve = Int16Array.from({ length: 30_000 }, (_, at) => 9000 * Math.sin(at / 700));
  const bent = Int16Array.from(curve, (value, at) => value + 90 * Math.sin(at / 90));
  return [
    pair(
      'int64 indices, some drawn anew',
      [weight('ids', 'int64', longs(ids))],
      [weight('ids', 'int64', longs(redrawn(ids, 0.03, random, () => whole(30_000, random))))],
    ),
    pair(
      'int64 indices, all drawn anew',
      [weight('ids', 'int64', longs(ids))],
      [weight('ids', 'int64', longs(ids.map(() => whole(30_000, random))))],
    ),
    pair('int64 indices, sorted now', [weight('ids', 'int64', longs(ids))], [weight('ids', 'int64', longs(sorted))]),
    pair(
      'int64 offsets, some inserted',
      [weight('offsets', 'int64', longs(rising))],
      [weight('offsets', 'int64', longs(inserted))],
    ),
    pair(
      'int64 offsets, all by 17',
      [weight('offsets', 'int64', longs(rising))],
      [weight('offsets', 'int64', longs(rising.map((value) => value + 17)))],
    ),
    pair(
      'int32 counts, grown',
      [weight('counts', 'int32', counts)],
      [
        weight(
          'counts',
          'int32',
          counts.map((value) => value + whole(1 + value / 50, random)),
        ),
      ],
    ),
    pair('int32 of many scales, moved by little', ints(fine), ints(finer)),
    pair(
      'int32 of many scales, unrelated',
      ints(fine),
      ints([3, 40, 700, 9000, 120_000].map((size) => normals(4000, size, random).map(Math.round))),
    ),
    pair(
      'int32 of many scales, renamed and another shape',
      ints(fine),
      finer.map((values, at) => weight(`other${at}`, 'int32', Int32Array.from(values), 50)),
    ),
    pair(
      'bool mask moved',
      [weight('mask', 'bool', mask)],
      [
        weight(
          'mask',
          'bool',
          Uint8Array.from(mask, (_, at) => mask[(at + 11) % mask.length] as number),
        ),
      ],
    ),
    pair(
      'float32 curve, another period',
      [weight('curve', 'float32', wave(400))],
      [weight('curve', 'float32', wave(390))],
    ),
    pair(
      'uint8 table that repeats itself, another one',
      [weight('table', 'uint8', repeated(3000))],
      [weight('table', 'uint8', repeated(3571))],
    ),
    pair('int16 curve bent', [weight('curve', 'int16', curve)], [weight('curve', 'int16', bent)]),
  ];
}
