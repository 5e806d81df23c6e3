// AssemblyScript: planes of levels <-> bits, as src/codec/level-plane.ts does, whose comments say what and why; and values
// -> levels, as src/codec/levels.ts does.
//
// Memory is laid out by src/codec/level-machine.ts: the registers of the range coder at address 0, the tables of
// level-models.ts behind them, then what the planes need; every address comes as an argument or with `place`.
import {
  CERTAIN,
  COUNT_BITS,
  COUNT_MASK,
  EMPTY_PLANE_MODEL,
  EMPTY_ROW_MODELS,
  GROUP_ODDS_BITS,
  LEAST_RANGE,
  MAGNITUDE_GROUPS,
  MAGNITUDE_MODELS,
  PAD,
  SECOND_MODELS,
  SIGN_MODELS,
  SURE_CLASSES,
  UNARY,
} from '../src/codec/level-numbers';

let low: i32 = 0;
let range: i32 = 0;
/** Address of the next byte of the payload, and of the first behind it. */
let at: usize = 0;
let end: usize = 0;

let rates: usize = 0;
let nearClass: usize = 0;
let hereClass: usize = 0;
let aroundClass: usize = 0;
let secondClass: usize = 0;
let pattern: usize = 0;
let magnitudeClass: usize = 0;
let sureClass: usize = 0;
let groupFirst: usize = 0;
let groupBits: usize = 0;
let groupOf: usize = 0;
let groupClass: usize = 0;

let levels: usize = 0;
let near: usize = 0;
let far: usize = 0;
let summaries: usize = 0;
let golden: usize = 0;
let states: usize = 0;
let limit: i32 = 0;
/** Where groups of magnitudes begin, 16 of 16 bits for each context; 0: magnitudes are told one by one. */
let edges: usize = 0;

/** @param tables addresses, 4 bytes each, in the order of TABLES in level-machine.ts */
export function useTables(tables: usize): void {
  rates = load<u32>(tables);
  nearClass = load<u32>(tables, 4);
  hereClass = load<u32>(tables, 8);
  aroundClass = load<u32>(tables, 12);
  secondClass = load<u32>(tables, 16);
  pattern = load<u32>(tables, 20);
  magnitudeClass = load<u32>(tables, 24);
  sureClass = load<u32>(tables, 28);
  groupFirst = load<u32>(tables, 32);
  groupBits = load<u32>(tables, 36);
  groupOf = load<u32>(tables, 40);
  groupClass = load<u32>(tables, 44);
}

export function useStore(
  levelsAt: usize,
  nearAt: usize,
  farAt: usize,
  summariesAt: usize,
  goldenAt: usize,
  statesAt: usize,
  countLimit: i32,
  edgesAt: usize,
): void {
  levels = levelsAt;
  near = nearAt;
  far = farAt;
  summaries = summariesAt;
  golden = goldenAt;
  states = statesAt;
  limit = countLimit;
  edges = edgesAt;
}

export function summarise(from: i32, rows: i32, columns: i32): void {
  const stride = columns + 2 * PAD;
  for (let row = 0, place = from; row < rows; row++, place += 2 * PAD) {
    for (let column = 0; column < columns; column++, place++) {
      const value = near + place;
      const here = <i32>load<u8>(value);
      const around =
        <i32>load<u8>(value - 1) +
        <i32>load<u8>(value + 1) +
        <i32>load<u8>(value - stride) +
        <i32>load<u8>(value + stride);
      if ((here | around) == 0) continue;
      store<u8>(
        summaries + place,
        <i32>load<u8>(hereClass + here) +
          <i32>load<u8>(aroundClass + around) +
          ((<i32>load<u8>(secondClass + 2 * here + around)) << 4) +
          ((here > 2 ? 2 : here) << 6),
      );
    }
  }
}

@inline
function shift(isDecoder: bool): void {
  do {
    range <<= 8;
    if (isDecoder) {
      const last: i32 = at <= end ? load<u8>(at - 1) : 0;
      const next: i32 = at < end ? load<u8>(at) : 0;
      low = (low << 8) | (((last << 7) | (next >> 1)) & 0xff);
    } else {
      store<u8>(at, low >>> 23);
      low = (low << 8) & 0x7fff_ffff;
    }
    at++;
  } while (range < LEAST_RANGE);
}

function shiftOut(): void {
  shift(false);
}

function shiftIn(): void {
  shift(true);
}

function carry(): void {
  let last = at - 1;
  while (load<u8>(last) == 255) store<u8>(last--, 0);
  store<u8>(last, load<u8>(last) + 1);
  low &= 0x7fff_ffff;
}

@inline
function learned(state: i32, bit: i32): i32 {
  const odds = state >>> COUNT_BITS;
  const count = state & COUNT_MASK;
  const rate = load<i32>(rates + (count << 2));
  const moved = bit == 0 ? odds + ((((CERTAIN - odds) >> 3) * rate) >> 9) : odds - (((odds >> 3) * rate) >> 9);
  return (moved << COUNT_BITS) | (count + i32(count < limit));
}

@inline
function codeBit(model: i32, bit: i32, isDecoder: bool): i32 {
  const address = states + (model << 2);
  const state = load<i32>(address);
  const zeros = (range >>> 16) * ((state >>> (COUNT_BITS + 6)) | 1);
  const coded: i32 = isDecoder ? i32(low >= zeros) : bit;
  if (coded == 0) {
    range = zeros;
    store<i32>(address, learned(state, 0));
  } else {
    range -= zeros;
    if (isDecoder) {
      low -= zeros;
    } else {
      low += zeros;
      if (low < 0) carry();
    }
    store<i32>(address, learned(state, 1));
  }
  if (range < LEAST_RANGE) {
    if (isDecoder) shiftIn();
    else shiftOut();
  }
  return coded;
}

function isUsual(from: i32, count: i32, usual: i32): bool {
  let place = levels + from;
  const last = place + count;
  while (place < last && load<u8>(place) == usual) place++;
  return place == last;
}

// Where a plane is, as PlanePlace says it.
let rows: i32 = 0;
let columns: i32 = 0;
let levelsFrom: i32 = 0;
let nearFrom: i32 = 0;
let firstFrom: i32 = 0;
let secondFrom: i32 = 0;
let goldenFrom: i32 = 0;
let usual: i32 = 0;
let most: i32 = 0;
let models: i32 = 0;
let magnitudes: i32 = 0;

@inline
function codePlane(place: usize, isDecoder: bool): bool {
  low = load<i32>(0);
  range = load<i32>(0, 4);
  at = load<u32>(0, 8);
  end = load<u32>(0, 12);
  rows = load<i32>(place);
  columns = load<i32>(place, 4);
  levelsFrom = load<i32>(place, 8);
  nearFrom = load<i32>(place, 12);
  firstFrom = load<i32>(place, 16);
  secondFrom = load<i32>(place, 20);
  goldenFrom = load<i32>(place, 24);
  usual = load<i32>(place, 28);
  most = load<i32>(place, 32);
  models = load<i32>(place, 36);
  magnitudes = load<i32>(place, 40);
  const size = rows * columns;
  const isEmpty = isDecoder ? 0 : isUsual(levelsFrom, size, usual) ? 0 : 1;
  const isUnusual = codeBit(models + EMPTY_PLANE_MODEL, isEmpty, isDecoder) != 0;
  if (!isUnusual) {
    if (isDecoder) memory.fill(levels + levelsFrom, <u8>usual, size);
  } else {
    let wasEmpty = true;
    for (let row = 0; row < rows; row++) {
      const from = levelsFrom + row * columns;
      if (wasEmpty && rows > 1) {
        const flag = isDecoder ? 0 : isUsual(from, columns, usual) ? 0 : 1;
        wasEmpty = codeBit(models + EMPTY_ROW_MODELS + (row == 0 ? 0 : 1), flag, isDecoder) == 0;
        if (wasEmpty) {
          if (isDecoder) memory.fill(levels + from, <u8>usual, columns);
          continue;
        }
      }
      wasEmpty = !codeRow(row, isDecoder);
    }
  }
  store<i32>(0, low);
  store<i32>(0, range, 4);
  store<u32>(0, at, 8);
  return isUnusual;
}

/** @returns whether anything of the plane is unusual */
export function encodePlane(place: usize): bool {
  return codePlane(place, false);
}

export function decodePlane(place: usize): bool {
  return codePlane(place, true);
}

@inline
function codeRow(row: i32, isDecoder: bool): bool {
  const stride = columns + 2 * PAD;
  let here: usize = near + nearFrom + row * stride;
  const last = here + columns;
  const first0: usize = summaries + firstFrom - near - nearFrom;
  const second0: usize = summaries + secondFrom - near - nearFrom;
  const golden0: usize = golden + goldenFrom - near - nearFrom;
  const far0: usize = far - near;
  const zeroModels = states + (models << 2);
  const usualLevel = usual;
  let rowRange = range;
  let rowLow = low;
  let any = false;
  let level: usize = levels + levelsFrom + row * columns;
  let west = 0;
  let farWest = 0;
  let northWest = 0;
  let north: i32 = load<u8>(here - stride);
  for (; here < last; here++, level++) {
    const northEast: i32 = load<u8>(here - stride + 1);
    const sum: i32 = 2 * (west + north) + northWest + northEast + farWest + <i32>load<u8>(here - 2 * stride);
    const seen: i32 = load<u8>(here + first0);
    const other: i32 = <i32>load<u8>(here + second0) & 0x30;
    const goldenClass: i32 = load<u8>(here + golden0);
    const context = zeroModels + (((<i32>load<u8>(nearClass + sum)) * 36 + ((seen & 15) << 2) + (other >> 4)) << 2);
    const state = load<i32>(context);
    const odds = state >>> COUNT_BITS;
    let zeroOdds = odds >>> 6;
    let corrected: usize = 0;
    let second = 0;
    if ((sum | seen | other) != 0 || goldenClass > 1) {
      const near4 = <i32>load<u8>(pattern + ((west << 2) | north)) + i32(northEast > 0) + (i32(northWest > 0) << 1);
      corrected =
        states +
        ((((near4 * 3 + (seen >> 6)) * 5 + goldenClass) * SURE_CLASSES + <i32>load<u8>(sureClass + (odds >>> 10))) << 2);
      second = load<i32>(corrected);
      zeroOdds = (odds + 3 * (second >>> COUNT_BITS)) >>> 8;
    }
    const zeros = (rowRange >>> 16) * (zeroOdds | 1);
    const wanted: i32 = isDecoder ? 0 : load<u8>(level);
    const bit = isDecoder ? i32(rowLow >= zeros) : i32(wanted != usualLevel);
    if (bit == 0) {
      rowRange = zeros;
      store<i32>(context, learned(state, 0));
      if (corrected != 0) store<i32>(corrected, learned(second, 0));
      if (isDecoder) store<u8>(level, usualLevel);
    } else {
      rowRange -= zeros;
      if (isDecoder) {
        rowLow -= zeros;
      } else {
        rowLow += zeros;
        if (rowLow < 0) {
          low = rowLow;
          carry();
          rowLow = low;
        }
      }
      store<i32>(context, learned(state, 1));
      if (corrected != 0) store<i32>(corrected, learned(second, 1));
    }
    if (rowRange < LEAST_RANGE) {
      range = rowRange;
      low = rowLow;
      if (isDecoder) shiftIn();
      else shiftOut();
      rowRange = range;
      rowLow = low;
    }
    farWest = west;
    northWest = north;
    north = northEast;
    west = 0;
    if (bit == 0) continue;
    any = true;
    range = rowRange;
    low = rowLow;
    const found = isDecoder ? decodeUnusual(here + far0) : encodeUnusual(here + far0, wanted);
    rowRange = range;
    rowLow = low;
    if (isDecoder) store<u8>(level, found);
    const distance = found > usualLevel ? found - usualLevel : usualLevel - found;
    west = distance > 3 ? 3 : distance;
    store<u8>(here, west);
    store<u8>(here + far0, (distance > 15 ? 15 : distance) | (found > usualLevel ? 32 : 16));
  }
  range = rowRange;
  low = rowLow;
  return any;
}

function encodeUnusual(place: usize, wanted: i32): i32 {
  return codeUnusual(place, wanted, false);
}

function decodeUnusual(place: usize): i32 {
  return codeUnusual(place, 0, true);
}

@inline
function codeUnusual(place: usize, wanted: i32, isDecoder: bool): i32 {
  if (most == 1) return 1 - usual;
  const above = place - columns - 2 * PAD;
  const west: i32 = load<u8>(place - 1);
  const north: i32 = load<u8>(above);
  const seen: i32 = load<u8>(place + firstFrom - nearFrom);
  let isAbove = i32(usual == 0);
  if (usual > 0 && usual < most) {
    const signs = (west >> 4) * 9 + (north >> 4) * 3 + (seen >> 4);
    isAbove = codeBit(models + SIGN_MODELS + signs, i32(wanted > usual), isDecoder);
  }
  const largest = isAbove == 1 ? most - usual : usual;
  const distance = isAbove == 1 ? wanted - usual : usual - wanted;
  const northEast: i32 = load<u8>(above + 1);
  const northWest: i32 = load<u8>(above - 1);
  const sum = 2 * ((west & 15) + (north & 15)) + (northEast & 15) + (northWest & 15);
  const seenClass = (seen & 15) > 2 ? 2 : (seen & 15) > 1 ? 1 : 0;
  if (edges != 0 && largest > 1) {
    const context = (<i32>load<u8>(groupClass + sum)) * 3 + seenClass;
    const grouped = codeGrouped(edges + ((magnitudes + context * MAGNITUDE_GROUPS) << 1), distance, isDecoder);
    return isAbove == 1 ? usual + min(largest, grouped) : usual - min(largest, grouped);
  }
  const first = models + MAGNITUDE_MODELS + ((<i32>load<u8>(magnitudeClass + sum)) * 3 + seenClass) * 4;
  let magnitude = 1;
  while (magnitude < largest && magnitude < UNARY) {
    const model = first + (magnitude > 3 ? 3 : magnitude - 1);
    if (codeBit(model, i32(distance > magnitude), isDecoder) == 0) break;
    magnitude++;
  }
  if (magnitude == UNARY && magnitude < largest) {
    let node = 1;
    for (let bit = 5; bit >= 0; bit--) {
      node = (node << 1) | codeBit(SECOND_MODELS + node, ((distance - UNARY) >> bit) & 1, isDecoder);
    }
    magnitude = min(largest, UNARY + (node & 63));
  }
  return isAbove == 1 ? usual + magnitude : usual - magnitude;
}

@inline
function narrow(from: i32, to: i32, isDecoder: bool): void {
  range = to - from;
  if (isDecoder) {
    low -= from;
  } else {
    low += from;
    if (low < 0) carry();
  }
  if (range < LEAST_RANGE) {
    if (isDecoder) shiftIn();
    else shiftOut();
  }
}

@inline
function codeGrouped(at: usize, distance: i32, isDecoder: bool): i32 {
  const unit = range >>> GROUP_ODDS_BITS;
  let group: i32 = 0;
  if (isDecoder) {
    // All sixteen edges at once: the group is the last that begins no higher.
    const units = i16x8.splat(<i16>(<u32>low / <u32>unit));
    const lower = i16x8.le_s(v128.load(at), units);
    const upper = i16x8.le_s(v128.load(at, 16), units);
    group = popcnt(i8x16.bitmask(i8x16.narrow_i16x8_s(lower, upper))) - 1;
  } else {
    group = load<u8>(groupOf + distance);
  }
  const edge = at + (group << 1);
  const to = group == MAGNITUDE_GROUPS - 1 ? range : unit * <i32>load<u16>(edge, 2);
  narrow(unit * <i32>load<u16>(edge), to, isDecoder);
  const first: i32 = load<u8>(groupFirst + group);
  const bits: i32 = load<u8>(groupBits + group);
  if (bits == 0) return first;
  const part = range >>> bits;
  const most = (1 << bits) - 1;
  const number: i32 = isDecoder ? min(most, <i32>(<u32>low / <u32>part)) : distance - first;
  narrow(part * number, number == most ? range : part * (number + 1), isDecoder);
  return first + number;
}

/**
 * Levels of a run of float32 values: how many thresholds each is at least.
 * @param count a multiple of 16; what lies behind the run counts for nothing
 */
export function quantise(values: usize, count: i32, thresholds: usize, thresholdCount: i32, to: usize): void {
  const last = thresholds + (thresholdCount << 2);
  for (let at = 0; at < count; at += 16, values += 64, to += 16) {
    const first = v128.load(values);
    const second = v128.load(values, 16);
    const third = v128.load(values, 32);
    const fourth = v128.load(values, 48);
    let ofFirst = i32x4.splat(0);
    let ofSecond = i32x4.splat(0);
    let ofThird = i32x4.splat(0);
    let ofFourth = i32x4.splat(0);
    for (let threshold = thresholds; threshold < last; threshold += 4) {
      const edge = v128.load32_splat(threshold);
      // A comparison that holds is -1.
      ofFirst = i32x4.sub(ofFirst, f32x4.ge(first, edge));
      ofSecond = i32x4.sub(ofSecond, f32x4.ge(second, edge));
      ofThird = i32x4.sub(ofThird, f32x4.ge(third, edge));
      ofFourth = i32x4.sub(ofFourth, f32x4.ge(fourth, edge));
    }
    v128.store(
      to,
      i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(ofFirst, ofSecond), i16x8.narrow_i32x4_s(ofThird, ofFourth)),
    );
  }
}

/** The four neighbours of each value of a plane; beyond it, the value itself. As src/codec/restore-channels.ts does. */
export function sumAround(plane: usize, rows: i32, columns: i32, to: usize): void {
  const width: usize = columns << 2;
  for (let row = 0; row < rows; row++, plane += width, to += width) {
    const above = row > 0 ? plane - width : plane;
    const below = row < rows - 1 ? plane + width : plane;
    let column: usize = 0;
    for (; column < width; column += 4) {
      // Four at once wherever all have a neighbour on both sides.
      while (column > 0 && column + 20 <= width) {
        const vertical = f32x4.add(v128.load(above + column), v128.load(below + column));
        const west = f32x4.add(vertical, v128.load(plane + column - 4));
        v128.store(to + column, f32x4.add(west, v128.load(plane + column + 4)));
        column += 16;
      }
      const west = load<f32>(column > 0 ? plane + column - 4 : plane + column);
      const east = load<f32>(column + 4 < width ? plane + column + 4 : plane + column);
      store<f32>(to + column, load<f32>(above + column) + load<f32>(below + column) + west + east);
    }
  }
}

/**
 * A channel as a weighted sum of planes.
 * @param count values, a multiple of 16
 * @param weights of float32: what is added always, the weight of `around`, and one for each source
 */
export function restore(around: usize, count: i32, sources: usize, sourceCount: i32, weights: usize, to: usize): void {
  const always = v128.load32_splat(weights);
  const aroundWeight = v128.load32_splat(weights, 4);
  const hasAround = load<f32>(weights, 4) != 0;
  const bytes: usize = count << 2;
  const last = sources + (sourceCount << 2);
  for (let at: usize = 0; at < bytes; at += 64) {
    let first = always;
    let second = always;
    let third = always;
    let fourth = always;
    if (hasAround) {
      first = f32x4.add(first, f32x4.mul(aroundWeight, v128.load(around + at)));
      second = f32x4.add(second, f32x4.mul(aroundWeight, v128.load(around + at, 16)));
      third = f32x4.add(third, f32x4.mul(aroundWeight, v128.load(around + at, 32)));
      fourth = f32x4.add(fourth, f32x4.mul(aroundWeight, v128.load(around + at, 48)));
    }
    let weightAt = weights + 8;
    for (let source = sources; source < last; source += 4, weightAt += 4) {
      const plane: usize = load<u32>(source) + at;
      const weight = v128.load32_splat(weightAt);
      first = f32x4.add(first, f32x4.mul(weight, v128.load(plane)));
      second = f32x4.add(second, f32x4.mul(weight, v128.load(plane, 16)));
      third = f32x4.add(third, f32x4.mul(weight, v128.load(plane, 32)));
      fourth = f32x4.add(fourth, f32x4.mul(weight, v128.load(plane, 48)));
    }
    v128.store(to + at, first);
    v128.store(to + at, second, 16);
    v128.store(to + at, third, 32);
    v128.store(to + at, fourth, 48);
  }
}
