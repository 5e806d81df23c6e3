// The values of an old and a new matrix -> rules that nearly make the second of the first: pruned, scaled, in another type.
import { type Integers, MAX_ZERO, type Rule } from '../codec/derive.ts';
import type { ElementKind } from '../format/element-kinds.ts';
import { findThreshold } from './find-threshold.ts';
import { fitScales, mostPrecise, quantisedScales, type Scales, type Values } from './fit-scales.ts';

/** Elements of one type, as values. */
export interface Side {
  /** Index into ELEMENT_KINDS, and what is there. */
  readonly index: number;
  readonly kind: ElementKind;
  readonly isUnsigned: boolean;
  readonly values: Float64Array;
}

/** A scale by row or column must leave so much less of the squares of the rest than a single one. */
const CLEARLY_LESS = 0.5;
/** With a scale, of what is left without. */
const WORTH_A_SCALE = 0.7;
/** Of the elements that became 0. */
const LEAST_CLEARED = 1 / 256;

/** Those worth a try, none when no rule is seen. */
export function findRules(old: Side, fresh: Side, shape: { readonly rows: number; readonly columns: number }): Rule[] {
  const isFloat = (side: Side): boolean => side.kind.mantissaBits > 0;
  const matrix: Values = { ...shape, old: old.values, fresh: fresh.values };
  if (isFloat(old)) return isFloat(fresh) ? floatRules(old, fresh, matrix) : [quantisedRule(old, fresh, matrix)];
  return isFloat(fresh) ? [dequantisedRule(old, fresh, matrix)] : [];
}

function floatRules(old: Side, fresh: Side, matrix: Values): Rule[] {
  const cleared = clearedIn(matrix);
  if (Number.isNaN(cleared)) return [];
  const wasCleared = cleared >= LEAST_CLEARED * matrix.old.length;
  const threshold = wasCleared ? findThreshold(matrix.old, matrix.fresh) : 0;
  const rule = { from: old.index, zero: 0, isUnsigned: false, threshold };
  const rules: Rule[] = [];
  const plain: Scales = { scaleBy: 'whole', scales: Float64Array.of(1) };
  if (wasCleared || old.kind !== fresh.kind) rules.push({ ...rule, ...plain });
  const scaled = bestFit(matrix, old.kind === fresh.kind);
  if (scaled !== null) rules.push({ ...rule, ...mostPrecise(matrix, scaled, fresh.kind) });
  return rules;
}

/** Elements that became 0; not a number when a value is none. */
function clearedIn({ old, fresh }: Values): number {
  let cleared = 0;
  for (let at = 0; at < old.length; at++) {
    const [before, after] = [old[at] as number, fresh[at] as number];
    if (!Number.isFinite(before) || !Number.isFinite(after)) return Number.NaN;
    if (after === 0 && before !== 0) cleared++;
  }
  return cleared;
}

/** Null when a scale leaves no less than none. */
function bestFit(matrix: Values, mustPay: boolean): Scales | null {
  const whole = fitScales(matrix, 'whole');
  const [row, column] = [fitScales(matrix, 'row'), fitScales(matrix, 'column')];
  const single = mustPay ? Math.min(whole.rest, whole.restUnscaled) : whole.rest;
  const parted = row.rest <= column.rest ? row : column;
  if (parted.rest < CLEARLY_LESS * single) return parted;
  return !mustPay || whole.rest < WORTH_A_SCALE * whole.restUnscaled ? whole : null;
}

function quantisedRule(old: Side, fresh: Side, matrix: Values): Rule {
  const { slope, offset } = lineThrough(matrix);
  // Where each column has a scale of its own, a line through all tells no zero.
  const zeros = new Set(
    [offset, 0, fresh.isUnsigned ? 2 ** (fresh.kind.bits - 1) : 0].map((zero) => (slope === 0 ? 0 : zero)),
  );
  const ways = [...zeros].map((zero) => {
    const integers = integersOf(fresh, zero);
    return { integers, ...quantisedScales(matrix, integers) };
  });
  const { integers, scaleBy, scales } = ways.reduce((best, next) => (next.bits < best.bits ? next : best));
  return { from: old.index, ...integers, threshold: 0, scaleBy, scales };
}

function dequantisedRule(old: Side, fresh: Side, matrix: Values): Rule {
  const { slope, offset } = lineThrough(matrix);
  const integers = integersOf(old, slope === 0 ? 0 : -offset / slope);
  const moved = { ...matrix, old: matrix.old.map((value) => value - integers.zero) };
  const scales = mostPrecise(moved, bestFit(moved, false) as Scales, fresh.kind);
  return { from: old.index, ...integers, threshold: 0, ...scales };
}

function integersOf({ isUnsigned }: Side, zero: number): Integers {
  const whole = Number.isFinite(zero) ? Math.max(-MAX_ZERO, Math.min(MAX_ZERO, Math.round(zero))) : 0;
  return { isUnsigned, zero: whole === 0 ? 0 : whole };
}

/** The straight line that is nearest to the new values over the old ones. */
function lineThrough({ old, fresh }: Values): { slope: number; offset: number } {
  const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [meanOf(old), meanOf(fresh)];
  let both = 0;
  let squares = 0;
  for (let at = 0; at < old.length; at++) {
    const beyond = (old[at] as number) - x;
    both += beyond * ((fresh[at] as number) - y);
    squares += beyond * beyond;
  }
  const slope = squares > 0 && Number.isFinite(both) ? both / squares : 0;
  return { slope, offset: y - slope * x };
}
