// Two files too large to be searched -> the stretches that stand at the same place in both.

import { sameBytes } from '../same-bytes.ts';
import type { PlacedBytes } from './byte-forms.ts';
import { LEAST_STRETCH_BYTES, type Stretch } from './find-copies.ts';

const WINDOW_BYTES = 1024 * 1024;

/** In blocks of {@link LEAST_STRETCH_BYTES}; the bytes around them are compared as values. */
export async function stretchesInPlace(old: PlacedBytes, fresh: PlacedBytes): Promise<Stretch[]> {
  const stretches: { from: number; to: number; bytes: number }[] = [];
  const common = Math.min(old.bytes, fresh.bytes);
  for (let start = 0; start < common; start += WINDOW_BYTES) {
    const size = Math.min(WINDOW_BYTES, common - start);
    const [before, after] = await Promise.all([
      old.reader.read(old.place + start, size),
      fresh.reader.read(fresh.place + start, size),
    ]);
    for (let at = 0; at < size; at += LEAST_STRETCH_BYTES) {
      const bytes = Math.min(LEAST_STRETCH_BYTES, size - at);
      if (!sameBytes(before, after, at, at + bytes)) continue;
      const place = start + at;
      const last = stretches.at(-1);
      if (last !== undefined && last.to + last.bytes === place) last.bytes += bytes;
      else stretches.push({ from: place, to: place, bytes });
    }
  }
  return stretches;
}
