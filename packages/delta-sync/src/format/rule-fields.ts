// The rule of a derived matrix <-> numbers in the control stream.
import { MAX_ZERO, type Rule } from '../codec/derive.ts';
import { bitsOfFloat, floatOfBits } from '../codec/float-bits.ts';
import type { BitDecoder, BitEncoder } from '../coder/bit-coder.ts';
import { decodeNumber, encodeNumber, type NumberOdds, unzigzag, zigzag } from '../coder/number-coder.ts';
import { damaged } from '../damaged.ts';
import { readDouble, writeDouble } from './doubles.ts';
import { ROLE } from './operation-roles.ts';

/** A scale by row or column needs so many elements each. */
const ELEMENTS_PER_SCALE = 4;
const SCALE_MODES = ['whole', 'row', 'column'] as const;
/** Of a float32 that is neither negative, infinite nor no number. */
const MOST_BITS = 0x7f7f_ffff;
const MOST_SIGNED_BITS = 2 ** 32;

interface Shape {
  readonly rows: number;
  readonly columns: number;
}

export function writeRule(coder: BitEncoder, odds: NumberOdds, rule: Rule): void {
  encodeNumber(coder, odds, ROLE.zero, zigzag(rule.zero) * 2 + (rule.isUnsigned ? 1 : 0));
  encodeNumber(coder, odds, ROLE.threshold, bitsOfFloat(rule.threshold));
  encodeNumber(coder, odds, ROLE.scaleMode, SCALE_MODES.indexOf(rule.scaleBy));
  if (rule.scaleBy === 'whole') {
    writeDouble(coder, odds, rule.scales[0] as number);
    return;
  }
  let before = 0;
  for (const scale of rule.scales) {
    const bits = bitsOfFloat(scale);
    encodeNumber(coder, odds, ROLE.scale, zigzag(bits - before));
    before = bits;
  }
}

/** @throws {KerfError} DELTA_MALFORMED. */
export function readRule(coder: BitDecoder, odds: NumberOdds, shape: Shape & { readonly from: number }): Rule {
  const zeroAndSign = decodeNumber(coder, odds, ROLE.zero, 4 * MAX_ZERO + 1);
  const threshold = floatOfBits(decodeNumber(coder, odds, ROLE.threshold, MOST_BITS));
  const scaleBy = SCALE_MODES[decodeNumber(coder, odds, ROLE.scaleMode, SCALE_MODES.length - 1)] as Rule['scaleBy'];
  return {
    from: shape.from,
    zero: unzigzag(Math.floor(zeroAndSign / 2)),
    isUnsigned: zeroAndSign % 2 === 1,
    threshold,
    scaleBy,
    scales: scaleBy === 'whole' ? Float64Array.of(readDouble(coder, odds)) : readScales(coder, odds, shape, scaleBy),
  };
}

function readScales(coder: BitDecoder, odds: NumberOdds, { rows, columns }: Shape, by: 'row' | 'column'): Float64Array {
  const count = by === 'row' ? rows : columns;
  if (count * ELEMENTS_PER_SCALE > rows * columns) throw damaged('a matrix has too many scales');
  const scales = new Float64Array(count);
  let before = 0;
  for (let at = 0; at < count; at++) {
    before += unzigzag(decodeNumber(coder, odds, ROLE.scale, 2 * MOST_SIGNED_BITS));
    if (before < 0 || before >= MOST_SIGNED_BITS) throw damaged('a scale is out of range');
    scales[at] = floatOfBits(before);
    if (!Number.isFinite(scales[at])) throw damaged('a scale is not finite');
  }
  return scales;
}
