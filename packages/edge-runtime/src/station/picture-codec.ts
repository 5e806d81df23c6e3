// The seam to a platform's code for pictures: native in Node, the canvas in a browser.
import type { RgbImage } from '@kerf/protocol';
import type { Picture } from '../capture/capture.ts';

export interface PictureCoding {
  readonly format: 'png' | 'jpeg' | 'webp';
  /** 1 to 100, of the lossy ones. */
  readonly quality: number;
}

export interface PictureCodec {
  /** @throws {KerfError} IMAGE_INVALID. */
  decode(picture: Picture): Promise<RgbImage>;
  /** Stretches to the size. */
  resize(image: RgbImage, width: number, height: number): Promise<RgbImage>;
  encode(image: RgbImage, coding: PictureCoding): Promise<Uint8Array>;
  /** Hex SHA-256. */
  sha256(bytes: Uint8Array): Promise<string>;
}
