// Pictures at native speed, off the main thread.
import type { Pictures } from '../../station/pictures.ts';
import { sha256Hex } from '../../station/sha256.ts';
import { decodePicture, encodeJpeg, encodePng, encodeWebp, resizePicture } from '../picture/picture-file.ts';

export const nodePictures: Pictures = {
  decode: (picture) => (picture.kind === 'pixels' ? Promise.resolve(picture.image) : decodePicture(picture.bytes)),
  resize: resizePicture,
  sha256: sha256Hex,
  encode(image, { format, quality }) {
    if (format === 'png') return encodePng(image);
    return format === 'jpeg' ? encodeJpeg(image, quality) : encodeWebp(image, quality);
  },
};
