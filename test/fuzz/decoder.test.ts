// Mutated messages by the hundred thousand: the decoder gives a valid message or a KerfError, and memory stays bounded.
// KERF_FUZZ_RUNS sets how many (CI: 1,000,000 a night), KERF_FUZZ_SEED where to start; a failure prints both.
import { readFileSync } from 'node:fs';
import { decodeMessage, type ErrorCode, encodeMessage, KerfError, MESSAGE_TYPES, seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';

const RUNS = Number(process.env['KERF_FUZZ_RUNS'] ?? 200_000);
const SEED = Number(process.env['KERF_FUZZ_SEED'] ?? 20_260_101);
/** Largest vector is 5 KB; a decoder that trusted a length would ask for gigabytes. */
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
const ALLOWED = new Set<ErrorCode>(['MESSAGE_MALFORMED', 'MESSAGE_TOO_LARGE', 'VERSION_UNSUPPORTED']);
const INTERESTING = [
  0x00, 0x01, 0x0f, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd4,
  0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff,
];

type Pick = (limit: number) => number;

function mutate(seeds: readonly Uint8Array[], pick: Pick): Uint8Array {
  let bytes: Uint8Array = (seeds[pick(seeds.length)] as Uint8Array).slice();
  for (let edits = 1 + pick(4); edits > 0; edits--) bytes = edit(bytes, seeds, pick);
  // Most mutants keep a right preamble, or the first check would stop them all.
  if (bytes.byteLength >= 16 && pick(8) !== 0) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setUint32(0, 0x4652454b, true);
    view.setUint8(4, 1);
    view.setUint32(12, bytes.byteLength, true);
    if (pick(8) === 0) view.setUint8(5, 1 + pick(Object.keys(MESSAGE_TYPES).length));
  }
  return bytes;
}

function edit(bytes: Uint8Array, seeds: readonly Uint8Array[], pick: Pick): Uint8Array {
  const at = pick(Math.max(1, bytes.byteLength));
  switch (pick(7)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
      return bytes;
    case 1:
    case 2:
      // The header is where the structure is.
      bytes[Math.min(bytes.byteLength - 1, 16 + pick(240))] = INTERESTING[pick(INTERESTING.length)] as number;
      return bytes;
    case 3:
      return bytes.slice(0, at);
    case 4:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...Array.from({ length: pick(20) }, () => pick(256)),
        ...bytes.subarray(at),
      ]);
    case 5: {
      const other = seeds[pick(seeds.length)] as Uint8Array;
      return Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(pick(other.byteLength))]);
    }
    default:
      if (bytes.byteLength >= 16)
        new DataView(bytes.buffer).setUint32(8, pick(2) === 0 ? pick(400) : pick(2 ** 32), true);
      return bytes;
  }
}

describe('decoder under mutation', () => {
  it(`survives ${RUNS} messages from seed ${SEED}`, { timeout: 600_000 }, () => {
    const { vectors } = JSON.parse(readFileSync(new URL('../vectors/messages.json', import.meta.url), 'utf8')) as {
      vectors: { hex: string }[];
    };
    const seeds = vectors.map(({ hex }) => new Uint8Array(Buffer.from(hex, 'hex')));
    const random = seededRandom(SEED);
    const pick: Pick = (limit) => Math.floor(random() * limit);
    const before = process.memoryUsage();
    let valid = 0;
    let peakBytes = 0;
    for (let run = 0; run < RUNS; run++) {
      const bytes = mutate(seeds, pick);
      try {
        const message = decodeMessage(bytes);
        valid++;
        // What was accepted is a message in full: it can be sent on and read again.
        if (run % 16 === 0) decodeMessage(encodeMessage(message));
      } catch (error) {
        if (!KerfError.is(error) || !ALLOWED.has(error.code)) {
          throw new Error(`run ${run} of seed ${SEED}: ${Buffer.from(bytes).toString('hex')}`, { cause: error });
        }
      }
      if (run % 64 === 0) {
        const now = process.memoryUsage();
        peakBytes = Math.max(peakBytes, now.arrayBuffers - before.arrayBuffers, now.heapUsed - before.heapUsed);
      }
    }
    expect(peakBytes).toBeLessThan(MAX_GROWTH_BYTES);
    // Both ways of ending were met, or the generator would have tested nothing.
    expect(valid).toBeGreaterThan(RUNS / 100);
    expect(valid).toBeLessThan(RUNS * 0.99);
    console.log(`decoder fuzz: ${RUNS} runs, ${valid} valid, peak growth ${(peakBytes / 2 ** 20).toFixed(1)} MiB`);
  });
});
