// A length -> bytes that no compression shortens, for probes.
import { seededRandom } from './random.ts';

let shared = new Uint8Array(0);

/** `byteLength` bytes of noise: a view that all callers share, not to be written to. */
export function fillerBytes(byteLength: number): Uint8Array {
  if (shared.byteLength < byteLength) shared = noise(Math.max(byteLength, 2 * shared.byteLength));
  return shared.subarray(0, byteLength);
}

function noise(byteLength: number): Uint8Array<ArrayBuffer> {
  const random = seededRandom(1);
  const words = Uint32Array.from({ length: Math.ceil(byteLength / 4) }, () => random() * 2 ** 32);
  return new Uint8Array(words.buffer);
}
