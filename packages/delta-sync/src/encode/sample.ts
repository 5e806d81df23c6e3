// Bytes -> a few pieces from all over them, which stand for all.
const PIECES = 4;
const WORD_BYTES = 4;

/** All of them where they are no more than four pieces; pieces begin at whole words. */
export function sampleOf(bytes: Uint8Array, pieceBytes: number): Uint8Array {
  if (bytes.byteLength <= PIECES * pieceBytes) return bytes;
  const sample = new Uint8Array(PIECES * pieceBytes);
  for (let piece = 0; piece < PIECES; piece++) {
    const from = Math.floor((piece * (bytes.byteLength - pieceBytes)) / (PIECES - 1) / WORD_BYTES) * WORD_BYTES;
    sample.set(bytes.subarray(from, from + pieceBytes), piece * pieceBytes);
  }
  return sample;
}
