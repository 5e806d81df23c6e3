// Channels as their levels say them -> channels as all of them together say: each a weighted sum of some, and of its own
// values around. Coarse levels lose what channels share only where every one of them is looked at alone.
import type { RestoredChannel } from './level-table.ts';
import type { LevelLayout } from './levels.ts';
import { type PlaneSource, type RestoreItem, wasmRestorer } from './wasm-restorer.ts';

/** @returns float32, items of the batch one after another, each with the planes of its channels */
export function restoreChannels(
  source: PlaneSource,
  layout: LevelLayout,
  restoration: readonly RestoredChannel[],
): Float32Array {
  const restorer = wasmRestorer(layout, restoration);
  try {
    return restoreBy(restorer?.restoreItem ?? restorerInTypescript(layout, restoration), source, layout);
  } finally {
    restorer?.release();
  }
}

/** {@link restoreChannels}, item by item. */
export function restoreBy(
  restoreItem: RestoreItem,
  source: PlaneSource,
  { batch, channels, planeSize }: LevelLayout,
): Float32Array {
  const size = channels * planeSize;
  const restored = new Float32Array(batch * size);
  for (let item = 0; item < batch; item++) {
    restoreItem(source, item, restored.subarray(item * size, (item + 1) * size));
  }
  return restored;
}

/** The reference. Products and sums are float32, one after the other, so that all machines find the same. */
export function restorerInTypescript(layout: LevelLayout, restoration: readonly RestoredChannel[]): RestoreItem {
  const { channels, planeSize, rows, columns } = layout;
  const planes = new Float32Array(channels * planeSize);
  const around = new Float32Array(planeSize);
  return (source, item, restored) => {
    for (let channel = 0, from = 0; channel < channels; channel++, from += planeSize) {
      source(item, channel, planes.subarray(from, from + planeSize));
    }
    for (const [channel, { sources, weights }] of restoration.entries()) {
      const from = channel * planeSize;
      const here = restored.subarray(from, from + planeSize);
      here.fill(weights[0] as number);
      if (weights[1] !== 0) {
        sumAround(planes.subarray(from, from + planeSize), rows, columns, around);
        addWeighted(here, around, 0, weights[1] as number);
      }
      for (const [at, from] of sources.entries()) {
        addWeighted(here, planes, from * planeSize, weights[at + 2] as number);
      }
    }
  };
}

function addWeighted(to: Float32Array, values: Float32Array, from: number, weight: number): void {
  for (let at = 0; at < to.length; at++) {
    to[at] = (to[at] as number) + Math.fround(weight * (values[from + at] as number));
  }
}

/** The four neighbours of each value; beyond the plane, the value itself. */
function sumAround(plane: Float32Array, rows: number, columns: number, sums: Float32Array): void {
  for (let row = 0, at = 0; row < rows; row++) {
    const up = row > 0 ? columns : 0;
    const down = row < rows - 1 ? columns : 0;
    for (let column = 0; column < columns; column++, at++) {
      const vertical = Math.fround((plane[at - up] as number) + (plane[at + down] as number));
      const west = Math.fround(vertical + (plane[column > 0 ? at - 1 : at] as number));
      sums[at] = west + (plane[column < columns - 1 ? at + 1 : at] as number);
    }
  }
}
