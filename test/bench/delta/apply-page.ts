// In a page: an old file and a delta by their addresses -> how fast the delta is applied, and the hash of what it makes.
import { makeTarget, memoryReader, portableHasher, readDeltaIndex } from '@kerf/delta-sync';

const ROUNDS = 3;

export interface PageTimes {
  readonly megabytesPerSecond: number;
  readonly sha256: string;
}

declare global {
  interface Window {
    applyDelta: (base: string, delta: string) => Promise<PageTimes>;
  }
}

window.applyDelta = async (base, delta) => {
  const [old, patch] = await Promise.all(
    [base, delta].map(async (address) => {
      const answer = await fetch(address);
      return memoryReader(new Uint8Array(await answer.arrayBuffer()));
    }),
  );
  if (old === undefined || patch === undefined) throw new Error('a file is missing');
  const index = await readDeltaIndex(patch);
  let best = 0;
  let sha256 = '';
  for (let round = 0; round < ROUNDS; round++) {
    const hasher = portableHasher();
    const startedMs = performance.now();
    let bytes = 0;
    let hashingMs = 0;
    for await (const made of makeTarget({ index, delta: patch, base: [old] })) {
      bytes += made.bytes.byteLength;
      const hashingAtMs = performance.now();
      hasher.update(made.bytes);
      hashingMs += performance.now() - hashingAtMs;
    }
    best = Math.max(best, bytes / 1e3 / (performance.now() - startedMs - hashingMs));
    sha256 = hasher.hex();
  }
  return { megabytesPerSecond: best, sha256 };
};
