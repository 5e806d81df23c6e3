// What finds matches: a hash of the four bytes at a place, and how far what stands there repeats what stood before.

/** Bits of a hash, with a place for each byte of the history within bounds. */
export function hashBits(
  historyBytes: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  return Math.min(most, Math.max(least, 32 - Math.clz32(historyBytes)));
}

/** @param shift 32 less the bits of the hash */
export function hashAt(history: Uint8Array, at: number, shift: number): number {
  const four =
    (history[at] as number) |
    ((history[at + 1] as number) << 8) |
    ((history[at + 2] as number) << 16) |
    ((history[at + 3] as number) << 24);
  return Math.imul(four, 0x9e37_79b1) >>> shift;
}

/** So many bytes from `at` on are those that stand `distance` before them. */
export function matchLength(history: Uint8Array, at: number, distance: number): number {
  const most = history.length - at;
  let length = 0;
  while (length < most && history[at + length] === history[at + length - distance]) length++;
  return length;
}
