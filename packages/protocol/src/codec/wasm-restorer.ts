// Planes of channels -> restored ones, sixteen values at a time in the WebAssembly coder.
import type { RestoredChannel } from './level-table.ts';
import type { LevelLayout } from './levels.ts';
import { giveBack, takeKernel } from './wasm-kernel.ts';
import { STORE_AT } from './wasm-machine.ts';

/** Values that the coder looks at together; planes start at multiples of it. */
const LANES = 16;
/** Less than this is not worth the way, more than this the memory. */
const LEAST_VALUES = 1 << 10;
const MOST_BYTES = 64 * 2 ** 20;

/** Writes the plane of a channel as its levels say it. */
export type PlaneSource = (item: number, channel: number, to: Float32Array) => void;

/** Restores one item: the planes of its channels, one after another. */
export type RestoreItem = (source: PlaneSource, item: number, restored: Float32Array) => void;

export interface Restorer {
  readonly restoreItem: RestoreItem;
  release(): void;
}

/** Null where WebAssembly is not to be had, or not worth it. */
export function wasmRestorer(layout: LevelLayout, restoration: readonly RestoredChannel[]): Restorer | null {
  const { channels, planeSize, rows, columns } = layout;
  const stride = Math.ceil(planeSize / LANES) * LANES;
  const planesAt = (STORE_AT + 63) & ~63;
  const aroundAt = planesAt + 4 * channels * stride;
  const restoredAt = aroundAt + 4 * stride;
  const sourcesAt = restoredAt + 4 * stride;
  const most = restoration.reduce((count, { sources }) => Math.max(count, sources.length), 0);
  const weightsAt = sourcesAt + 4 * most;
  const bytes = weightsAt + 4 * (most + 2);
  if (channels * planeSize < LEAST_VALUES || bytes > MOST_BYTES) return null;
  const kernel = takeKernel(bytes);
  if (kernel === null) return null;
  const { buffer } = kernel.memory;
  const found = new Float32Array(buffer, restoredAt, planeSize);
  const addresses = new Int32Array(buffer, sourcesAt, most);
  const factors = new Float32Array(buffer, weightsAt, most + 2);
  const restoreItem: RestoreItem = (source, item, restored) => {
    for (let channel = 0; channel < channels; channel++) {
      source(item, channel, new Float32Array(buffer, planesAt + 4 * channel * stride, planeSize));
    }
    for (const [channel, { sources, weights }] of restoration.entries()) {
      for (const [at, from] of sources.entries()) addresses[at] = planesAt + 4 * from * stride;
      factors.set(weights);
      if (weights[1] !== 0) kernel.code.sumAround(planesAt + 4 * channel * stride, rows, columns, aroundAt);
      kernel.code.restore(aroundAt, stride, sourcesAt, sources.length, weightsAt, restoredAt);
      restored.set(found, channel * planeSize);
    }
  };
  return { restoreItem, release: () => giveBack(kernel) };
}
