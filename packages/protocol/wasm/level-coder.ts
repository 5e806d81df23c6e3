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

/** What a model knows when it has seen a bit; which bit is no branch. */
@inline
function learned(state: i32, bit: bool): i32 {
  const odds = state >>> COUNT_BITS;
  const count = state & COUNT_MASK;
  const rate = load<i32>(rates + (count << 2));
  const moved = ((select(odds, CERTAIN - odds, bit) >> 3) * rate) >> 9;
  return (select(odds - moved, odds + moved, bit) << COUNT_BITS) | (count + i32(count < limit));
}

@inline
function codeBit(model: i32, bit: i32, isDecoder: bool): i32 {
  const address = states + (model << 2);
  const state = load<i32>(address);
  const zeros = (range >>> 16) * ((state >>> (COUNT_BITS + 6)) | 1);
  const coded: i32 = isDecoder ? i32(low >= zeros) : bit;
  if (coded == 0) {
    range = zeros;
    store<i32>(address, learned(state, false));
  } else {
    range -= zeros;
    if (isDecoder) {
      low -= zeros;
    } else {
      low += zeros;
      if (low < 0) carry();
    }
    store<i32>(address, learned(state, true));
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
      wasEmpty = !(isDecoder ? decodeRow(row) : encodeRow(row));
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

function encodeRow(row: i32): bool {
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
    const wanted: i32 = load<u8>(level);
    const bit = i32(wanted != usualLevel);
    if (bit == 0) {
      rowRange = zeros;
      store<i32>(context, learned(state, false));
      if (corrected != 0) store<i32>(corrected, learned(second, false));
    } else {
      rowRange -= zeros;
      rowLow += zeros;
      if (rowLow < 0) {
        low = rowLow;
        carry();
        rowLow = low;
      }
      store<i32>(context, learned(state, true));
      if (corrected != 0) store<i32>(corrected, learned(second, true));
    }
    if (rowRange < LEAST_RANGE) {
      range = rowRange;
      low = rowLow;
      shiftOut();
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
    encodeUnusual(here + far0, wanted);
    rowRange = range;
    rowLow = low;
    const distance = wanted > usualLevel ? wanted - usualLevel : usualLevel - wanted;
    west = distance > 3 ? 3 : distance;
    store<u8>(here, west);
    store<u8>(here + far0, (distance > 15 ? 15 : distance) | (wanted > usualLevel ? 32 : 16));
  }
  range = rowRange;
  low = rowLow;
  return any;
}

/** `low` when as many bytes have come in as `from` lacks. */
function shiftedIn(value: i32, from: i32): i32 {
  do {
    from <<= 8;
    const before: i32 = at <= end ? load<u8>(at - 1) : 0;
    const next: i32 = at < end ? load<u8>(at) : 0;
    value = (value << 8) | (((before << 7) | (next >> 1)) & 0xff);
    at++;
  } while (from < LEAST_RANGE);
  return value;
}

@inline
function shiftedRange(value: i32): i32 {
  // The highest bit comes to one of the bits 23 to 30.
  return value << ((clz(value) - 1) & ~7);
}

/**
 * What {@link encodeRow} codes. Each choice waits for the one before, so what the range coder holds stays in registers here, not in
 * the globals that functions share, and the side of a value is no branch, which would be guessed wrong as often as not.
 */
function decodeRow(row: i32): bool {
  const stride = columns + 2 * PAD;
  let here: usize = near + nearFrom + row * stride;
  const last = here + columns;
  const first0: usize = summaries + firstFrom - near - nearFrom;
  const second0: usize = summaries + secondFrom - near - nearFrom;
  const golden0: usize = golden + goldenFrom - near - nearFrom;
  const far0: usize = far - near;
  const seenFar0: usize = firstFrom - nearFrom;
  const allStates = states;
  const zeroModels = allStates + (models << 2);
  const signModels = zeroModels + (SIGN_MODELS << 2);
  const usualLevel = usual;
  const above = most - usualLevel;
  const hasSides = usualLevel > 0 && above > 0;
  const groups = edges == 0 ? 0 : edges + (magnitudes << 1);
  const isGrouped = groups != 0 && most > 1;
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
        allStates +
        ((((near4 * 3 + (seen >> 6)) * 5 + goldenClass) * SURE_CLASSES + <i32>load<u8>(sureClass + (odds >>> 10))) << 2);
      second = load<i32>(corrected);
      zeroOdds = (odds + 3 * (second >>> COUNT_BITS)) >>> 8;
    }
    const zeros = (rowRange >>> 16) * (zeroOdds | 1);
    farWest = west;
    northWest = north;
    north = northEast;
    west = 0;
    if (rowLow < zeros) {
      rowRange = zeros;
      store<i32>(context, learned(state, false));
      if (corrected != 0) store<i32>(corrected, learned(second, false));
      store<u8>(level, usualLevel);
      if (rowRange < LEAST_RANGE) {
        rowLow = shiftedIn(rowLow, rowRange);
        rowRange = shiftedRange(rowRange);
      }
      continue;
    }
    rowRange -= zeros;
    rowLow -= zeros;
    store<i32>(context, learned(state, true));
    if (corrected != 0) store<i32>(corrected, learned(second, true));
    if (rowRange < LEAST_RANGE) {
      rowLow = shiftedIn(rowLow, rowRange);
      rowRange = shiftedRange(rowRange);
    }
    any = true;
    const place = here + far0;
    if (!isGrouped) {
      range = rowRange;
      low = rowLow;
      const found = decodeUnusual(place);
      rowRange = range;
      rowLow = low;
      store<u8>(level, found);
      const distance = found > usualLevel ? found - usualLevel : usualLevel - found;
      west = distance > 3 ? 3 : distance;
      store<u8>(here, west);
      store<u8>(place, (distance > 15 ? 15 : distance) | (found > usualLevel ? 32 : 16));
      continue;
    }
    const farWestward: i32 = load<u8>(place - 1);
    const farNorth: i32 = load<u8>(place - stride);
    const farSeen: i32 = load<u8>(place + seenFar0);
    const farSum =
      2 * ((farWestward & 15) + (farNorth & 15)) +
      (<i32>load<u8>(place - stride + 1) & 15) +
      (<i32>load<u8>(place - stride - 1) & 15);
    const farClass = i32((farSeen & 15) > 1) + i32((farSeen & 15) > 2);
    const group0 = groups + (((<i32>load<u8>(groupClass + farSum)) * 3 + farClass) << 5);
    let isAbove = i32(usualLevel == 0);
    if (hasSides) {
      const address = signModels + (((farWestward >> 4) * 9 + (farNorth >> 4) * 3 + (farSeen >> 4)) << 2);
      const sign = load<i32>(address);
      const below = (rowRange >>> 16) * ((sign >>> (COUNT_BITS + 6)) | 1);
      const isHigh = rowLow >= below;
      rowRange = select(rowRange - below, below, isHigh);
      rowLow = select(rowLow - below, rowLow, isHigh);
      isAbove = i32(isHigh);
      store<i32>(address, learned(sign, isHigh));
      if (rowRange < LEAST_RANGE) {
        rowLow = shiftedIn(rowLow, rowRange);
        rowRange = shiftedRange(rowRange);
      }
    }
    const largest = select(above, usualLevel, isAbove != 0);
    let distance = 1;
    if (largest > 1) {
      const unit = rowRange >>> GROUP_ODDS_BITS;
      // All sixteen edges at once: the group is the last that begins no higher.
      const units = i16x8.splat(<i16>(<u32>rowLow / <u32>unit));
      const lower = i16x8.le_s(v128.load(group0), units);
      const upper = i16x8.le_s(v128.load(group0, 16), units);
      const group = popcnt(i8x16.bitmask(i8x16.narrow_i16x8_s(lower, upper))) - 1;
      const edge = group0 + (group << 1);
      const from = unit * <i32>load<u16>(edge);
      const to = select(rowRange, unit * <i32>load<u16>(edge, 2), group == MAGNITUDE_GROUPS - 1);
      rowRange = to - from;
      rowLow -= from;
      if (rowRange < LEAST_RANGE) {
        rowLow = shiftedIn(rowLow, rowRange);
        rowRange = shiftedRange(rowRange);
      }
      distance = group + 1;
      if (group >= UNARY) {
        const bits: i32 = load<u8>(groupBits + group);
        distance = load<u8>(groupFirst + group);
        if (bits > 0) {
          const part = rowRange >>> bits;
          const largestPart = (1 << bits) - 1;
          const number: i32 = min(largestPart, <i32>(<u32>rowLow / <u32>part));
          const partFrom = part * number;
          rowRange = number == largestPart ? rowRange - partFrom : part;
          rowLow -= partFrom;
          if (rowRange < LEAST_RANGE) {
            rowLow = shiftedIn(rowLow, rowRange);
            rowRange = shiftedRange(rowRange);
          }
          distance += number;
        }
      }
      distance = min(largest, distance);
    }
    west = min(distance, 3);
    store<u8>(level, select(usualLevel + distance, usualLevel - distance, isAbove != 0));
    store<u8>(here, west);
    store<u8>(place, min(distance, 15) | (16 << isAbove));
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
  if (!isDecoder && edges != 0 && largest > 1) {
    const context = (<i32>load<u8>(groupClass + sum)) * 3 + seenClass;
    encodeGrouped(edges + ((magnitudes + context * MAGNITUDE_GROUPS) << 1), distance);
    return wanted;
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
function narrow(from: i32, to: i32): void {
  range = to - from;
  low += from;
  if (low < 0) carry();
  if (range < LEAST_RANGE) shiftOut();
}

@inline
function encodeGrouped(edgesAt: usize, distance: i32): void {
  const group: i32 = load<u8>(groupOf + distance);
  const unit = range >>> GROUP_ODDS_BITS;
  const edge = edgesAt + (group << 1);
  const to = group == MAGNITUDE_GROUPS - 1 ? range : unit * <i32>load<u16>(edge, 2);
  narrow(unit * <i32>load<u16>(edge), to);
  const bits: i32 = load<u8>(groupBits + group);
  if (bits == 0) return;
  const part = range >>> bits;
  const number = distance - <i32>load<u8>(groupFirst + group);
  narrow(part * number, number == (1 << bits) - 1 ? range : part * (number + 1));
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
