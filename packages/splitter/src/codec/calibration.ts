// What calibration is told and what it finds: plain types.
import type { ActivationCodec, Clock, EncodeOptions, TensorMap } from '@kerf/protocol';
import type { PairedLoss } from '../task/metric-for.ts';
import type { CutSamples } from './cut-samples.ts';
import type { HandCodec } from './hand-codec.ts';

export interface CalibrationSamples {
  /** The codec is chosen on these ... */
  readonly chosenOn: CutSamples;
  /** ... and judged on these, which no choice has seen. */
  readonly judgedOn: CutSamples;
}

export interface CalibrationLimits {
  /** Points of the metric that a codec may cost: the bound of its loss keeps this, not only what was seen. */
  readonly maxLossPoints: number;
  /** Of that bound, 50 to 99.9, one side. @default 95 */
  readonly confidencePercent?: number | undefined;
  /** `auto` tries all but `raw` and takes the smallest that keeps the limit. */
  readonly codec: 'auto' | 'levels' | Exclude<HandCodec, 'raw'>;
  /** Levels of a channel at most, 2 to 64. @default 64 */
  readonly maxLevels?: number | undefined;
  /** Of all payloads of a frame, on average. @default no bound */
  readonly maxBytes?: number | undefined;
  readonly nonFinite?: EncodeOptions['nonFinite'];
  /** What crosses for a part in its usual pose. */
  readonly golden?: TensorMap | null;
  /** @default the system clock */
  readonly clock?: Clock;
  readonly onProgress?: (text: string) => void;
}

export type CalibrationRequest = CalibrationSamples & CalibrationLimits;

/** A codec and what it was measured to do on the samples that it is judged on. */
export interface MeasuredCodec {
  /** Such as `levels 5`, `uint8 per channel` or `lossless`. */
  readonly label: string;
  /** Of every tensor of the cut. */
  readonly codecs: ReadonlyMap<string, ActivationCodec>;
  /** Files of level tables, by id. */
  readonly tables: ReadonlyMap<string, Uint8Array>;
  /** On the samples that it was chosen on; null for a codec that had nothing to choose. */
  readonly chosenLoss: PairedLoss | null;
  readonly loss: PairedLoss;
  /** Points that the loss is no more than, at the confidence asked for; 0 where every bit comes back. */
  readonly upperLossPoints: number;
  /** Samples to judge by that would show the limit, were the same seen on them; null where no number of them would. */
  readonly samplesToShow: number | null;
  /** On average, by tensor. */
  readonly bytesPerFrame: ReadonlyMap<string, number>;
  readonly totalBytes: number;
  readonly bitsPerValue: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
}

export interface CutCalibration {
  readonly metric: string;
  readonly chosenOnSamples: number;
  readonly judgedOnSamples: number;
  /** All that were tried, smallest first. */
  readonly measured: readonly MeasuredCodec[];
  /** The smallest that keeps every limit; null when none does. */
  readonly best: MeasuredCodec | null;
  /** NaN and infinite values in the samples, and the samples that hold some. */
  readonly nonFinite: { readonly values: number; readonly samples: number };
}
