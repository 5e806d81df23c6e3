// Old and new values of a matrix -> the scale, of all or of each row or column, that brings the one nearest to the other.
import type { Integers, Rule } from '../codec/derive.ts';
import type { ElementKind } from '../format/element-kinds.ts';

export interface Values {
  readonly rows: number;
  readonly columns: number;
  readonly old: Float64Array;
  readonly fresh: Float64Array;
}

export type Scales = Pick<Rule, 'scaleBy' | 'scales'>;

/** A scale by row or column needs so many elements each. */
const LEAST_ELEMENTS = 4;
/** A scale that is told takes this, and so does an element that is off by one. */
const SCALE_BITS = 32;
const WRONG_BITS = 10;

/** @returns the scales of least squares, float32 by row and column, and the squares of what is left with and without */
export function fitScales(matrix: Values, scaleBy: Rule['scaleBy']): Scales & { rest: number; restUnscaled: number } {
  const { rows, columns, old, fresh } = matrix;
  const count = groupsOf(matrix, scaleBy);
  if (scaleBy !== 'whole' && (count === 1 || count * LEAST_ELEMENTS > old.length)) {
    return { scaleBy, scales: new Float64Array(0), rest: Number.POSITIVE_INFINITY, restUnscaled: 0 };
  }
  const both = new Float64Array(count);
  const squares = new Float64Array(count);
  let total = 0;
  let restUnscaled = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const [before, after] = [old[at] as number, fresh[at] as number];
      total += after * after;
      restUnscaled += (after - before) ** 2;
      // What became 0 was pruned.
      if (after === 0) continue;
      const group = scaleBy === 'whole' ? 0 : scaleBy === 'row' ? row : column;
      both[group] = (both[group] as number) + before * after;
      squares[group] = (squares[group] as number) + before * before;
    }
  }
  let rest = total;
  const scales = both.map((sum, group) => {
    const square = squares[group] as number;
    if (square === 0) return 1;
    rest -= sum ** 2 / square;
    return scaleBy === 'whole' ? sum / square : Math.fround(sum / square);
  });
  return { scaleBy, scales, rest: Math.max(0, rest), restUnscaled };
}

function groupsOf({ rows, columns }: Values, scaleBy: Rule['scaleBy']): number {
  return scaleBy === 'whole' ? 1 : scaleBy === 'row' ? rows : columns;
}

/** A single scale as the one who scaled had it: a float32 where that gives the same, else what rounding lets it be. */
export function mostPrecise({ old, fresh }: Values, fit: Scales, kind: ElementKind): Scales {
  if (fit.scaleBy !== 'whole') return fit;
  const scale = fit.scales[0] as number;
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const margin = 2 ** -(kind.mantissaBits + 1);
  for (let at = 0; at < old.length; at++) {
    const [before, after] = [old[at] as number, fresh[at] as number];
    if (before === 0 || after === 0) continue;
    const ratio = after / before;
    // Half a last place of the new value: between a half and all of this share of it.
    const exponent = Math.floor(Math.log2(Math.abs(after)));
    const off = Math.abs((margin * 2 ** exponent) / before);
    if (ratio + off < low || ratio - off > high) continue;
    if (Math.abs(ratio - scale) > 4 * off) continue;
    low = Math.max(low, ratio - off);
    high = Math.min(high, ratio + off);
  }
  if (!(low <= high && Number.isFinite(low) && Number.isFinite(high))) return fit;
  const near = Math.fround((low + high) / 2);
  return { scaleBy: 'whole', scales: Float64Array.of(near >= low && near <= high ? near : (low + high) / 2) };
}

/** Scales by which floats were divided and rounded to these integers: the way that takes least with what it leaves wrong. */
export function quantisedScales(matrix: Values, integers: Integers): Scales & { bits: number } {
  const [whole, ...parted] = (['whole', 'row', 'column'] as const)
    .filter((scaleBy) => scaleBy === 'whole' || groupsOf(matrix, scaleBy) * LEAST_ELEMENTS <= matrix.old.length)
    .map((scaleBy) => {
      const scales = dividedBy(matrix, scaleBy, integers);
      return {
        scaleBy,
        scales,
        bits: wrongIn(matrix, { scaleBy, scales }, integers) * WRONG_BITS + scales.length * SCALE_BITS,
      };
    });
  const best = parted.reduce(
    (least, next) => (next.bits < least.bits ? next : least),
    whole as (typeof parted)[number],
  );
  return best;
}

/** Each integer bounds the scale of its group from both sides; where bounds contradict each other, least squares. */
function dividedBy(matrix: Values, scaleBy: Rule['scaleBy'], { zero }: Integers): Float64Array {
  const { rows, columns, old, fresh } = matrix;
  const count = groupsOf(matrix, scaleBy);
  const low = new Float64Array(count);
  const high = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const both = new Float64Array(count);
  const squares = new Float64Array(count);
  // The outermost ones may stand for more than they could say.
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const integer of fresh) {
    if (integer < least) least = integer;
    if (integer > most) most = integer;
  }
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const group = scaleBy === 'whole' ? 0 : scaleBy === 'row' ? row : column;
      const integer = fresh[at] as number;
      const steps = integer - zero;
      const size = Math.abs(old[at] as number);
      const count = Math.abs(steps);
      both[group] = (both[group] as number) + (old[at] as number) * steps;
      squares[group] = (squares[group] as number) + steps * steps;
      if (count > 0) high[group] = Math.min(high[group] as number, size / (count - 0.5));
      if (integer !== least && integer !== most) low[group] = Math.max(low[group] as number, size / (count + 0.5));
    }
  }
  return both.map((sum, group) => {
    const [from, to] = [low[group] as number, high[group] as number];
    const square = squares[group] as number;
    const scale = from <= to && Number.isFinite(to) ? (from + to) / 2 : square > 0 ? sum / square : 1;
    return Math.fround(scale > 0 && Number.isFinite(scale) ? scale : 1);
  });
}

function wrongIn(matrix: Values, { scaleBy, scales }: Scales, { zero }: Integers): number {
  const { rows, columns, old, fresh } = matrix;
  let wrong = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const scale = scales[scaleBy === 'whole' ? 0 : scaleBy === 'row' ? row : column] as number;
      if (Math.abs((old[at] as number) / scale + zero - (fresh[at] as number)) > 0.5) wrong++;
    }
  }
  return wrong;
}
