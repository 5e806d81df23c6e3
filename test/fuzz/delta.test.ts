// Mutated deltas by the hundred thousand: each is refused with a KerfError, or makes what its index promises; no crash, no
// hang, no memory beyond the limits. KERF_FUZZ_RUNS sets how many, KERF_FUZZ_SEED where to start; a failure prints both.
import { readFileSync } from 'node:fs';
import { checkBase, decodeIndex, makeTarget, memoryReader, readDeltaIndex } from '@kerf/delta-sync';
import { type ErrorCode, KerfError, seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';

const RUNS = Number(process.env['KERF_FUZZ_RUNS'] ?? 4000);
const SEED = Number(process.env['KERF_FUZZ_SEED'] ?? 20_260_101);
/** A segment, its base, the scratch, tables and what the collector has not seen to yet. */
const MAX_GROWTH_BYTES = 128 * 1024 * 1024;
/** The vectors make 20 KB each; a stranger's segment may take 4 MiB of output. */
const MAX_RUN_MS = 5000;
const ALLOWED = new Set<ErrorCode>([
  'DELTA_MALFORMED',
  'DELTA_TOO_LARGE',
  'DELTA_BASE_MISMATCH',
  'VERSION_UNSUPPORTED',
]);

type Pick = (limit: number) => number;

interface Seed {
  readonly base: Uint8Array;
  readonly delta: Uint8Array;
  readonly signedBytes: number;
}

/** Half of the mutations hit the payload, where the decoders are; the others header and index. */
function mutate({ delta, signedBytes }: Seed, seeds: readonly Seed[], pick: Pick): Uint8Array {
  let bytes: Uint8Array = delta.slice();
  for (let edits = 1 + pick(3); edits > 0; edits--) {
    const inPayload = pick(2) === 0;
    const at = inPayload ? signedBytes + pick(Math.max(1, bytes.byteLength - signedBytes)) : pick(signedBytes);
    switch (pick(inPayload ? 3 : 5)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
        break;
      case 1:
        bytes[at] = pick(256);
        break;
      case 2:
        // Control and stream lengths come first in a payload.
        bytes[Math.min(bytes.byteLength - 1, signedBytes + pick(24))] = pick(256);
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      default: {
        const other = seeds[pick(seeds.length)] as Seed;
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...other.delta.subarray(pick(other.delta.byteLength))]);
      }
    }
  }
  return bytes;
}

describe('delta decoder under mutation', () => {
  it(`survives ${RUNS} deltas from seed ${SEED}`, { timeout: 3_600_000 }, async () => {
    const { vectors } = JSON.parse(readFileSync(new URL('../vectors/deltas.json', import.meta.url), 'utf8')) as {
      vectors: { base: string; delta: string }[];
    };
    const seeds = vectors.map(({ base, delta }): Seed => {
      const bytes = new Uint8Array(Buffer.from(delta, 'base64'));
      return {
        base: new Uint8Array(Buffer.from(base, 'base64')),
        delta: bytes,
        signedBytes: decodeIndex(bytes).signedBytes,
      };
    });
    const random = seededRandom(SEED);
    const pick: Pick = (limit) => Math.floor(random() * limit);
    const before = process.memoryUsage();
    let refused = 0;
    let reachedDecoder = 0;
    let peakBytes = 0;
    for (let run = 0; run < RUNS; run++) {
      const seed = seeds[pick(seeds.length)] as Seed;
      const bytes = mutate(seed, seeds, pick);
      const startedMs = performance.now();
      try {
        const delta = memoryReader(bytes);
        const index = await readDeltaIndex(delta);
        const base = [memoryReader(seed.base)];
        await checkBase(index, base);
        reachedDecoder++;
        for await (const made of makeTarget({ index, delta, base })) void made;
      } catch (error) {
        refused++;
        if (!KerfError.is(error) || !ALLOWED.has(error.code)) {
          throw new Error(`run ${run} of seed ${SEED}: ${Buffer.from(bytes).toString('base64')}`, { cause: error });
        }
      }
      expect(performance.now() - startedMs, `run ${run} of seed ${SEED}`).toBeLessThan(MAX_RUN_MS);
      if (run % 16 === 0) {
        const now = process.memoryUsage();
        peakBytes = Math.max(peakBytes, now.arrayBuffers - before.arrayBuffers, now.heapUsed - before.heapUsed);
      }
    }
    expect(peakBytes).toBeLessThan(MAX_GROWTH_BYTES);
    // The decoders were met, or the generator would have tested nothing. What is accepted changed nothing that counts.
    expect(reachedDecoder).toBeGreaterThan(RUNS / 5);
    expect(refused).toBeGreaterThan(RUNS * 0.9);
    console.log(
      `delta fuzz: ${RUNS} runs, ${reachedDecoder} reached the decoder, ${RUNS - refused} unharmed, ` +
        `peak growth ${(peakBytes / 2 ** 20).toFixed(1)} MiB`,
    );
  });
});
