// float32 values of a tensor -> levels of a table, one byte each, channel after channel.
import { KerfError } from '../errors.ts';
import type { LevelTable } from './level-table.ts';
import { type QuantiseRun, wasmQuantiser } from './wasm-quantiser.ts';

/** Shorter runs of values, such as those of channels that come last, are not worth the way to WebAssembly. */
const LEAST_WASM_RUN = 64;

/** How a tensor's values lie around its channels. */
export interface LevelLayout {
  /** Items of the batch. */
  readonly batch: number;
  readonly channels: number;
  /** Values of one channel of one item: its plane, `rows` times `columns`. */
  readonly planeSize: number;
  readonly rows: number;
  readonly columns: number;
  /** Product of the axes between batch and channels. */
  readonly between: number;
  /** Product of the axes after the channels. */
  readonly inner: number;
}

/** @throws {KerfError} TENSOR_MISMATCH when the shape is not one that the table is for. */
export function levelLayout(shape: readonly number[], { channelAxis, rank, channels }: LevelTable): LevelLayout {
  if (shape.length !== rank || shape[channelAxis] !== channels.length) {
    throw new KerfError(
      'TENSOR_MISMATCH',
      `a level table for ${channels.length} channels on axis ${channelAxis} of rank ${rank} was given a tensor of shape [${shape.join(', ')}]`,
    );
  }
  const product = (from: number, to: number): number => shape.slice(from, to).reduce((all, size) => all * size, 1);
  const between = channelAxis > 0 ? product(1, channelAxis) : 1;
  const inner = product(channelAxis + 1, rank);
  const planeSize = between * inner;
  const widthAxis = channelAxis < rank - 1 ? rank - 1 : rank - 2;
  const columns = widthAxis > 0 ? (shape[widthAxis] as number) : 1;
  return {
    batch: channelAxis > 0 ? (shape[0] as number) : 1,
    channels: channels.length,
    planeSize,
    rows: columns === 0 ? 0 : planeSize / columns,
    columns,
    between,
    inner,
  };
}

/**
 * Levels of a tensor.
 * @param values float32 of the shape, row-major, finite
 * @returns a byte for each value, in the order batch, channel, the other axes
 * @throws {KerfError} TENSOR_MISMATCH when the shape is not one that the table is for.
 */
export function quantiseLevels(values: Float32Array, shape: readonly number[], table: LevelTable): Uint8Array {
  const layout = levelLayout(shape, table);
  const quantiser = layout.inner < LEAST_WASM_RUN ? null : wasmQuantiser();
  try {
    return quantiseBy(quantiser?.run ?? quantiseRun, values, layout, table);
  } finally {
    quantiser?.release();
  }
}

/** {@link quantiseLevels}, run by run. */
export function quantiseBy(
  run: QuantiseRun,
  values: Float32Array,
  { batch, channels, between, inner }: LevelLayout,
  table: LevelTable,
): Uint8Array {
  const levels = new Uint8Array(values.length);
  const rowStep = channels * inner;
  for (let item = 0, to = 0; item < batch; item++) {
    for (let channel = 0; channel < channels; channel++) {
      const thresholds = (table.channels[channel] as { thresholds: Float32Array }).thresholds;
      const start = (item * between * channels + channel) * inner;
      if (thresholds.length === 0) {
        to += between * inner;
        continue;
      }
      for (let row = 0, from = start; row < between; row++, from += rowStep, to += inner) {
        run(values, from, inner, thresholds, levels, to);
      }
    }
  }
  return levels;
}

/**
 * The reference. Up to three thresholds are compared one after another without a branch; more are searched by halves.
 */
export function quantiseRun(
  values: Float32Array,
  from: number,
  count: number,
  thresholds: Float32Array,
  levels: Uint8Array,
  to: number,
): void {
  const first = thresholds[0] as number;
  if (thresholds.length <= 3) {
    const second = thresholds[1] ?? Number.POSITIVE_INFINITY;
    const third = thresholds[2] ?? Number.POSITIVE_INFINITY;
    for (let at = 0; at < count; at++) {
      const value = values[from + at] as number;
      levels[to + at] = (value >= first ? 1 : 0) + (value >= second ? 1 : 0) + (value >= third ? 1 : 0);
    }
    return;
  }
  for (let at = 0; at < count; at++) {
    const value = values[from + at] as number;
    let low = 0;
    let high = thresholds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value >= (thresholds[middle] as number)) low = middle + 1;
      else high = middle;
    }
    levels[to + at] = low;
  }
}
