// Levels of a table -> the values that they stand for, in the order of the tensor.
import type { LevelTable } from './level-table.ts';
import { type LevelLayout, levelLayout } from './levels.ts';
import { restoreChannels } from './restore-channels.ts';

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
  const planes = planesOf(levels, layout, table, missingMeans(table, groups));
  const restored = table.restoration === null ? planes : restoreChannels(planes, layout, table.restoration);
  return layout.between === 1 ? restored : scattered(restored, layout);
}

/** In the order of the levels. */
function planesOf(
  levels: Uint8Array,
  { batch, channels, planeSize }: LevelLayout,
  table: LevelTable,
  missing: ReadonlyMap<number, number>,
): Float32Array {
  const planes = new Float32Array(levels.length);
  for (let item = 0, from = 0; item < batch; item++) {
    for (let channel = 0; channel < channels; channel++, from += planeSize) {
      const { values } = table.channels[channel] as { values: Float32Array };
      const end = from + planeSize;
      const mean = values.length === 1 ? values[0] : missing.get(channel);
      if (mean !== undefined) planes.fill(mean, from, end);
      else for (let at = from; at < end; at++) planes[at] = values[levels[at] as number] as number;
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
