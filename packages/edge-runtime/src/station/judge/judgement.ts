// What a task says of a model's outputs, before a part's record is made of it.
import type { RgbImage, TensorMap } from '@kerf/protocol';
import type { Rectangle } from '../fit-picture.ts';
import type { Reason, ResultBox, ResultMask, Verdict } from '../result-record.ts';

/** What the outputs say. */
export interface Finding {
  /** Of the part: larger is worse. NaN where the model gave none. */
  readonly score: number;
  readonly scores: Readonly<Record<string, number>>;
  readonly boxes: readonly ResultBox[];
  readonly mask: ResultMask | null;
  /** Something to look at although the score is low. */
  readonly doubt: Reason | null;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: Reason | null;
  readonly score: number | null;
  readonly scores: Readonly<Record<string, number>>;
  readonly boxes: readonly ResultBox[];
  readonly mask: ResultMask | null;
}

/** A judgement that no model made. */
export function withoutScore(verdict: 'REVIEW' | 'NO_READ' | 'ERROR', reason: Reason): Judgement {
  return { verdict, reason, score: null, scores: {}, boxes: [], mask: null };
}

/** How the picture that was taken became the model's input. */
export interface PictureGeometry {
  readonly taken: Pick<RgbImage, 'width' | 'height'>;
  /** Part of it that the input shows. */
  readonly shown: Rectangle;
  readonly input: { readonly width: number; readonly height: number };
  /** Part of the input that `shown` fills; what lies beside it is bars. */
  readonly area: Rectangle;
}

/** Reads a task's answer. @throws {KerfError} TENSOR_MISMATCH, INVALID_ARGUMENT for outputs that do not fit the task. */
export type FindingReader = (outputs: TensorMap, geometry: PictureGeometry) => Finding;
