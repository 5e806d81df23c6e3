// What a source hands over: one picture of one part, or the reason why there is none.
import type { ErrorCode, RgbImage } from '@kerf/protocol';

/** A picture as it came: still encoded, or as pixels. */
export type Picture =
  | { readonly kind: 'encoded'; readonly format: 'png' | 'jpeg' | 'webp'; readonly bytes: Uint8Array }
  | { readonly kind: 'pixels'; readonly image: RgbImage };

export interface Capture {
  /** Name of the source in the station file. */
  readonly source: string;
  /** Counts what this source saw, from 0 in each run. A gap is a frame that was lost before the station had it. */
  readonly sequence: number;
  /** When the picture was taken: milliseconds since 1970-01-01 UTC, by the device's clock. */
  readonly takenAt: number;
  /** From the trigger, the file's name, a field or a scanner; null where nobody said. */
  readonly partId: string | null;
  /** Null when the picture cannot be read: the part still gets a verdict, `NO_READ`. */
  readonly picture: Picture | null;
  /** Why there is no picture. */
  readonly fault: { readonly code: ErrorCode; readonly message: string } | null;
  /** True for a picture that equals the one before it, byte for byte: a frozen camera looks like this. */
  readonly isRepeat: boolean;
  /** True for pictures of a recording or a test folder: OPC 40100's IsSimulated. */
  readonly isSimulated: boolean;
  /** Where the source has somewhere to answer (an HTTP request, a folder of done files): called once with the result's JSON. */
  readonly onResult?: (json: unknown) => void;
}
