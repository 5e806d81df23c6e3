// What a source hands over: one picture of one part, or the reason why there is none.
import type { RgbImage } from '@kerf/protocol';
import type { Reason, ResultRecord } from '../station/result-record.ts';

/** A picture as it came: still encoded, or as pixels. */
export type Picture =
  | { readonly kind: 'encoded'; readonly format: 'png' | 'jpeg' | 'webp'; readonly bytes: Uint8Array }
  | { readonly kind: 'pixels'; readonly image: RgbImage };

export interface Capture {
  /** Name of the source in the station file. */
  readonly source: string;
  /** Counts what this source saw, from 0 in each run. A gap is a frame that was lost before the station had it. */
  readonly sequence: number;
  /**
   * Names the picture over restarts, where the source can: the same file or upload has the same key when it is captured
   * again after a crash. The station makes the `resultId` from it, so that the part leaves no second trace. At most 200
   * characters.
   */
  readonly key: string | null;
  /** Name of the file that it was read from, where it was one of many. */
  readonly file?: string;
  /** When the picture was taken: milliseconds since 1970-01-01 UTC, by the device's clock. */
  readonly takenAt: number;
  /** From the trigger, the file's name, a field or a scanner; null where nobody said. */
  readonly partId: string | null;
  /** Null when the picture cannot be read: the part still gets a verdict, `NO_READ`. */
  readonly picture: Picture | null;
  /** Why there is no picture. */
  readonly fault: Reason | null;
  /** True for a picture that equals the one before it, byte for byte: a frozen camera looks like this. */
  readonly isRepeat: boolean;
  /** True for pictures of a recording or a test folder: OPC 40100's IsSimulated. */
  readonly isSimulated: boolean;
  /**
   * Where somebody waits (an HTTP request, a folder of done files): called once, with the first record of the part, when
   * the record is safe (in the outbox or at its sinks). Never throws.
   */
  readonly onResult: ((record: ResultRecord) => void) | null;
}
