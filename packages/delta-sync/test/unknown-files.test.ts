// Files of an unknown kind: too large to be searched for copies, and with values that all changed behind a head of another length.
import { seededRandom } from '@kerf/protocol';
import { expect, test } from 'vitest';
import type { ByteReader } from '../src/byte-reader.ts';
import { matchBytes } from '../src/encode/match-bytes.ts';
import { bytesOfArray, normal, plainFile, roundTrip } from './support/sources.ts';

const BYTES = 640 * 1024 * 1024;
const CHANGED = [0, 1_000_003, 300_000_000, BYTES - 1];

/** Mostly zeros, as a file of which little was ever written. */
function sparse(written: ReadonlyMap<number, number>, byteLength = BYTES): ByteReader {
  return {
    byteLength,
    async read(offset, bytes) {
      const made = new Uint8Array(bytes);
      for (const [at, value] of written) if (at >= offset && at < offset + bytes) made[at - offset] = value;
      return await Promise.resolve(made);
    },
  };
}

test('few bytes that changed take as many parts, and the rest is copied', async () => {
  const place = (reader: ByteReader) => ({ place: 0, bytes: reader.byteLength, reader });
  const old = place(sparse(new Map()));
  const fresh = place(sparse(new Map(CHANGED.map((at) => [at, 7]))));
  const sizes = { copied: 0, told: 0, parts: 0 };
  for await (const part of matchBytes(old, fresh, 2)) {
    sizes.parts++;
    if (part.kind === 'copy') sizes.copied += part.bytes;
    else sizes.told += part.fresh.byteLength;
  }
  expect(sizes.copied + sizes.told).toBe(BYTES);
  expect(sizes.told).toBeLessThanOrEqual(CHANGED.length * 1024);
  expect(sizes.parts).toBeLessThan(4 * CHANGED.length);
}, 60_000);

test('records of which few changed are told as one text where all of it takes less than its parts', async () => {
  const random = seededRandom(3);
  const records = Array.from({ length: 1200 }, (_, id) => ({
    id,
    name: `class_${id}`,
    colour: Math.floor(random() * 2 ** 24).toString(16),
    threshold: Math.round(random() * 1000) / 1000,
  }));
  const changed = records.map((record, at) => (at % 20 === 7 ? { ...record, threshold: (at % 1000) / 1000 } : record));
  const file = async (name: string, value: unknown) =>
    await plainFile(name, new TextEncoder().encode(JSON.stringify(value, null, 1)));
  const { delta } = await roundTrip([await file('old', records)], [await file('new', changed)]);
  expect(delta.byteLength).toBeLessThan(420);
});

test.each([1, 3, 8, 21])(
  'values that all changed, behind a head that grew by %i bytes, are differences',
  async (more) => {
    const old = normal(60_000, 0.05, 1);
    const noise = normal(60_000, 2e-5, 2);
    const fresh = old.map((value, at) => value + (noise[at] as number));
    const file = async (name: string, values: Float32Array, pad: number) => {
      const bytes = bytesOfArray(values);
      const made = new Uint8Array(2000 + pad + bytes.byteLength).fill(0x20);
      for (let at = 0; at < 1990; at++) made[at] = 33 + ((at * at) % 90);
      made.set(bytes, 2000 + pad);
      return await plainFile(name, made);
    };
    const { delta } = await roundTrip([await file('old', old, 0)], [await file('new', fresh, more)]);
    const aligned = await roundTrip([await file('old', old, 0)], [await file('new', fresh, 0)]);
    expect(delta.byteLength).toBeLessThan(1.02 * aligned.delta.byteLength + 200);
  },
);
