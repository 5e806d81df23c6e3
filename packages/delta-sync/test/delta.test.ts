// Deltas between models made in code: each comes out bit for bit, by the strategy that fits it, at the size that it should.
import { LAST_FORMAT, portableHasher } from '@kerf/delta-sync';
import { type NumericDType, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { createHasherHex } from './support/hash.ts';
import {
  applyInMemory,
  bytesOfArray,
  model,
  modelWith,
  normal,
  plainFile,
  roundTrip,
  type Weight,
} from './support/sources.ts';

const ROWS = 96;
const COLUMNS = 160;
const COUNT = ROWS * COLUMNS;
const old = normal(COUNT, 0.05, 1);
const weight = (data: ArrayBufferView, dtype: NumericDType = 'float32', shape = [ROWS, COLUMNS]): Weight => ({
  name: 'w',
  dtype,
  shape,
  data: bytesOfArray(data),
});

async function between(from: readonly Weight[], to: readonly Weight[]) {
  return await roundTrip([await model('old.onnx', modelWith(from))], [await model('new.onnx', modelWith(to))]);
}

const strategies = (parts: readonly { readonly strategy: string; readonly bytes: number }[]): string[] =>
  parts.filter(({ bytes }) => bytes > 1000).map(({ strategy }) => strategy);

describe('tensors of float32', () => {
  test('unchanged ones are copied, whatever their name and place', async () => {
    const other = normal(COUNT, 0.05, 2);
    const from = [weight(old), { ...weight(other), name: 'v' }];
    const to = [
      { ...weight(other), name: 'renamed/v' },
      { ...weight(old), name: 'renamed/w' },
    ];
    const { delta, report } = await between(from, to);
    expect(strategies(report.parts)).toEqual(['copy', 'copy']);
    expect(delta.byteLength).toBeLessThan(500);
  });

  test('fine-tuned ones are differences, near what the noise itself takes', async () => {
    const noise = normal(COUNT, 5e-5, 3);
    const fresh = old.map((value, at) => value + (noise[at] as number));
    const { delta, report } = await between([weight(old)], [weight(fresh)]);
    expect(strategies(report.parts)).toEqual(['differences']);
    // 17.2 bits of 32 at a relative change of a thousandth; small tensors learn less.
    expect(delta.byteLength / fresh.byteLength).toBeLessThan(0.58);
    expect(report.valueBytes).toBeLessThan(report.entropyBytes * 1.02);
  });

  test('bfloat16 values saved as float32 are differences of their upper halves', async () => {
    const noise = normal(COUNT, 5e-4, 3);
    const upper = (values: Float32Array): Uint32Array =>
      new Uint32Array(values.buffer, values.byteOffset, values.length).map((bits) => bits & 0xffff_0000);
    const fresh = upper(old.map((value, at) => value + (noise[at] as number)));
    const { delta, report } = await between([weight(upper(old))], [weight(fresh)]);
    expect(strategies(report.parts)).toEqual(['differences']);
    expect(delta.byteLength / fresh.byteLength).toBeLessThan(0.15);
  });

  test('on a grid around the old ones they are steps', async () => {
    const step = 3e-5;
    const noise = normal(COUNT, 1.5, 4);
    const fresh = old.map((value, at) => value + step * Math.round(noise[at] as number));
    const { delta, report } = await between([weight(old)], [weight(fresh)]);
    expect(strategies(report.parts)).toEqual(['snap']);
    expect(delta.byteLength / fresh.byteLength).toBeLessThan(0.1);
  });

  test('a few values beside the grid do not spoil it', async () => {
    const noise = normal(COUNT, 1.5, 4);
    const fresh = old.map((value, at) => value + 3e-5 * Math.round(noise[at] as number));
    for (let at = 7; at < COUNT; at += 500) fresh[at] = (fresh[at] as number) * 1.0001;
    const { report } = await between([weight(old)], [weight(fresh)]);
    expect(strategies(report.parts)).toEqual(['snap']);
  });

  test('a merged low-rank update is two factors', async () => {
    const [rows, columns, rank] = [256, 320, 4];
    const base = normal(rows * columns, 0.05, 5);
    const left = normal(rows * rank, 0.02, 6);
    const right = normal(rank * columns, 0.02, 7);
    const fresh = base.map((value, at) => {
      let sum = 0;
      for (let term = 0; term < rank; term++) {
        sum +=
          (left[Math.floor(at / columns) * rank + term] as number) * (right[term * columns + (at % columns)] as number);
      }
      return value + Math.fround(sum);
    });
    const shape = [rows, columns];
    const { delta, report } = await between([weight(base, 'float32', shape)], [weight(fresh, 'float32', shape)]);
    expect(strategies(report.parts)).toEqual(['low rank']);
    expect(delta.byteLength / fresh.byteLength).toBeLessThan(0.12);
  });

  test('unrelated ones are byte planes, and never more than a few bytes above the entropy', async () => {
    const { delta, report } = await between([weight(old)], [weight(normal(COUNT, 2, 8))]);
    expect(strategies(report.parts)).toEqual(['byte planes']);
    expect(delta.byteLength).toBeLessThan(COUNT * 4);
  });

  test('a mask or a table repeats itself: it is text, not numbers', async () => {
    const mask = Float32Array.from({ length: COUNT }, (_, at) => (at % COLUMNS <= at / COLUMNS ? 0 : -3.4e38));
    const table = BigInt64Array.from({ length: 4096 }, (_, at) => BigInt((at >> 6) - (at & 63) + 63));
    const added = [
      { name: 'mask', dtype: 'float32' as const, shape: [ROWS, COLUMNS], data: bytesOfArray(mask) },
      { name: 'table', dtype: 'int64' as const, shape: [64, 64], data: bytesOfArray(table) },
    ];
    const { delta, report } = await between([weight(old)], [weight(old), ...added]);
    expect(strategies(report.parts)).toEqual(['copy', 'text', 'text']);
    expect(delta.byteLength).toBeLessThan(3000);
  });

  test('NaN with payloads, infinities, subnormal numbers and zeros of both signs survive', async () => {
    const bits = new Uint32Array(COUNT).map(
      (_, at) =>
        [0x7fc0_0001, 0xff80_0001, 0x7f80_0000, 0xff80_0000, 1, 0x8000_0000, 0, 0x007f_ffff, 0x3f80_0000][
          at % 9
        ] as number,
    );
    const moved = bits.map((value, at) => (at % 3 === 0 ? (value ^ 1) >>> 0 : value));
    await between([weight(bits)], [weight(moved)]);
    await between([weight(old)], [weight(bits)]);
    await between([weight(bits)], [weight(old)]);
  });
});

describe.each<[NumericDType, number]>([
  ['float16', 16],
  ['int8', 8],
  ['uint8', 8],
  ['int16', 16],
  ['int32', 32],
  ['int64', 64],
  ['float64', 64],
  ['int4', 4],
  ['uint4', 4],
  ['bool', 8],
])('tensors of %s', (dtype, bits) => {
  test('small changes of few elements cost little', async () => {
    const random = seededRandom(9);
    const before = Uint8Array.from({ length: (COUNT * bits) / 8 }, (_, at) =>
      dtype === 'bool' ? Math.round(random()) : bits > 16 && at % 4 > 1 ? 1 : random() * 256,
    );
    const after = before.slice();
    for (let at = 0; at < after.length; at += 32) after[at] = (after[at] as number) ^ 1;
    const { delta } = await between([weight(before, dtype)], [weight(after, dtype)]);
    expect(delta.byteLength).toBeLessThan(before.byteLength * 0.2 + 400);
  });
});

describe('other bytes', () => {
  const text = (count: number, changed: number) =>
    new TextEncoder().encode(
      Array.from({ length: count }, (_, at) => `line ${at}: ${at === changed ? 'changed' : (at * 7919) % 977}\n`).join(
        '',
      ),
    );

  test('an edited text costs its edits', async () => {
    const { delta } = await roundTrip(
      [await plainFile('a.txt', text(5000, -1))],
      [await plainFile('a.txt', text(5000, 2500))],
    );
    expect(delta.byteLength).toBeLessThan(600);
  });

  test('a file of float32 without a model around it is still numbers', async () => {
    const noise = normal(COUNT, 5e-5, 3);
    const fresh = old.map((value, at) => value + (noise[at] as number));
    const files = [await plainFile('w.bin', bytesOfArray(old)), await plainFile('w.bin', bytesOfArray(fresh))] as const;
    const { delta, report } = await roundTrip([files[0]], [files[1]]);
    expect(report.parts.map(({ strategy }) => strategy)).toEqual(['differences']);
    expect(delta.byteLength / fresh.byteLength).toBeLessThan(0.6);
  });

  test('text, floats and integers one behind the other are each told in their own form', async () => {
    const noise = normal(100_000, 5e-5, 3);
    const floats = normal(100_000, 0.05, 1);
    const tuned = floats.map((value, at) => value + (noise[at] as number));
    const shorts = Int16Array.from(normal(100_000, 900, 5));
    const file = (...parts: readonly ArrayBufferView[]) =>
      plainFile('mixed.bin', new Uint8Array(parts.flatMap((part) => [...bytesOfArray(part)])));
    const { delta } = await roundTrip([await file(text(5000, -1), floats)], [await file(text(5000, 9), tuned, shorts)]);
    expect(delta.byteLength).toBeLessThan(0.58 * tuned.byteLength + 0.8 * shorts.byteLength);
  });

  test('noise costs itself', async () => {
    const noise = (seed: number) => {
      const random = seededRandom(seed);
      return plainFile(
        'n.bin',
        Uint8Array.from({ length: 600_000 }, () => random() * 256),
      );
    };
    const { delta } = await roundTrip([await noise(1)], [await noise(2)]);
    expect(delta.byteLength).toBeLessThan(600_250);
  });

  test('integers that moved and changed in places are still found', async () => {
    const random = seededRandom(6);
    const eights = Int8Array.from(normal(200_000, 25, 5));
    const changed = eights.map((value) => (random() < 0.1 ? value + 1 : value));
    const halves = (values: Int8Array) => [bytesOfArray(values.slice(0, 100_000)), bytesOfArray(values.slice(100_000))];
    const [first, second] = halves(changed) as [Uint8Array, Uint8Array];
    const fresh = new Uint8Array(200_001);
    fresh.set(second);
    fresh.set(first, 100_001);
    const old = await plainFile('w.bin', bytesOfArray(eights));
    const { delta } = await roundTrip([old], [await plainFile('w.bin', fresh)]);
    // The entropy of a tenth is 0.47 bits an element.
    expect(delta.byteLength).toBeLessThan(0.1 * fresh.byteLength);
  });

  test('nothing, from nothing and to nothing', async () => {
    const nothing = await plainFile('n', new Uint8Array(0));
    const something = await plainFile('s', Uint8Array.of(1, 2, 3));
    await roundTrip([nothing], [something]);
    await roundTrip([something], [nothing]);
    await roundTrip([], [something, { ...nothing }]);
  });

  test('several segments and files', async () => {
    const big = bytesOfArray(normal(2_500_000, 1, 10));
    const shifted = new Uint8Array(big.byteLength + 5);
    shifted.set(big, 5);
    const { delta } = await roundTrip(
      [await plainFile('big', big), await plainFile('a.txt', text(100, -1))],
      [await plainFile('a.txt', text(100, 3)), await plainFile('big', shifted)],
    );
    expect(delta.byteLength).toBeLessThan(2000);
  });
});

describe('the wrong bytes', () => {
  test('another base is refused by size and by hash', async () => {
    const base = [await model('old.onnx', modelWith([weight(old)]))];
    const { delta } = await roundTrip(base, [await model('new.onnx', modelWith([weight(normal(COUNT, 1, 11))]))]);
    const other = await model('old.onnx', modelWith([weight(normal(COUNT, 1, 12))]));
    await expect(applyInMemory(delta, [other])).rejects.toMatchObject({ code: 'DELTA_BASE_MISMATCH' });
    const longer = await plainFile('old.onnx', new Uint8Array(9));
    await expect(applyInMemory(delta, [longer])).rejects.toMatchObject({ code: 'DELTA_BASE_MISMATCH' });
    await expect(applyInMemory(delta, [])).rejects.toMatchObject({ code: 'DELTA_BASE_MISMATCH' });
  });

  test('a delta that is cut short, longer or of another version', async () => {
    const base = [await plainFile('a', Uint8Array.of(1, 2, 3))];
    const { delta } = await roundTrip(base, [await plainFile('a', Uint8Array.of(1, 2, 3, 4))]);
    await expect(applyInMemory(delta.slice(0, -1), base)).rejects.toMatchObject({ code: 'DELTA_MALFORMED' });
    await expect(applyInMemory(Uint8Array.of(...delta, 0), base)).rejects.toMatchObject({ code: 'DELTA_MALFORMED' });
    for (const [bytes, why] of [
      [new Uint8Array(3), /is not a delta of kerf/],
      [new Uint8Array(0), /is damaged: it is empty/],
      [delta.slice(0, 9), /is damaged: of its header only 9 bytes are here/],
    ] as const) {
      const message = expect.stringMatching(why) as string;
      await expect(applyInMemory(bytes, base)).rejects.toMatchObject({ code: 'DELTA_MALFORMED', message });
    }
    const later = delta.slice();
    later[7] = LAST_FORMAT + 1;
    await expect(applyInMemory(later, base)).rejects.toMatchObject({ code: 'VERSION_UNSUPPORTED' });
  });
});

test('the portable hasher is SHA-256', async () => {
  const bytes = bytesOfArray(old);
  const hasher = portableHasher();
  hasher.update(bytes.subarray(0, 100));
  hasher.update(bytes.subarray(100));
  expect(hasher.hex()).toBe(await createHasherHex(bytes));
});
