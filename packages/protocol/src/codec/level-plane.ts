// One plane of levels <-> bits, in the light of its neighbours, of two channels coded before it and of the golden part.
//
// For each value: is it the usual level; if not, on which side of it; how far away. Two stages give the odds of the first
// question: the first is the channel's own, the second corrects it by the pattern of the nearest values, which channels
// share. Where all that is near is usual, one stage is enough. After a row without anything unusual a bit says whether
// the next is such a row too, and a bit says it of a whole plane.
import { GROUP_BITS, GROUP_FIRST, GROUP_OF } from './level-magnitudes.ts';
import {
  AROUND_CLASS,
  GROUP_CLASS,
  HERE_CLASS,
  MAGNITUDE_CLASS,
  NEAR_CLASS,
  PATTERN,
  RATES,
  SECOND_CLASS,
  SURE_CLASS,
} from './level-models.ts';
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
} from './level-numbers.ts';
import type { RangeCoder } from './range-coder.ts';

/** What encoder and decoder build up alike. Planes of `near` and `far` have a frame of {@link PAD} zeros. */
export interface PlaneStore {
  /** The encoder reads them, the decoder writes them. */
  readonly levels: Uint8Array;
  /** How far each value is from its usual level, at most 3. */
  readonly near: Uint8Array;
  /** The same at most 15, and in bits 4 and 5 its side: 1 below, 2 above. */
  readonly far: Uint8Array;
  /** What a plane says to those that refer to it, see {@link summarise}; where it says nothing, 0. */
  readonly summaries: Uint8Array;
  /** Golden classes, 0 to 4, in padded planes; without a golden part {@link near}, of which `golden` points at nothing. */
  readonly golden: Uint8Array;
  /** States of the models, and where they stop counting. */
  readonly states: Int32Array;
  readonly limit: number;
  /** Where groups of magnitudes begin, as `groupEdges` says it; null: magnitudes are told one by one. */
  readonly edges: Int16Array | null;
  /** Learning: how often each group was seen, in the places of `edges`. */
  readonly counts: Int32Array | null;
}

/** Where things are. `near`, `first`, `second` and `golden` are indices of the first value of a padded plane. */
export interface PlanePlace {
  readonly rows: number;
  readonly columns: number;
  readonly levels: number;
  readonly near: number;
  readonly first: number;
  readonly second: number;
  readonly golden: number;
  readonly usual: number;
  readonly most: number;
  /** Index of the channel's set of models. */
  readonly models: number;
  /** Index of the first edge of the channel's set. */
  readonly magnitudes: number;
}

/**
 * Makes the summaries of a plane that has been coded. Bits 0 to 3: classes of the value and of its four neighbours, for a
 * first reference; 4 and 5: class of their sum, for a second; 6 and 7: the value, at most 2.
 * @param from index of the first value of the padded plane
 */
export function summarise({ near, summaries }: PlaneStore, from: number, rows: number, columns: number): void {
  const stride = columns + 2 * PAD;
  for (let row = 0, at = from; row < rows; row++, at += 2 * PAD) {
    for (let column = 0; column < columns; column++, at++) {
      const here = near[at] as number;
      const around =
        (near[at - 1] as number) +
        (near[at + 1] as number) +
        (near[at - stride] as number) +
        (near[at + stride] as number);
      if ((here | around) === 0) continue;
      summaries[at] =
        (HERE_CLASS[here] as number) +
        (AROUND_CLASS[around] as number) +
        ((SECOND_CLASS[2 * here + around] as number) << 4) +
        ((here > 2 ? 2 : here) << 6);
    }
  }
}

/** Codes a bit with the odds of a state, which learns from it. @returns the bit */
function codeBit(coder: RangeCoder, store: PlaneStore, at: number, bit: number): number {
  const state = store.states[at] as number;
  const odds = state >>> COUNT_BITS;
  const coded = coder.code(bit, (odds >>> 6) | 1);
  store.states[at] = learned(state, coded, store.limit);
  return coded;
}

function learned(state: number, bit: number, limit: number): number {
  const odds = state >>> COUNT_BITS;
  const count = state & COUNT_MASK;
  const rate = RATES[count] as number;
  // Rounded towards what it was, so that odds stay within their bits.
  const moved =
    bit === 0 ? odds + (Math.imul((CERTAIN - odds) >> 3, rate) >> 9) : odds - (Math.imul(odds >> 3, rate) >> 9);
  return (moved << COUNT_BITS) | (count < limit ? count + 1 : limit);
}

/** @returns whether anything of the plane is unusual */
export function codePlane(coder: RangeCoder, store: PlaneStore, place: PlanePlace): boolean {
  const { levels } = store;
  const { rows, columns, usual, models } = place;
  const end = place.levels + rows * columns;
  const isEmpty =
    codeBit(coder, store, models + EMPTY_PLANE_MODEL, isUsual(levels, place.levels, end, usual) ? 0 : 1) === 0;
  if (isEmpty) {
    levels.fill(usual, place.levels, end);
    return false;
  }
  let wasEmpty = true;
  for (let row = 0; row < rows; row++) {
    const from = place.levels + row * columns;
    if (wasEmpty && rows > 1) {
      const at = models + EMPTY_ROW_MODELS + (row === 0 ? 0 : 1);
      wasEmpty = codeBit(coder, store, at, isUsual(levels, from, from + columns, usual) ? 0 : 1) === 0;
      if (wasEmpty) {
        levels.fill(usual, from, from + columns);
        continue;
      }
    }
    wasEmpty = !codeRow(coder, store, place, row);
  }
  return true;
}

function isUsual(levels: Uint8Array, from: number, end: number, usual: number): boolean {
  let at = from;
  while (at < end && levels[at] === usual) at++;
  return at === end;
}

/**
 * The loop that all time goes into: registers of the coder and states are kept at hand and written back where others
 * need them, and what {@link RangeCoder.code} and {@link learned} do stands here once more.
 * @returns whether anything of the row is unusual
 */
function codeRow(coder: RangeCoder, store: PlaneStore, place: PlanePlace, row: number): boolean {
  const { levels, near, summaries, golden: goldenClasses, states, limit } = store;
  const { columns, usual, models } = place;
  const { isDecoder } = coder;
  const stride = columns + 2 * PAD;
  const start = place.near + row * stride;
  const end = start + columns;
  const first0 = place.first - place.near;
  const second0 = place.second - place.near;
  const golden0 = place.golden - place.near;
  let { range, low } = coder;
  let any = false;
  let at = place.levels + row * columns;
  let west = 0;
  let farWest = 0;
  let northWest = 0;
  let north = near[start - stride] as number;
  for (let here = start; here < end; here++, at++) {
    const northEast = near[here - stride + 1] as number;
    const sum = 2 * (west + north) + northWest + northEast + farWest + (near[here - 2 * stride] as number);
    const seen = summaries[here + first0] as number;
    const other = (summaries[here + second0] as number) & 0x30;
    const golden = goldenClasses[here + golden0] as number;
    const context = models + (NEAR_CLASS[sum] as number) * 36 + ((seen & 15) << 2) + (other >> 4);
    const state = states[context] as number;
    const odds = state >>> COUNT_BITS;
    let zeroOdds = odds >>> 6;
    let corrected = -1;
    let second = 0;
    if ((sum | seen | other) !== 0 || golden > 1) {
      const pattern = (PATTERN[(west << 2) | north] as number) + (northEast > 0 ? 1 : 0) + (northWest > 0 ? 2 : 0);
      corrected = ((pattern * 3 + (seen >> 6)) * 5 + golden) * SURE_CLASSES + (SURE_CLASS[odds >>> 10] as number);
      second = states[corrected] as number;
      zeroOdds = (odds + 3 * (second >>> COUNT_BITS)) >>> 8;
    }
    const zeros = Math.imul(range >>> 16, zeroOdds | 1);
    const wanted = levels[at] as number;
    let bit = wanted === usual ? 0 : 1;
    if (isDecoder) bit = low < zeros ? 0 : 1;
    if (bit === 0) {
      range = zeros;
    } else {
      range -= zeros;
      low = isDecoder ? low - zeros : (low + zeros) | 0;
      if (low < 0) low = coder.carry(low);
    }
    if (range < LEAST_RANGE) {
      coder.range = range;
      coder.low = low;
      coder.shift();
      ({ range, low } = coder);
    }
    states[context] = learned(state, bit, limit);
    if (corrected >= 0) states[corrected] = learned(second, bit, limit);
    farWest = west;
    northWest = north;
    north = northEast;
    west = 0;
    if (bit === 0) {
      levels[at] = usual;
      continue;
    }
    any = true;
    coder.range = range;
    coder.low = low;
    const level = codeUnusual(coder, store, place, here, wanted);
    ({ range, low } = coder);
    levels[at] = level;
    const distance = level > usual ? level - usual : usual - level;
    west = distance > 3 ? 3 : distance;
    near[here] = west;
    store.far[here] = (distance > 15 ? 15 : distance) | (level > usual ? 32 : 16);
  }
  coder.range = range;
  coder.low = low;
  return any;
}

/** Side and distance of a level that is not the usual one. @returns the level */
function codeUnusual(coder: RangeCoder, store: PlaneStore, place: PlanePlace, here: number, wanted: number): number {
  const { usual, most, models, columns } = place;
  const { far } = store;
  if (most === 1) return 1 - usual;
  const west = far[here - 1] as number;
  const north = far[here - columns - 2 * PAD] as number;
  const seen = far[here + place.first - place.near] as number;
  let isAbove = usual === 0 ? 1 : 0;
  if (usual > 0 && usual < most) {
    const signs = (west >> 4) * 9 + (north >> 4) * 3 + (seen >> 4);
    isAbove = codeBit(coder, store, models + SIGN_MODELS + signs, wanted > usual ? 1 : 0);
  }
  const largest = isAbove === 1 ? most - usual : usual;
  const distance = isAbove === 1 ? wanted - usual : usual - wanted;
  const northEast = far[here - columns - 2 * PAD + 1] as number;
  const northWest = far[here - columns - 2 * PAD - 1] as number;
  const sum = 2 * ((west & 15) + (north & 15)) + (northEast & 15) + (northWest & 15);
  const seenClass = (seen & 15) > 2 ? 2 : (seen & 15) > 1 ? 1 : 0;
  if (store.edges !== null && largest > 1) {
    const at = place.magnitudes + ((GROUP_CLASS[sum] as number) * 3 + seenClass) * MAGNITUDE_GROUPS;
    const magnitude = Math.min(largest, codeGrouped(coder, store.edges, at, distance));
    if (store.counts !== null) {
      const group = at + (GROUP_OF[magnitude] as number);
      store.counts[group] = (store.counts[group] as number) + 1;
    }
    return isAbove === 1 ? usual + magnitude : usual - magnitude;
  }
  const first = models + MAGNITUDE_MODELS + ((MAGNITUDE_CLASS[sum] as number) * 3 + seenClass) * 4;
  let magnitude = 1;
  while (magnitude < largest && magnitude < UNARY) {
    const at = first + (magnitude > 3 ? 3 : magnitude - 1);
    if (codeBit(coder, store, at, distance > magnitude ? 1 : 0) === 0) break;
    magnitude++;
  }
  if (magnitude === UNARY && magnitude < largest) magnitude = codeRest(coder, store, distance, largest);
  return isAbove === 1 ? usual + magnitude : usual - magnitude;
}

/** @param at of the edges of the context. @returns the magnitude, which a damaged payload may have beyond what there is */
function codeGrouped(coder: RangeCoder, edges: Int16Array, at: number, distance: number): number {
  const unit = coder.range >>> GROUP_ODDS_BITS;
  let group = GROUP_OF[distance] as number;
  if (coder.isDecoder) {
    const units = coder.unitsAbove(unit);
    group = MAGNITUDE_GROUPS - 1;
    while ((edges[at + group] as number) > units) group--;
  }
  const isLast = group === MAGNITUDE_GROUPS - 1;
  coder.narrow(unit * (edges[at + group] as number), isLast ? coder.range : unit * (edges[at + group + 1] as number));
  const first = GROUP_FIRST[group] as number;
  const bits = GROUP_BITS[group] as number;
  return bits === 0 ? first : first + codeEven(coder, bits, distance - first);
}

/** A number of so many bits, each as likely as the others. */
function codeEven(coder: RangeCoder, bits: number, wanted: number): number {
  const unit = coder.range >>> bits;
  const most = (1 << bits) - 1;
  const number = coder.isDecoder ? Math.min(most, coder.unitsAbove(unit)) : wanted;
  coder.narrow(unit * number, number === most ? coder.range : unit * (number + 1));
  return number;
}

/** A magnitude of 8 or more: six bits, the highest first. What lies beyond the largest is taken as the largest. */
function codeRest(coder: RangeCoder, store: PlaneStore, distance: number, largest: number): number {
  let node = 1;
  for (let bit = 5; bit >= 0; bit--) {
    node = (node << 1) | codeBit(coder, store, SECOND_MODELS + node, ((distance - UNARY) >> bit) & 1);
  }
  return Math.min(largest, UNARY + (node & 63));
}
