// The range coder: every bit back whatever the odds are, for hardly more bytes than the odds say, and carries that ripple.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeCoder } from '../../src/codec/range-coder.ts';
import { seededRandom } from '../../src/index.ts';

const anyOdds = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(1, 2, 255, 32_768, 65_000, 65_535));

function encoded(bits: readonly number[], odds: readonly number[]): Uint8Array {
  const coder = RangeCoder.encoder(0);
  coder.reserveBits(bits.length);
  for (const [at, bit] of bits.entries()) coder.code(bit, odds[at] as number);
  return coder.finish();
}

function decoded(bytes: Uint8Array, odds: readonly number[]): number[] {
  const coder = RangeCoder.decoder();
  coder.start(bytes);
  const bits = odds.map((zeroOdds) => coder.code(0, zeroOdds));
  coder.end();
  return bits;
}

describe('the range coder', () => {
  it('gives back any bits at any odds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), anyOdds), { maxLength: 500 }), (pairs) => {
        const bits = pairs.map(([bit]) => bit);
        const odds = pairs.map(([, each]) => each);
        expect(decoded(encoded(bits, odds), odds)).toEqual(bits);
      }),
    );
  });

  it('takes at most a half per cent and three bytes more than the odds say', () => {
    const random = seededRandom(3);
    for (const width of [0.02, 0.3, 1, 3]) {
      const bits: number[] = [];
      const odds: number[] = [];
      let ideal = 0;
      for (let at = 0; at < 40_000; at++) {
        const share = Math.min(0.9999, Math.max(0.0001, random() ** (1 / width)));
        const zeroOdds = Math.min(65_535, Math.max(1, Math.round(share * 65_536)));
        const bit = random() < zeroOdds / 65_536 ? 0 : 1;
        bits.push(bit);
        odds.push(zeroOdds);
        ideal -= Math.log2((bit === 0 ? zeroOdds : 65_536 - zeroOdds) / 65_536);
      }
      expect(encoded(bits, odds).byteLength).toBeLessThanOrEqual((ideal / 8) * 1.005 + 3);
    }
  });

  it('carries through any number of bytes', () => {
    // Bits that keep the low end just below a power of two for long, then push it over.
    for (let length = 1; length < 200; length++) {
      const bits = [0, ...Array.from({ length }, () => 1), 0, 1, 1];
      const odds = bits.map((_, at) => (at === 0 ? 32_768 : 65_535 - (at % 3)));
      expect(decoded(encoded(bits, odds), odds)).toEqual(bits);
    }
  });

  it('refuses bytes that are left over, and reads zeros beyond the end', () => {
    const bytes = encoded([1, 0, 1], [30_000, 30_000, 30_000]);
    expect(() => decoded(Uint8Array.from([...bytes, 0, 0, 0, 0, 9]), [30_000])).toThrow(/left over/);
    expect(decoded(new Uint8Array(0), [5, 5, 5])).toEqual([0, 0, 0]);
  });
});
