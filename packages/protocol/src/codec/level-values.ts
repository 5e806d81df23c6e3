// Levels of a table -> the values that they stand for, in the order of the tensor.
import type { LevelTable } from './level-table.ts';
import { type LevelLayout, levelLayout } from './levels.ts';
import { restoreChannels } from './restore-channels.ts';
import type { PlaneSource } from './wasm-restorer.ts';

/**
 * @param levels as `quantiseLevels` gives them, each one of its channel
 * @param groups how many groups of the table there are; channels of the others come back as their mean, before they are restored
 * @returns float32 of the shape, row-major
 * @throws {KerfError} TENSOR_MISMATCH when the shape is not one that the table is for.
 */
export function reconstructLevels(
  levels: Uint8Array,
  shape: readonly number[],
  table: LevelTable,
  groups = table.groups.length,
): Float32Array {
  const layout = levelLayout(shape, table);
  const source = planesOf(levels, layout, table, missingMeans(table, groups));
  const planes =
    table.restoration === null ? allPlanes(source, layout) : restoreChannels(source, layout, table.restoration);
  return layout.between === 1 ? planes : scattered(planes, layout);
}

function planesOf(
  levels: Uint8Array,
  { channels, planeSize }: LevelLayout,
  table: LevelTable,
  missing: ReadonlyMap<number, number>,
): PlaneSource {
  return (item, channel, to) => {
    const { values } = table.channels[channel] as { values: Float32Array };
    const mean = values.length === 1 ? values[0] : missing.get(channel);
    if (mean !== undefined) {
      to.fill(mean);
      return;
    }
    const from = (item * channels + channel) * planeSize;
    for (let at = 0; at < planeSize; at++) to[at] = values[levels[from + at] as number] as number;
  };
}

/** In the order of the levels. */
function allPlanes(source: PlaneSource, { batch, channels, planeSize }: LevelLayout): Float32Array {
  const planes = new Float32Array(batch * channels * planeSize);
  for (let item = 0, from = 0; item < batch; item++) {
    for (let channel = 0; channel < channels; channel++, from += planeSize) {
      source(item, channel, planes.subarray(from, from + planeSize));
    }
  }
  return planes;
}

function missingMeans({ groups, order, priors, channels }: LevelTable, groupsThere: number): Map<number, number> {
  const sent = groups.slice(0, groupsThere).reduce((sum, size) => sum + size, 0);
  return new Map(
    order.slice(sent).map((channel) => {
      const { values } = channels[channel] as { values: Float32Array };
      return [channel, (priors?.means[channel] ?? values[0]) as number];
    }),
  );
}

/** Channels behind other axes lie apart in the tensor. */
function scattered(planes: Float32Array, { batch, channels, between, inner }: LevelLayout): Float32Array {
  const result = new Float32Array(planes.length);
  for (let item = 0, from = 0; item < batch; item++) {
    for (let channel = 0; channel < channels; channel++) {
      let to = (item * between * channels + channel) * inner;
      for (let row = 0; row < between; row++, to += channels * inner, from += inner) {
        for (let at = 0; at < inner; at++) result[to + at] = planes[from + at] as number;
      }
    }
  }
  return result;
}
