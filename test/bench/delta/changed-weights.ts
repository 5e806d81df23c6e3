// A model file and a way to change weights -> the file with its larger float32 tensors changed in place, by a seed.
import { readModel, weightRanges } from '@kerf/onnx';
import { seededRandom } from '@kerf/protocol';

/** Changes a tensor of `shape` in place. */
export type ChangeWeights = (weights: Float32Array, shape: readonly number[]) => void;

const LEAST_BYTES = 32;

export function withChanged(file: Uint8Array, change: ChangeWeights): Uint8Array {
  const bytes = new Uint8Array(file);
  for (const { span, dataType, dims } of weightRanges(readModel(bytes))) {
    if (span === null || dataType !== 1 || span.end - span.start < LEAST_BYTES) continue;
    const weights = new Float32Array(bytes.slice(span.start, span.end).buffer);
    change(weights, dims);
    bytes.set(new Uint8Array(weights.buffer), span.start);
  }
  return bytes;
}

function rms(weights: Float32Array): number {
  return Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0) / weights.length);
}

/** About normal. */
function normals(seed: number): () => number {
  const random = seededRandom(seed);
  return () => (random() + random() + random() + random() - 2) * 1.73;
}

/** Every weight by normal noise of so much of its tensor's root mean square. */
export function noise(relative: number): ChangeWeights {
  return (weights) => {
    const scale = rms(weights) * relative;
    const next = normals(weights.length);
    for (let at = 0; at < weights.length; at++) weights[at] = (weights[at] as number) + next() * scale;
  };
}

/** The same noise, rounded to steps of half its size. */
export function gridNoise(relative: number): ChangeWeights {
  return (weights) => {
    const step = (rms(weights) * relative) / 2;
    const next = normals(weights.length);
    for (let at = 0; at < weights.length; at++) weights[at] = (weights[at] as number) + Math.round(2 * next()) * step;
  };
}

/** A product of so low a rank, of so much of the tensor, on matrices of some size; as merging a LoRA does. */
export function lowRank(rank: number, relative: number): ChangeWeights {
  return (weights, shape) => {
    const rows = shape[0] ?? 1;
    const columns = weights.length / rows;
    if (Math.min(rows, columns) < 64) return;
    const next = normals(weights.length);
    const left = Float64Array.from({ length: rows * rank }, next);
    const right = Float64Array.from({ length: rank * columns }, next);
    const scale = (rms(weights) * relative) / Math.sqrt(rank);
    for (let at = 0; at < weights.length; at++) {
      let sum = 0;
      for (let term = 0; term < rank; term++) {
        sum +=
          (left[Math.floor(at / columns) * rank + term] as number) * (right[term * columns + (at % columns)] as number);
      }
      weights[at] = (weights[at] as number) + Math.fround(sum * scale);
    }
  };
}

/** Vectors only (batch norm, biases), each element by so much of itself. */
export function vectorNoise(relative: number): ChangeWeights {
  return (weights, shape) => {
    if (shape.filter((size) => size > 1).length > 1) return;
    const next = normals(weights.length);
    for (let at = 0; at < weights.length; at++) weights[at] = (weights[at] as number) * (1 + relative * next());
  };
}
