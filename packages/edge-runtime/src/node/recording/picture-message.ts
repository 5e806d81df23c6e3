// A picture's file -> the bytes of its message: JSON with the file in base64.
import type { PictureMessage } from './session-channels.ts';

/** Three bytes are four letters: pieces of it, coded one by one, make the base64 of the whole. */
const PIECE_BYTES = 3 * 2 ** 14;

/** What `JSON.stringify` gives, without texts of megabytes, which it would read, copy, and leave to the garbage collector. */
export function pictureMessageBytes(message: Omit<PictureMessage, 'data'>, picture: Uint8Array): Uint8Array {
  const head = Buffer.from(JSON.stringify({ ...message, data: '' }).slice(0, -'"}'.length));
  const file = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength);
  const bytes = Buffer.allocUnsafe(head.byteLength + Math.ceil(file.byteLength / 3) * 4 + '"}'.length);
  let end = head.copy(bytes);
  for (let from = 0; from < file.byteLength; from += PIECE_BYTES) {
    end += bytes.write(file.toString('base64', from, from + PIECE_BYTES), end, 'latin1');
  }
  bytes.write('"}', end, 'latin1');
  return bytes;
}
