// Old tensors that no new one is a version of -> where the bytes of a new one stand in them: rows that were added or moved,
// matrices that were joined or parted.
import type { ByteReader } from '../byte-reader.ts';
import type { BaseRange } from '../format/operations.ts';
import { type FindCopies, findCopiesOf, type Stretch } from './find-copies.ts';
import type { PlacedTensor } from './place-tensors.ts';

/** Held in memory, twice for a moment; those that do not fit are not searched. */
const MAX_BYTES = 64 * 1024 * 1024;
const LEAST_BYTES = 64;

export class LostTensors {
  readonly #tensors: PlacedTensor[] = [];
  readonly #base: ByteReader;
  #find: FindCopies | null = null;

  constructor(tensors: readonly PlacedTensor[], base: ByteReader) {
    this.#base = base;
    let left = MAX_BYTES;
    for (const tensor of tensors) {
      if (tensor.bytes > left) continue;
      this.#tensors.push(tensor);
      left -= tensor.bytes;
    }
  }

  /** Stretches of at least so many bytes of `fresh`, by their place in the base. */
  async stretchesIn(fresh: Uint8Array, leastBytes: number): Promise<Stretch[]> {
    if (this.#tensors.length === 0) return [];
    this.#find ??= findCopiesOf(await this.#joined());
    return this.#find(fresh, leastBytes).flatMap((stretch) => this.#placed(stretch));
  }

  async #joined(): Promise<Uint8Array> {
    const all = new Uint8Array(this.#tensors.reduce((sum, { bytes }) => sum + bytes, 0));
    let at = 0;
    for (const { place, bytes } of this.#tensors) {
      all.set(await this.#base.read(place, bytes), at);
      at += bytes;
    }
    return all;
  }

  /** A stretch over the end of a tensor is one in each. */
  #placed({ from, to, bytes }: Stretch): Stretch[] {
    const placed: Stretch[] = [];
    let start = 0;
    for (const tensor of this.#tensors) {
      const first = Math.max(from, start);
      const last = Math.min(from + bytes, start + tensor.bytes);
      if (last - first >= Math.min(LEAST_BYTES, bytes)) {
        placed.push({ from: tensor.place + first - start, to: to + first - from, bytes: last - first });
      }
      start += tensor.bytes;
    }
    return placed;
  }
}

/** The ranges of the base that stretches come from, as they lie there, those that touch as one. */
export function rangesOf(stretches: readonly Stretch[]): BaseRange[] {
  const ranges: BaseRange[] = [];
  for (const { from, bytes } of [...stretches].sort((a, b) => a.from - b.from)) {
    const last = ranges.at(-1);
    if (last === undefined || from > last.offset + last.bytes + NEAR_BYTES) ranges.push({ offset: from, bytes });
    else {
      ranges[ranges.length - 1] = { offset: last.offset, bytes: Math.max(last.bytes, from + bytes - last.offset) };
    }
  }
  return ranges;
}

/** What lies between two ranges this near is read with them: a range of its own takes some bytes. */
const NEAR_BYTES = 256;
