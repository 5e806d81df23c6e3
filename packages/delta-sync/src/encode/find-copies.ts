// Old and new bytes of any kind -> the long stretches that both have, wherever they lie.

/** Bytes of the new file that are at another place of the old one. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

const BLOCK_BYTES = 32;
/** Shorter ones are found as text, which costs less than an operation each. */
export const LEAST_STRETCH_BYTES = 1024;
const FACTOR = 0x0100_0193;

/** Stretches of at least so many bytes, in the order of the new ones, none over another. */
export type FindCopies = (fresh: Uint8Array, leastBytes: number) => Stretch[];

export function findCopiesOf(old: Uint8Array): FindCopies {
  const blocks = blockTable(old);
  return (fresh, leastBytes) => stretchesOf(blocks, old, fresh, leastBytes);
}

function stretchesOf(blocks: BlockTable, old: Uint8Array, fresh: Uint8Array, leastBytes: number): Stretch[] {
  const stretches: Stretch[] = [];
  let end = 0;
  let hash = hashAt(fresh, 0);
  for (let at = 0; at + BLOCK_BYTES <= fresh.length; ) {
    const found = blocks.find(hash, fresh, at);
    const stretch = found < 0 ? null : extend(old, fresh, found, at, end);
    if (stretch !== null && stretch.bytes >= leastBytes) {
      stretches.push(stretch);
      end = stretch.to + stretch.bytes;
      at = end;
      hash = hashAt(fresh, at);
      continue;
    }
    hash = (Math.imul(hash, FACTOR) + (fresh[at + BLOCK_BYTES] ?? 0) - Math.imul(LEAVING, fresh[at] as number)) | 0;
    at++;
  }
  return stretches;
}

/** What the first byte of a block has become when the block is complete and one more byte comes. */
const LEAVING = Array.from({ length: BLOCK_BYTES }).reduce<number>((power) => Math.imul(power, FACTOR), 1);

function hashAt(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let byte = at; byte < at + BLOCK_BYTES; byte++) hash = (Math.imul(hash, FACTOR) + (bytes[byte] ?? 0)) | 0;
  return hash;
}

interface BlockTable {
  /** Where the block at `at` of `fresh` stands in the old bytes; -1 where it does not. */
  find(hash: number, fresh: Uint8Array, at: number): number;
}

/** Every 32nd place of the old bytes, by the hash of what stands there. */
function blockTable(old: Uint8Array): BlockTable {
  const count = Math.floor(old.length / BLOCK_BYTES);
  const bits = Math.max(4, 33 - Math.clz32(Math.max(1, count)));
  const places = new Int32Array(2 ** bits).fill(-1);
  const slotOf = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x9e37_79b1) >>> (32 - bits);
  for (let block = count - 1; block >= 0; block--) {
    places[slotOf(hashAt(old, block * BLOCK_BYTES))] = block * BLOCK_BYTES;
  }
  return {
    find(hash, fresh, at) {
      const place = places[slotOf(hash)] as number;
      if (place < 0) return -1;
      for (let byte = 0; byte < BLOCK_BYTES; byte++) if (old[place + byte] !== fresh[at + byte]) return -1;
      return place;
    },
  };
}

function extend(old: Uint8Array, fresh: Uint8Array, place: number, at: number, end: number): Stretch {
  let before = 0;
  while (at - before > end && place - before > 0 && old[place - before - 1] === fresh[at - before - 1]) before++;
  let after = BLOCK_BYTES;
  while (at + after < fresh.length && place + after < old.length && old[place + after] === fresh[at + after]) after++;
  return { from: place - before, to: at - before, bytes: before + after };
}
