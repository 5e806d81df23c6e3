// What the rate bench finds: plain data, from which its table, chart and page are made.
import type { Interval } from '@kerf/splitter';

/** Medians, milliseconds of one frame. */
export interface CodingTimes {
  readonly encodeMs: number;
  readonly decodeMs: number;
}

/** One way to send a frame. */
export interface RateRow {
  /** Such as `raw`, `levels, 0.5 points` or `JPEG 80`. */
  readonly label: string;
  /** What kind of codec it is, for the chart. */
  readonly family: 'plain' | 'uint8' | 'levels' | 'JPEG' | 'WebP' | 'lossless image';
  /** Cut tensors; null for an image of the input. */
  readonly cut: readonly string[] | null;
  /** On average over held-out samples. */
  readonly bytesPerFrame: number;
  /** Of the tensor at the cut; null for images. */
  readonly bitsPerValue: number | null;
  /** Order-0 entropy of the quantised tensor, bits per value, mean over frames; null where nothing is quantised. */
  readonly entropyBits: number | null;
  /** In Node; null until it is timed, which happens last. */
  readonly times: CodingTimes | null;
  /** The same bytes in Chromium; null where none was there, or it has no such format. */
  readonly browser: CodingTimes | null;
  /** Points that the whole model has on the same samples, less those of this way. */
  readonly lossPoints: number;
  readonly lossInterval: Interval;
}

export interface CutSize {
  readonly tensors: readonly string[];
  /** Short name for people, such as `cut 2, 24x96x96`. */
  readonly label: string;
  readonly values: number;
}

export interface SubjectRates {
  readonly name: string;
  readonly metric: string;
  readonly wholePoints: number;
  /** Held out: no codec was chosen on them. */
  readonly samples: number;
  readonly calibratedOn: number;
  /** What its samples have that others have not, for people. */
  readonly note: string | null;
  readonly inputPixels: { readonly width: number; readonly height: number };
  readonly cuts: readonly CutSize[];
  readonly rows: readonly RateRow[];
}

export interface RateReport {
  readonly format: 'kerf-rate/1';
  /** All cuts, limits and samples; a short run is for seeing that it works. */
  readonly isFull: boolean;
  readonly processor: string;
  readonly cores: number;
  /** Processes that wanted a core while times were taken, the bench among them: more than there are make times too long. */
  readonly load: number;
  readonly node: string;
  readonly chromium: string | null;
  readonly subjects: readonly SubjectRates[];
  /** Subjects that could not be measured here, with the reason. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
}
