// Text of every temper through the planner and back; and what it takes, against deflate with the same dictionary.
import { deflateRawSync } from 'node:zlib';
import { seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { decodeText } from '../src/codec/text-decode.ts';
import { encodeText } from '../src/codec/text-encode.ts';

/** Pieces of what was there, near and far, short and long, now and then a byte changed, and new bytes between. */
function patchwork(bytes: number, seed: number, alphabet: number): Uint8Array {
  const random = seededRandom(seed);
  const pick = (limit: number): number => Math.floor(random() * limit);
  const text = new Uint8Array(bytes);
  for (let at = 0; at < bytes; ) {
    const length = Math.min(bytes - at, pick(3) === 0 ? 1 + pick(600) : 1 + pick(12));
    if (at === 0 || pick(3) === 0) for (let end = at + length; at < end; at++) text[at] = pick(alphabet);
    else {
      const distance = 1 + pick(pick(2) === 0 ? Math.min(at, 40) : at);
      for (let end = at + length; at < end; at++) text[at] = (text[at - distance] as number) ^ (pick(50) === 0 ? 1 : 0);
    }
  }
  return text;
}

function roundTrip(history: Uint8Array, start: number, mayRun = true): number {
  const { stream } = encodeText(history, start, mayRun);
  const back = new Uint8Array(history.length);
  back.set(history.subarray(0, start));
  decodeText(stream, back, start);
  expect(Buffer.compare(back, history)).toBe(0);
  return stream.byteLength;
}

describe('text', () => {
  test.each([1, 2, 3, 4, 5, 6])('patchwork %i comes back, with a dictionary and without', (seed) => {
    const history = patchwork(9000 + 777 * seed, seed, seed % 2 === 0 ? 256 : 20);
    for (const start of [0, 1, 5000]) roundTrip(history, start);
  });

  test.each([0, 1, 2, 3, 4])('%i bytes', (bytes) => {
    roundTrip(new Uint8Array(bytes).fill(7), 0);
  });

  test('one byte again and again, over more than is planned at once', () => {
    expect(roundTrip(new Uint8Array(100_000).fill(9), 0)).toBeLessThan(64);
  });

  const noise = (bytes: number): Uint8Array => {
    const random = seededRandom(8);
    return Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
  };

  test('bytes without order are runs: they take a hundredth more at most, a seventh where there are none', () => {
    const bytes = noise(20_000);
    expect(roundTrip(bytes, 0)).toBeLessThan(bytes.byteLength * 1.01);
    expect(encodeText(bytes, 0, false).hasRuns).toBe(false);
    expect(roundTrip(bytes, 0, false)).toBeLessThan(bytes.byteLength * 1.15);
  });

  test('a text that has an order has no runs, so that every device reads it', () => {
    const words = new TextEncoder().encode('the quick brown fox jumps over the lazy dog; '.repeat(40));
    expect(encodeText(words, 0, true).hasRuns).toBe(false);
  });

  test('a run over the end of the text is refused', () => {
    const bytes = noise(3000);
    const { stream, hasRuns } = encodeText(bytes, 0, true);
    expect(hasRuns).toBe(true);
    const refusals = Array.from({ length: 300 }, (_, at) => {
      try {
        decodeText(stream, new Uint8Array(1 + at * 9), 0);
        return 'none';
      } catch (error) {
        return (error as Error).message.replace(/.*: (.*);.*/, '$1');
      }
    });
    expect(refusals).toContain('a match goes beyond the end');
    expect(refusals).not.toContain('none');
  });

  test('a graph whose names have changed takes less than deflate needs', () => {
    const graph = (prefix: string): Uint8Array =>
      new TextEncoder().encode(
        Array.from(
          { length: 300 },
          (_, at) => `\n\x12/${prefix}/block_${at >> 3}/conv_${at}/out\x12\x04Conv"\x0apads${at % 7}${(at * 37) % 101}`,
        ).join(''),
      );
    const [old, fresh] = [graph('model'), graph('encoder.v2')];
    const history = Uint8Array.from([...old, ...fresh]);
    const taken = roundTrip(history, old.byteLength);
    expect(taken).toBeLessThan(0.75 * deflateRawSync(fresh, { level: 9, dictionary: old }).byteLength);
  });
});
