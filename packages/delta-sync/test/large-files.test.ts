// Files that are too large to be searched for copies: what stands at the same place is one.
import { expect, test } from 'vitest';
import type { ByteReader } from '../src/byte-reader.ts';
import { matchBytes } from '../src/encode/match-bytes.ts';

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
