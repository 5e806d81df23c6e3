// The bytes of a PNG, JPEG or WebP -> whether the file ends where its format says, before anything is decoded.
import { KerfError } from './errors.ts';
import type { ImageFormat } from './image-header.ts';

/**
 * Refuses a file that was cut off: decoders fill what is missing with grey, and a defect there would not be seen. What
 * follows the end of the picture is nobody's business. Bytes of another format pass; a decoder says what they are.
 * @throws {KerfError} IMAGE_INVALID.
 */
export function checkWholeImage(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = formatOf(view);
  if (format === null || IS_WHOLE[format](view, bytes)) return;
  throw new KerfError('IMAGE_INVALID', `the ${format} picture ends early: only a part of the file is here`);
}

const IS_WHOLE: Record<ImageFormat, (view: DataView, bytes: Uint8Array) => boolean> = {
  png: isWholePng,
  jpeg: isWholeJpeg,
  webp: (view) => view.getUint32(4, true) + 8 <= view.byteLength,
};

function formatOf(view: DataView): ImageFormat | null {
  if (view.byteLength < 12) return null;
  if (view.getUint32(0) === 0x89504e47) return 'png';
  if (view.getUint16(0) === 0xffd8) return 'jpeg';
  return view.getUint32(0) === 0x52494646 && view.getUint32(8) === 0x57454250 ? 'webp' : null;
}

const IEND = 0x49454e44;

/** PNG specification, 5.3: length, type, data and CRC of each chunk; IEND is the last one. */
function isWholePng(view: DataView): boolean {
  let at = 8;
  while (at + 12 <= view.byteLength) {
    if (view.getUint32(at + 4) === IEND) return true;
    at += 12 + view.getUint32(at);
  }
  return false;
}

const EOI = 0xd9;

/** ITU-T T.81, B.1.1: segments with a length, and behind each SOS coded data in which FF is followed by 00 or RST. */
function isWholeJpeg(view: DataView, bytes: Uint8Array): boolean {
  let at = 2;
  while (at + 2 <= view.byteLength) {
    // Within coded data, and before a marker where fill bytes stand, the next FF is what counts.
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 2 > view.byteLength) return false;
    const marker = view.getUint8(at + 1);
    if (marker === EOI) return true;
    if (marker === 0xff) at++;
    else if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else if (at + 4 > view.byteLength) return false;
    else at += 2 + view.getUint16(at + 2);
  }
  return false;
}
