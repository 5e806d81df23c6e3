// An old file and a delta -> bytes made a second.
import { makeTarget, readDeltaIndex } from '@kerf/delta-sync';
import { openFileReader } from '@kerf/delta-sync/node';

const ROUNDS = 5;

/** MB/s, best of five: the first is the compiler's. Hashing of segments included, of whole files not. */
export async function applySpeed(old: string, file: string): Promise<number> {
  const [base, reader] = [await openFileReader(old), await openFileReader(file)];
  try {
    const index = await readDeltaIndex(reader);
    let best = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = performance.now();
      let bytes = 0;
      for await (const made of makeTarget({ index, delta: reader, base: [base] })) bytes += made.bytes.byteLength;
      best = Math.max(best, bytes / 1e3 / (performance.now() - startedMs));
    }
    return best;
  } finally {
    await Promise.all([base.close(), reader.close()]);
  }
}
