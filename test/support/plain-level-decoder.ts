// docs/level-coder.md, as plainly as it can be written: payload and table -> levels, and what the models say they cost.
//
// It shares no code with packages/protocol/src/codec but the reading of the table's file.
import type { LevelTable } from '@kerf/protocol';

export interface PlainLevels {
  /** In the order batch, channel, other axes. */
  readonly levels: Uint8Array;
  /** Sum of -log2 of the odds that the models gave each bit: what an ideal coder would spend. */
  readonly modelBits: number;
  readonly groups: number;
}

interface Model {
  p: number;
  n: number;
}

class Coder {
  modelBits = 0;
  private range = 0;
  private low = 0;
  private at = 0;
  private bytes: Uint8Array = new Uint8Array(0);

  start(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.range = 2 ** 31 - 1;
    this.low = 0;
    this.at = 0;
    for (let bit = 0; bit < 31; bit++) this.low = 2 * this.low + this.nextBit();
    if (this.low >= this.range) throw new Error('low is out of range');
  }

  end(): void {
    if (Math.ceil(this.at / 8) < this.bytes.length) throw new Error('bytes are left over');
  }

  decode(z: number): number {
    const zeros = Math.floor(this.range / 65_536) * z;
    const bit = this.low < zeros ? 0 : 1;
    this.modelBits -= Math.log2(bit === 0 ? z / 65_536 : 1 - z / 65_536);
    if (bit === 0) {
      this.range = zeros;
    } else {
      this.low -= zeros;
      this.range -= zeros;
    }
    this.refill();
    return bit;
  }

  /** Which of the parts, of `2^bits` in all, that begin at these places; the last has what is left. */
  decodePart(starts: readonly number[], bits: number): number {
    const unit = Math.floor(this.range / 2 ** bits);
    const part = starts.findLastIndex((start) => unit * start <= this.low);
    const start = starts[part]!;
    const end = starts[part + 1];
    this.modelBits += bits - Math.log2((end ?? 2 ** bits) - start);
    this.range = (end === undefined ? this.range : unit * end) - unit * start;
    this.low -= unit * start;
    this.refill();
    return part;
  }

  private refill(): void {
    while (this.range < 2 ** 23) {
      this.range *= 256;
      for (let next = 0; next < 8; next++) this.low = 2 * this.low + this.nextBit();
    }
  }

  private nextBit(): number {
    const byte = this.bytes[this.at >> 3] ?? 0;
    const bit = (byte >> (7 - (this.at & 7))) & 1;
    this.at++;
    return bit;
  }
}

const classOf = (value: number, edges: readonly number[]): number => edges.filter((edge) => value >= edge).length;
const SUM_EDGES = [1, 3, 6, 9, 14];
const FAR_EDGES = [4, 7, 10, 14, 20, 28, 40];
const GROUP_EDGES = [2, 4, 6, 8, 10, 13, 17, 23, 31, 42, 58];
const GROUP_FIRST = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 19, 23, 31, 47];
const GROUP_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5];
const SECOND_EDGES = [1, 3, 6];
const SURE_EDGES = [
  2, 4, 7, 14, 27, 53, 102, 194, 362, 651, 1102, 1710, 2386, 2994, 3445, 3734, 3902, 3994, 4043, 4069, 4082, 4089, 4092,
];
const COUNTS = [0, 2, 5, 11, 23, 47, 80, 140];

/** One plane while it is decoded and when it is. */
interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly levels: Uint8Array;
  readonly usual: number;
  isUnusual: boolean;
}

function distance(plane: Plane | null, row: number, column: number): number {
  if (plane === null || row < 0 || column < 0 || row >= plane.rows || column >= plane.columns) return 0;
  return Math.abs(plane.levels[row * plane.columns + column]! - plane.usual);
}
const near = (plane: Plane | null, row: number, column: number): number => Math.min(3, distance(plane, row, column));
const far = (plane: Plane | null, row: number, column: number): number => Math.min(15, distance(plane, row, column));
function side(plane: Plane | null, row: number, column: number): number {
  if (plane === null || distance(plane, row, column) === 0) return 0;
  return plane.levels[row * plane.columns + column]! < plane.usual ? 1 : 2;
}

/** What a reference says at a place. */
function summary(plane: Plane | null, row: number, column: number): { v: number; b: number; c: number; any: boolean } {
  if (plane === null || !plane.isUnusual) return { v: 0, b: 0, c: 0, any: false };
  const here = near(plane, row, column);
  const around =
    near(plane, row, column - 1) +
    near(plane, row, column + 1) +
    near(plane, row - 1, column) +
    near(plane, row + 1, column);
  return {
    v: Math.min(2, here),
    b: 3 * classOf(here, [1, 2]) + classOf(around, [1, 4]),
    c: classOf(2 * here + around, SECOND_EDGES),
    any: here + around > 0,
  };
}

/** Where the groups of a context begin, of 2^14. */
function groupStarts(weights: Uint8Array): number[] {
  const shares = Array.from(weights, (weight) => (weight === 0 ? 0 : (8 + (weight % 8)) * 2 ** Math.floor(weight / 8)));
  const sum = (list: readonly number[]): number => list.reduce((all, each) => all + each, 0);
  const used = sum(shares) === 0 ? shares.map(() => 1) : shares;
  return used.map((_, group) => group + Math.floor((16_368 * sum(used.slice(0, group))) / sum(used)));
}

export function plainLevels(payload: Uint8Array, shape: readonly number[], table: LevelTable): PlainLevels {
  const { channelAxis, channels, order, groups, priors, golden } = table;
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
  const batch = channelAxis > 0 ? shape[0]! : 1;
  const size = product(shape) / Math.max(1, batch * channels.length);
  const widthAxis = channelAxis < shape.length - 1 ? shape.length - 1 : shape.length - 2;
  const columns = widthAxis > 0 ? shape[widthAxis]! : 1;
  const rows = columns === 0 ? 0 : size / columns;

  const models: Model[] = [];
  const sets = priors === null ? 1 : Math.max(...priors.sets) + 1;
  for (let at = 0; at < 13_024 + 342 * sets; at++) {
    const stored = priors?.models[at];
    models.push(stored === undefined ? { p: 2 ** 21, n: 0 } : { p: (stored >> 3) * 512 + 256, n: COUNTS[stored & 7]! });
  }
  const coder = new Coder();
  const learn = (model: Model, bit: number): void => {
    const rate = Math.floor(8192 / (2 * model.n + 3));
    if (bit === 0) model.p += Math.floor((Math.floor((2 ** 22 - 1 - model.p) / 8) * rate) / 512);
    else model.p -= Math.floor((Math.floor(model.p / 8) * rate) / 512);
    model.n = Math.min(160, model.n + 1);
  };
  const decode = (number: number): number => {
    const model = models[number]!;
    const bit = coder.decode((model.p >> 6) | 1);
    learn(model, bit);
    return bit;
  };

  const usualOf = (channel: number): number => priors?.usual[channel] ?? 0;
  const goldenPlane = (channel: number): Plane | null =>
    golden === null || (payload[0]! & 1) === 0
      ? null
      : {
          rows,
          columns,
          usual: usualOf(channel),
          levels: golden.levels.subarray(channel * size, (channel + 1) * size),
          isUnusual: true,
        };
  const goldenClass = (plane: Plane | null, row: number, column: number): number => {
    if (plane === null) return 0;
    const here = distance(plane, row, column);
    if (here > 0) return here > 1 ? 4 : 3;
    const around = [
      [0, 1],
      [0, -1],
      [1, 0],
      [-1, 0],
    ].some(([down, right]) => distance(plane, row + down!, column + right!) > 0);
    return around ? 2 : 1;
  };

  const decodePlane = (plane: Plane, channel: number, first: Plane | null, second: Plane | null): void => {
    const { levels, usual } = plane;
    const most = channels[channel]!.values.length - 1;
    const set = 13_024 + 342 * (priors?.sets[channel] ?? 0);
    const known = goldenPlane(channel);
    levels.fill(usual);
    plane.isUnusual = decode(set + 339) === 1;
    if (!plane.isUnusual) return;
    let wasEmpty = true;
    for (let row = 0; row < rows; row++) {
      if (wasEmpty && rows > 1 && decode(set + (row === 0 ? 340 : 341)) === 0) continue;
      wasEmpty = true;
      for (let column = 0; column < columns; column++) {
        const level = decodeLevel(plane, row, column, { channel, most, set, first, second, known });
        levels[row * columns + column] = level;
        if (level !== usual) wasEmpty = false;
      }
    }
  };

  interface Around {
    readonly channel: number;
    readonly most: number;
    readonly set: number;
    readonly first: Plane | null;
    readonly second: Plane | null;
    readonly known: Plane | null;
  }
  const decodeLevel = (plane: Plane, row: number, column: number, around: Around): number => {
    const { channel, most, set, first, second, known } = around;
    const { usual } = plane;
    const at = (down: number, right: number): number => near(plane, row + down, column + right);
    const sum = 2 * (at(0, -1) + at(-1, 0)) + at(-1, -1) + at(-1, 1) + at(0, -2) + at(-2, 0);
    const said = summary(first, row, column);
    const c = summary(second, row, column).c;
    const golden = goldenClass(known, row, column);
    const one = models[set + 36 * classOf(sum, SUM_EDGES) + 4 * said.b + c]!;
    let isOther: number;
    if (sum === 0 && !said.any && c === 0 && golden <= 1) {
      isOther = coder.decode((one.p >> 6) | 1);
    } else {
      const pattern =
        (3 * Math.min(at(0, -1), 2) + Math.min(at(-1, 0), 2)) * 4 +
        2 * (at(-1, -1) > 0 ? 1 : 0) +
        (at(-1, 1) > 0 ? 1 : 0);
      const two = models[((pattern * 3 + said.v) * 5 + golden) * 24 + classOf(one.p >> 10, SURE_EDGES)]!;
      isOther = coder.decode(((one.p + 3 * two.p) >> 8) | 1);
      learn(two, isOther);
    }
    learn(one, isOther);
    if (isOther === 0) return usual;
    if (most === 1) return 1 - usual;

    let isAbove = usual === 0 ? 1 : 0;
    if (usual > 0 && usual < most) {
      isAbove = decode(
        set + 216 + 9 * side(plane, row, column - 1) + 3 * side(plane, row - 1, column) + side(first, row, column),
      );
    }
    const largest = isAbove === 1 ? most - usual : usual;
    const away = (down: number, right: number): number => far(plane, row + down, column + right);
    const aside = 2 * (away(0, -1) + away(-1, 0)) + away(-1, 1) + away(-1, -1);
    const q = classOf(far(first, row, column), [2, 3]);
    const magnitudes = priors?.magnitudes ?? null;
    if (magnitudes !== null && largest > 1) {
      const context = 36 * priors!.sets[channel]! + 3 * classOf(aside, GROUP_EDGES) + q;
      const group = coder.decodePart(groupStarts(magnitudes.subarray(16 * context, 16 * context + 16)), 14);
      const bits = GROUP_BITS[group]!;
      const rest = bits === 0 ? 0 : coder.decodePart([...Array(2 ** bits).keys()], bits);
      const magnitude = Math.min(largest, GROUP_FIRST[group]! + rest);
      return isAbove === 1 ? usual + magnitude : usual - magnitude;
    }
    const m = classOf(aside, FAR_EDGES);
    let length = 1;
    while (length < largest && length < 8) {
      if (decode(set + 243 + 4 * (3 * m + q) + Math.min(length, 4) - 1) === 0) break;
      length++;
    }
    if (length === 8 && largest > 8) {
      let node = 1;
      for (let bit = 0; bit < 6; bit++) node = 2 * node + decode(12_960 + node);
      length = Math.min(largest, 8 + (node - 64));
    }
    return isAbove === 1 ? usual + length : usual - length;
  };

  const levels = new Uint8Array(product(shape));
  const planes = new Map<number, Plane>();
  let at = 1;
  let done = 0;
  let place = 0;
  for (; at < payload.length; done++) {
    let bytes = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = payload[at++]!;
      bytes += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    coder.start(payload.subarray(at, at + bytes));
    at += bytes;
    const end = place + groups[done]!;
    for (let item = 0; item < batch; item++) {
      for (let index = place; index < end; index++) {
        const channel = order[index]!;
        if (channels[channel]!.values.length === 1 || size === 0) continue;
        const of = (reference: number | undefined): Plane | null =>
          reference === undefined || reference < 0 ? null : (planes.get(item * channels.length + reference) ?? null);
        const from = (item * channels.length + channel) * size;
        const plane: Plane = {
          rows,
          columns,
          usual: usualOf(channel),
          levels: levels.subarray(from, from + size),
          isUnusual: false,
        };
        planes.set(item * channels.length + channel, plane);
        decodePlane(plane, channel, of(priors?.firsts[channel]), of(priors?.seconds[channel]));
      }
    }
    coder.end();
    place = end;
  }
  return { levels, modelBits: coder.modelBits, groups: done };
}

/** Levels -> values, for tensors whose channels are axis 1; `groups` are there. */
export function plainValues(
  levels: Uint8Array,
  shape: readonly number[],
  table: LevelTable,
  groups: number,
): Float32Array {
  const { channels, order, priors, restoration } = table;
  const [batch = 0, count = 0, rows = 0, columns = 0] = shape;
  const size = rows * columns;
  const there = new Set(
    order.slice(
      0,
      table.groups.slice(0, groups).reduce((sum, each) => sum + each, 0),
    ),
  );
  const said = Float32Array.from(levels, (level, at) => {
    const channel = Math.floor(at / size) % count;
    const { values } = channels[channel]!;
    if (values.length === 1) return values[0]!;
    return there.has(channel) ? values[level]! : (priors?.means[channel] ?? values[0]!);
  });
  if (restoration === null) return said;
  return Float32Array.from({ length: batch * count * size }, (_, at) => {
    const place = at % size;
    const row = Math.floor(place / columns);
    const column = place % columns;
    const item = Math.floor(at / size / count);
    const { sources, weights } = restoration[Math.floor(at / size) % count]!;
    let sum = weights[0]!;
    if (weights[1] !== 0) {
      let around = Math.fround(said[row > 0 ? at - columns : at]! + said[row < rows - 1 ? at + columns : at]!);
      around = Math.fround(around + said[column > 0 ? at - 1 : at]!);
      around = Math.fround(around + said[column < columns - 1 ? at + 1 : at]!);
      sum = Math.fround(sum + Math.fround(weights[1]! * around));
    }
    for (const [index, source] of sources.entries()) {
      sum = Math.fround(sum + Math.fround(weights[index + 2]! * said[(item * count + source) * size + place]!));
    }
    return sum;
  });
}
