// The bytes of a picture -> what a canvas draws, no larger than it is seen.
import type { PictureView } from '@kerf/bridge';

export interface DecodedPicture {
  readonly source: ImageBitmap | VideoFrame;
  readonly width: number;
  readonly height: number;
}

/**
 * `ImageDecoder` skips, of a JPEG, what is not seen, and needs no blob, which crosses to the browser's process and back: half of the
 * time of a bitmap. Firefox has it since 133, Safari not yet, and pages that came over plain http from another machine never.
 *
 * @param seenWidth pixels that it is wide on the screen; the result is as wide or wider, as far as the picture is
 */
export function decodePicture(picture: PictureView, seenWidth: number): Promise<DecodedPicture> {
  if (typeof ImageDecoder === 'undefined') return toBitmap(picture, seenWidth);
  // What one decoder of a browser does not take, the other may.
  return toFrame(picture, seenWidth).catch(() => toBitmap(picture, seenWidth));
}

async function toFrame({ format, bytes, width, height }: PictureView, seenWidth: number): Promise<DecodedPicture> {
  // A JPEG comes in eighths of its own size, the next smaller one: an eighth more is wide enough.
  const desired = seenWidth + width / 8;
  const size =
    desired < width ? { desiredWidth: Math.ceil(desired), desiredHeight: Math.ceil((desired * height) / width) } : {};
  const decoder = new ImageDecoder({ data: bytes as Uint8Array<ArrayBuffer>, type: `image/${format}`, ...size });
  try {
    const { image } = await decoder.decode();
    return { source: image, width: image.displayWidth, height: image.displayHeight };
  } finally {
    decoder.close();
  }
}

async function toBitmap({ format, bytes, width }: PictureView, seenWidth: number): Promise<DecodedPicture> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: `image/${format}` });
  const size = seenWidth < width ? { resizeWidth: seenWidth, resizeQuality: 'medium' as const } : {};
  const source = await createImageBitmap(blob, size);
  return { source, width: source.width, height: source.height };
}
