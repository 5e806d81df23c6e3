// An old model and the next one -> the next one with its float32 weights on a grid around the old ones.
import { readModel, type WeightRange, weightRanges } from '@kerf/onnx';
import { KerfError } from '@kerf/protocol';
import { rmsDifference, snapWeights } from '../encode/snap-weights.ts';

/** TensorProto.DataType of float32. */
const FLOAT32 = 1;

export interface SnappedModel {
  /** The new model with other weights; everything else as it was. */
  readonly bytes: Uint8Array;
  /** Tensors that were snapped, and float32 tensors that have no counterpart in the old model and stay. */
  readonly snapped: number;
  readonly kept: number;
}

/**
 * Snaps every float32 tensor of `fresh` that has one of the same name and shape in `old`, each to a grid of
 * `step` times the root mean square of its own differences. Weights in the model file only.
 * @param step about 0.5 leaves the task where it was; the metric of the task must decide
 * @throws {KerfError} MODEL_MALFORMED, MODEL_TOO_LARGE, MODEL_UNSUPPORTED when weights are in data files,
 *   INVALID_ARGUMENT for a step that is no positive number.
 */
export function snapModel(old: Uint8Array, fresh: Uint8Array, step: number): SnappedModel {
  if (!(step > 0 && Number.isFinite(step))) {
    throw new KerfError('INVALID_ARGUMENT', `the step of a grid must be a positive number, got ${step}`);
  }
  const before = floatRanges(old);
  const bytes = new Uint8Array(fresh);
  let snapped = 0;
  let kept = 0;
  for (const [key, span] of floatRanges(fresh)) {
    const counterpart = before.get(key);
    if (counterpart === undefined) {
      kept++;
      continue;
    }
    const [was, is] = [floatsAt(old, counterpart), floatsAt(fresh, span)];
    const rms = rmsDifference(was, is);
    if (rms > 0) bytes.set(new Uint8Array(snapWeights(was, is, step * rms).buffer), span.start);
    snapped++;
  }
  return { bytes, snapped, kept };
}

type Span = NonNullable<WeightRange['span']>;

/** float32 tensors by name and shape; a name that occurs twice counts once. */
function floatRanges(bytes: Uint8Array): Map<string, Span> {
  const ranges = new Map<string, Span>();
  for (const { name, dataType, dims, span } of weightRanges(readModel(bytes))) {
    if (dataType !== FLOAT32) continue;
    if (span === null) {
      throw new KerfError(
        'MODEL_UNSUPPORTED',
        `'${name}' lies in a data file: snap a model that holds its weights itself`,
      );
    }
    const key = JSON.stringify([name, dims]);
    if (!ranges.has(key)) ranges.set(key, span);
  }
  return ranges;
}

/** A copy, aligned. */
function floatsAt(bytes: Uint8Array, { start, end }: Span): Float32Array {
  return new Float32Array(new Uint8Array(bytes.subarray(start, end)).buffer);
}
