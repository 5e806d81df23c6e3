// What a model is for, so that its worth can be measured: samples with labels, and a metric in points.
import type { TensorMap } from '@kerf/protocol';

/** What is known to be true of a sample. */
export type Label =
  /** Index of the right class. */
  | { readonly kind: 'class'; readonly index: number }
  /** Null for a good part; else the kind of defect and, where it was drawn, its mask: 1 for a defect's pixel. */
  | { readonly kind: 'defect'; readonly defect: string | null; readonly mask: Mask | null }
  | { readonly kind: 'text'; readonly text: string };

export interface Mask {
  readonly width: number;
  readonly height: number;
  /** Row-major, 0 or 1. */
  readonly pixels: Uint8Array;
}

export interface TaskSample {
  /** Path below the folder of samples, for people. */
  readonly id: string;
  /** Inputs of the model by name. */
  readonly inputs: TensorMap;
  /** Null where the samples have no labels. */
  readonly label: Label | null;
}

/** A sample's answer beside what is true. */
export interface Answered {
  readonly label: Label | null;
  /** Outputs of the model by name. */
  readonly outputs: TensorMap;
  /** Outputs of the whole, unquantised model on the same sample: what a metric without labels compares with. */
  readonly reference: TensorMap;
}

/**
 * A task's metric in points: 0 to 100, more is better, so that a loss is `whole - coded` in points.
 * For `defect`: IoU of defect pixels over all samples; for `class`: accuracy; for `text`: share of right characters
 * (1 - edit distance / length); for `boxes`: F1 against the boxes of the whole model; without labels: 100 * (1 - mean relative distance of the outputs), at least 0.
 */
export interface TaskMetric {
  /** Such as `pixel IoU`. */
  readonly name: string;
  /** Over a whole set of answers. @returns points. @throws {KerfError} INVALID_ARGUMENT for no or unfitting answers. */
  points(answers: readonly Answered[]): number;
}
