// The first bytes of a PNG, JPEG or WebP -> its width and height, before anything is decoded.
import { KerfError } from './errors.ts';

export type ImageFormat = 'png' | 'jpeg' | 'webp';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/**
 * The size that the file declares; a decoder allocates by it, so it is checked first.
 * @throws {KerfError} IMAGE_INVALID when the bytes are not of the format.
 */
export function imageSizeInHeader(bytes: Uint8Array, format: ImageFormat): ImageSize {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = SIZE_OF[format](view);
  if (size === null || size.width === 0 || size.height === 0) {
    throw new KerfError('IMAGE_INVALID', `the payload is not a ${format} image`);
  }
  return size;
}

/** The size that a file of any of the three formats declares; null when it is none of them. */
export function declaredImageSize(bytes: Uint8Array): ImageSize | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return pngSize(view) ?? jpegSize(view) ?? webpSize(view);
}

const SIZE_OF: Record<ImageFormat, (view: DataView) => ImageSize | null> = {
  png: pngSize,
  jpeg: jpegSize,
  webp: webpSize,
};

/** PNG specification, 11.2.2: IHDR is the first chunk. */
function pngSize(view: DataView): ImageSize | null {
  if (view.byteLength < 24 || view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a) return null;
  if (ascii(view, 12) !== 'IHDR') return null;
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** ITU-T T.81, B.2.2: the size stands in the frame header, SOF0 to SOF15 but for DHT, JPG and DAC. */
function jpegSize(view: DataView): ImageSize | null {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    const hasNoLength = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += hasNoLength ? 2 : 2 + view.getUint16(at + 2);
  }
  return null;
}

/** WebP container specification: VP8X holds the canvas; else VP8 (RFC 6386, 9.1) or VP8L (lossless, 3) hold the size. */
function webpSize(view: DataView): ImageSize | null {
  if (view.byteLength < 30 || ascii(view, 0) !== 'RIFF' || ascii(view, 8) !== 'WEBP') return null;
  const uint24 = (at: number): number => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  switch (ascii(view, 12)) {
    case 'VP8X':
      return { width: uint24(24) + 1, height: uint24(27) + 1 };
    case 'VP8 ':
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    default:
      return null;
  }
}

function ascii(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}
