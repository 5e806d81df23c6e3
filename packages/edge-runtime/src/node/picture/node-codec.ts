// Pictures at native speed, by the library's own threads.
import { createHash } from 'node:crypto';
import type { PictureCodec } from '../../station/picture-codec.ts';
import { decodePicture, encodeJpeg, encodePng, encodeWebp, resizePicture } from './picture-file.ts';

export const nodeCodec: PictureCodec = {
  decode: (picture) => (picture.kind === 'pixels' ? Promise.resolve(picture.image) : decodePicture(picture.bytes)),
  resize: resizePicture,
  // In this thread: the platform's own thread would be handed a copy.
  sha256: (bytes) => Promise.resolve(createHash('sha256').update(bytes).digest('hex')),
  encode(image, { format, quality }) {
    if (format === 'png') return encodePng(image);
    return format === 'jpeg' ? encodeJpeg(image, quality) : encodeWebp(image, quality);
  },
};
