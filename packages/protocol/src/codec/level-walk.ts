// A table and a group -> its planes, one after another, through the models; encoder, decoder and learning walk alike.
import { type AdaptiveModels, codePlane, PAD } from './level-models.ts';
import type { LevelTable } from './level-table.ts';
import { type LevelLayout, levelLayout } from './levels.ts';
import type { BitCoder } from './range-coder.ts';

/** What encoder and decoder build up alike, value by value. */
export class LevelWalk {
  private readonly table: LevelTable;
  private readonly layout: LevelLayout;
  private readonly levels: Uint8Array;
  private readonly magnitudes: Uint8Array;
  private readonly models: AdaptiveModels;
  private readonly golden: Uint8Array | null;
  private readonly starts: Int32Array;

  constructor(shape: readonly number[], table: LevelTable, levels: Uint8Array, models: AdaptiveModels) {
    this.table = table;
    this.layout = levelLayout(shape, table);
    this.levels = levels;
    this.models = models;
    const { batch, channels, rows, columns } = this.layout;
    const paddedPlane = levels.length === 0 ? 0 : (rows + 2 * PAD) * (columns + 2 * PAD);
    this.magnitudes = new Uint8Array(batch * channels * paddedPlane);
    this.golden = goldenFor(shape, table);
    this.starts = new Int32Array(table.groups.length + 1);
    for (const [index, size] of table.groups.entries()) this.starts[index + 1] = (this.starts[index] as number) + size;
  }

  /** @param beforePlane told how many values come next */
  codeGroup(coder: BitCoder, group: number, beforePlane: (values: number) => void): void {
    const { batch, channels, planeSize, rows, columns } = this.layout;
    if (planeSize === 0) return;
    const { priors, order } = this.table;
    const stride = columns + 2 * PAD;
    const paddedPlane = (rows + 2 * PAD) * stride;
    const inset = PAD * stride + PAD;
    for (let item = 0; item < batch; item++) {
      for (let place = this.starts[group] as number; place < (this.starts[group + 1] as number); place++) {
        const channel = order[place] as number;
        const most = (this.table.channels[channel] as { values: Float32Array }).values.length - 1;
        if (most === 0) continue;
        const reference = priors?.references[channel] ?? -1;
        const plane = item * channels + channel;
        beforePlane(planeSize);
        codePlane(coder, this.models, this.levels, this.magnitudes, this.golden, {
          rows,
          columns,
          from: plane * planeSize,
          padded: plane * paddedPlane + inset,
          reference: reference < 0 ? -1 : (item * channels + reference) * paddedPlane + inset,
          golden: channel * planeSize,
          usual: priors?.usual[channel] ?? 0,
          most,
          modelClass: priors?.classes[channel] ?? 0,
        });
      }
    }
  }
}

/** The golden levels where the frame has their shape, whatever its batch. */
function goldenFor(shape: readonly number[], { golden, channelAxis }: LevelTable): Uint8Array | null {
  if (golden === null) return null;
  const alike = golden.shape.every((size, axis) => size === shape[axis] || (axis === 0 && channelAxis > 0));
  return alike ? golden.levels : null;
}
