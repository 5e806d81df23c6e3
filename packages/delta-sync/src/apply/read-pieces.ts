// Pieces of the base that lie apart, each as far behind the one before -> their bytes, one behind the other.
import type { ByteReader } from '../byte-reader.ts';
import type { Pieces } from '../format/operation-sizes.ts';

/** Pieces that are near are read with all that lies between them: thousands of short reads take far longer. */
const AT_ONCE_BYTES = 2 * 1024 * 1024;

export async function readPieces(base: ByteReader, { offset, count, bytes, pitch }: Pieces): Promise<Uint8Array> {
  const joined = new Uint8Array(count * bytes);
  const most = Math.max(1, Math.floor(AT_ONCE_BYTES / pitch));
  for (let done = 0; done < count; done += most) {
    const some = Math.min(most, count - done);
    const near = await base.read(offset + done * pitch, (some - 1) * pitch + bytes);
    for (let piece = 0; piece < some; piece++) {
      joined.set(near.subarray(piece * pitch, piece * pitch + bytes), (done + piece) * bytes);
    }
  }
  return joined;
}
