// A table and a group -> its planes, one after another, through the models; encoder, decoder and learning walk alike.
import { fastestMachine } from './fastest-machine.ts';
import type { LevelMachine, MachineMaker } from './level-machine.ts';
import { groupEdges } from './level-magnitudes.ts';
import { keptStartStates, LIMITS, startStates } from './level-models.ts';
import { PAD, SET_MAGNITUDES, SET_MODELS, SHARED_MODELS } from './level-numbers.ts';
import type { GoldenLevels, LevelTable } from './level-table.ts';
import { type LevelLayout, levelLayout } from './levels.ts';
import type { RangeCoder } from './range-coder.ts';

/** Bits of one value at most: unusual, side, seven of a magnitude told one by one, six of the rest. */
const MOST_BITS = 15;

export interface WalkOptions {
  /** Whether the golden part is looked at; it must have the frame's shape. */
  readonly withGolden: boolean;
  /** States of the models when they are not those that the table starts with. */
  readonly states?: Int32Array;
  readonly limit?: number;
  /** Takes how often each group of magnitudes was seen; with `states` only. */
  readonly counts?: Int32Array | undefined;
  /** @default the fastest that there is */
  readonly machineFor?: MachineMaker | undefined;
}

export class LevelWalk {
  readonly layout: LevelLayout;
  private readonly table: LevelTable;
  private readonly machine: LevelMachine;
  private readonly isGolden: boolean;
  private readonly paddedPlane: number;
  private readonly starts: Int32Array;
  private readonly isReferred: Uint8Array;

  /**
   * {@link release} it.
   * @throws {KerfError} TENSOR_MISMATCH when the shape is not one that the table is for.
   */
  constructor(shape: readonly number[], table: LevelTable, options: WalkOptions) {
    this.table = table;
    this.layout = levelLayout(shape, table);
    const { batch, channels, rows, columns, planeSize } = this.layout;
    this.paddedPlane = planeSize === 0 ? 0 : (rows + 2 * PAD) * (columns + 2 * PAD);
    const golden = options.withGolden && table.golden !== null ? goldenClasses(table, table.golden) : null;
    this.isGolden = golden !== null;
    const magnitudes = table.priors?.magnitudes ?? null;
    const machineFor = options.machineFor ?? fastestMachine;
    this.machine = machineFor({
      levels: batch * channels * planeSize,
      // The last plane stays empty: it is the reference of channels that have none.
      padded: (batch * channels + 1) * this.paddedPlane,
      golden,
      states: options.states ?? startsOf(table),
      learns: options.states !== undefined,
      limit: options.limit ?? LIMITS.coding,
      edges: magnitudes === null ? null : groupEdges(magnitudes),
      counts: options.counts ?? null,
    });
    this.isReferred = new Uint8Array(channels);
    for (const channel of table.priors?.firsts ?? []) if (channel >= 0) this.isReferred[channel] = 1;
    for (const channel of table.priors?.seconds ?? []) if (channel >= 0) this.isReferred[channel] = 1;
    this.starts = new Int32Array(table.groups.length + 1);
    for (const [index, size] of table.groups.entries()) this.starts[index + 1] = (this.starts[index] as number) + size;
  }

  /** Of the whole tensor: zeros at first. A view, valid until something is coded. */
  get levels(): Uint8Array {
    return this.machine.levels;
  }

  encoder(): RangeCoder {
    return this.machine.encoder(this.machine.levels.length >> 3);
  }

  decoder(): RangeCoder {
    return this.machine.decoder();
  }

  /** Ends the use of the walk and its coders. */
  release(): void {
    this.machine.release();
  }

  codeGroup(coder: RangeCoder, group: number): void {
    const { batch, planeSize } = this.layout;
    if (planeSize === 0) return;
    const last = this.starts[group + 1] as number;
    for (let item = 0; item < batch; item++) {
      for (let place = this.starts[group] as number; place < last; place++) {
        const channel = this.table.order[place] as number;
        if ((this.table.channels[channel] as { values: Float32Array }).values.length === 1) continue;
        coder.reserveBits(planeSize * MOST_BITS + 2 * this.layout.rows + 2);
        this.codeChannel(coder, item, channel);
      }
    }
  }

  private codeChannel(coder: RangeCoder, item: number, channel: number): void {
    const { batch, channels, planeSize, rows, columns } = this.layout;
    const { priors } = this.table;
    const inset = PAD * (columns + 2 * PAD) + PAD;
    const plane = item * channels + channel;
    const nothing = batch * channels;
    const paddedOf = (reference: number | undefined): number =>
      (reference === undefined || reference < 0 ? nothing : item * channels + reference) * this.paddedPlane + inset;
    const isUnusual = this.machine.codePlane(coder, {
      rows,
      columns,
      levels: plane * planeSize,
      near: plane * this.paddedPlane + inset,
      first: paddedOf(priors?.firsts[channel]),
      second: paddedOf(priors?.seconds[channel]),
      golden: (this.isGolden ? channel : nothing) * this.paddedPlane + inset,
      usual: priors?.usual[channel] ?? 0,
      most: (this.table.channels[channel] as { values: Float32Array }).values.length - 1,
      models: SHARED_MODELS + (priors?.sets[channel] ?? 0) * SET_MODELS,
      magnitudes: (priors?.sets[channel] ?? 0) * SET_MAGNITUDES,
    });
    if (isUnusual && this.isReferred[channel] === 1) {
      this.machine.summarise(plane * this.paddedPlane + inset, rows, columns);
    }
  }
}

function startsOf({ priors }: LevelTable): Int32Array {
  return priors === null ? startStates(null) : keptStartStates(priors.models);
}

/** Whether a frame of this shape can be compared with the golden part, whatever its batch. */
export function fitsGolden(shape: readonly number[], { golden, channelAxis }: LevelTable): boolean {
  if (golden === null) return false;
  return golden.shape.every((size, axis) => size === shape[axis] || (axis === 0 && channelAxis > 0));
}

const classesOfGolden = new WeakMap<GoldenLevels, Uint8Array>();

/**
 * In padded planes: 1 where the golden part and its four neighbours are usual, 2 where only they are not, 3 one level
 * away from the usual one, 4 further away. Made once for each golden part.
 */
function goldenClasses(table: LevelTable, golden: GoldenLevels): Uint8Array {
  const known = classesOfGolden.get(golden);
  if (known !== undefined) return known;
  const { channels, rows, columns, planeSize } = levelLayout(golden.shape, table);
  const stride = columns + 2 * PAD;
  const paddedPlane = (rows + 2 * PAD) * stride;
  const classes = new Uint8Array(channels * paddedPlane);
  for (let channel = 0; channel < channels; channel++) {
    const usual = table.priors?.usual[channel] ?? 0;
    const isUnusual = (row: number, column: number): number =>
      row >= 0 && row < rows && column >= 0 && column < columns
        ? Math.abs((golden.levels[channel * planeSize + row * columns + column] as number) - usual)
        : 0;
    for (let row = 0, at = channel * paddedPlane + PAD * stride + PAD; row < rows; row++, at += 2 * PAD) {
      for (let column = 0; column < columns; column++, at++) {
        const distance = isUnusual(row, column);
        const around =
          isUnusual(row - 1, column) +
          isUnusual(row + 1, column) +
          isUnusual(row, column - 1) +
          isUnusual(row, column + 1);
        classes[at] = distance > 1 ? 4 : distance > 0 ? 3 : around > 0 ? 2 : 1;
      }
    }
  }
  classesOfGolden.set(golden, classes);
  return classes;
}

/**
 * Whether the frame resembles the golden part: of what is unusual in either, more is so in both than chance makes, by half
 * of what is left to all of it. Parts in a fixture reach four fifths, parts in any pose a quarter.
 */
export function resemblesGolden(levels: Uint8Array, shape: readonly number[], table: LevelTable): boolean {
  if (table.golden === null || !fitsGolden(shape, table)) return false;
  const { batch, channels, planeSize } = levelLayout(shape, table);
  const golden = table.golden.levels;
  let ours = 0;
  let theirs = 0;
  let both = 0;
  for (let channel = 0; channel < channels; channel++) {
    const usual = table.priors?.usual[channel] ?? 0;
    for (let item = 0; item < batch; item++) {
      const from = (item * channels + channel) * planeSize;
      const known = channel * planeSize;
      // Every third value says enough.
      for (let at = 0; at < planeSize; at += 3) {
        const here = levels[from + at] === usual ? 0 : 1;
        const there = golden[known + at] === usual ? 0 : 1;
        ours += here;
        theirs += there;
        both += here & there;
      }
    }
  }
  const seen = levels.length / 3;
  const either = ours + theirs - both;
  const chance = (ours * theirs) / Math.max(1, seen);
  const byChance = chance / Math.max(1, ours + theirs - chance);
  return either > 0 && both / either > byChance + (1 - byChance) / 2;
}
