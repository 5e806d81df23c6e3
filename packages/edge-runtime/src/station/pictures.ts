// What a station has done to pictures, each job whole: in a thread of its own in Node, where nothing else waits for it.
import type { Picture } from '../capture/capture.ts';
import type { Judgement } from './judge/judgement.ts';
import type { PictureCoding } from './picture-codec.ts';
import type { PreparedPicture } from './prepare-picture.ts';
import type { WantedInputs } from './reading-rules.ts';
import type { ResultRecord } from './result-record.ts';

export interface ShownSize {
  /** In pixels; a smaller picture keeps its size. */
  readonly longerSide: number;
  /** Of a JPEG, 1 to 100. */
  readonly quality: number;
}

/** A picture for a screen. */
export interface ShownPicture {
  readonly format: PictureCoding['format'];
  readonly bytes: Uint8Array;
  /** Of the picture that was taken: boxes and masks are placed by it. */
  readonly width: number;
  readonly height: number;
}

export interface Pictures {
  /**
   * Decodes, hashes, looks, and makes the models' inputs.
   * @returns a judgement where nothing can be seen.
   * @throws {KerfError} TENSOR_MISMATCH, INVALID_ARGUMENT where pictures do not fit the model; BACKEND_FAILED.
   */
  prepare(picture: Picture, wanted: WantedInputs): Promise<PreparedPicture | Judgement>;
  /** The picture with what the station saw, as PNG. @throws {KerfError} IMAGE_INVALID, BACKEND_FAILED. */
  overlay(picture: Picture, record: ResultRecord): Promise<Uint8Array>;
  /** As it came where it is small enough, else as JPEG. @throws {KerfError} IMAGE_INVALID, BACKEND_FAILED. */
  shown(picture: Picture, size: ShownSize): Promise<ShownPicture>;
  /** As it lies after its EXIF orientation. @throws {KerfError} IMAGE_INVALID, BACKEND_FAILED. */
  sizeOf(picture: Picture): Promise<{ readonly width: number; readonly height: number }>;
}
