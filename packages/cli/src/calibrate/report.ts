// What kerf calibrate reports, as JSON has it.
import type { TensorCodec } from '@kerf/protocol';
import type { CutCalibration, MeasuredCodec, PairedLoss } from '@kerf/splitter';
import { codecFiles } from '@kerf/splitter';

export interface CalibrationReport {
  readonly model: { readonly file: string; readonly sha256: string };
  readonly samples: {
    readonly folder: string;
    /** Samples that codecs were chosen on, and others that they were judged on. */
    readonly chosenOn: number;
    readonly judgedOn: number;
    readonly seed: number;
  };
  readonly metric: string;
  readonly maxLossPoints: number;
  /** How sure the loss is within it. */
  readonly confidencePercent: number;
  /** Null: no bound. */
  readonly maxBytes: number | null;
  readonly cuts: readonly CalibratedCut[];
  /** The file of --codecs; null without. */
  readonly codecs: string | null;
}

export interface CalibratedCut {
  readonly cut: readonly string[];
  /** The calibrated split; null where no codec kept the limits. */
  readonly folder: string | null;
  /** Label of the codec that the split got; null where none kept the limits. */
  readonly best: string | null;
  readonly nonFinite: { readonly values: number; readonly samples: number };
  /** All that were tried, smallest first. */
  readonly measured: readonly MeasuredRow[];
}

export interface MeasuredRow {
  readonly label: string;
  readonly tensors: readonly { readonly name: string; readonly codec: TensorCodec; readonly bytesPerFrame: number }[];
  readonly bytesPerFrame: number;
  readonly bitsPerValue: number;
  /** On samples that no choice has seen. */
  readonly loss: PairedLoss;
  /** Points that the loss is no more than, at that confidence. */
  readonly upperLossPoints: number;
  /** Samples to judge by that would show the limit, were the same seen on them; null where no number of them would. */
  readonly samplesToShow: number | null;
  /** On the samples of the choice; null where there was nothing to choose. */
  readonly chosenLoss: PairedLoss | null;
  readonly encodeMs: number;
  readonly decodeMs: number;
}

export function calibratedCut(cut: readonly string[], result: CutCalibration, folder: string | null): CalibratedCut {
  const { best, measured, nonFinite } = result;
  return { cut, folder, best: best?.label ?? null, nonFinite, measured: measured.map(measuredRow) };
}

export function measuredRow(codec: MeasuredCodec): MeasuredRow {
  const { label, loss, upperLossPoints, chosenLoss, totalBytes, bitsPerValue, encodeMs, decodeMs } = codec;
  const tensors = codecFiles(codec).tensors.map((tensor) => ({
    ...tensor,
    bytesPerFrame: codec.bytesPerFrame.get(tensor.name) ?? 0,
  }));
  return {
    label,
    tensors,
    bytesPerFrame: totalBytes,
    bitsPerValue,
    loss,
    upperLossPoints,
    samplesToShow: codec.samplesToShow,
    chosenLoss,
    encodeMs,
    decodeMs,
  };
}
