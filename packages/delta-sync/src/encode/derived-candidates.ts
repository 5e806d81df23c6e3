// An old and a new matrix, of the same or of different kinds -> derived operations that are worth a try.
import { derive, valuesOf } from '../codec/derive.ts';
import { encodeDifferences } from '../codec/differences.ts';
import { ELEMENT_KINDS, type ElementKind } from '../format/element-kinds.ts';
import type { MatrixFields } from '../format/operations.ts';
import { findRules, type Side } from './find-rule.ts';
import { type Candidate, matrixOf, OPERATION_BITS, priceDifferences } from './tensor-candidates.ts';

/** Kinds of both sides, and whether their integers begin at 0. */
export interface Origin {
  /** Of the old elements: an index into ELEMENT_KINDS. */
  readonly from: number;
  readonly isUnsigned: boolean;
}

/** The kind, zero, threshold and first scale of a rule take about this many bits. */
const RULE_BITS = 128;
/** A scale by row or column takes about this many bits. */
const SCALE_BITS = 28;

export function derivedCandidates(
  fields: MatrixFields,
  { from, isUnsigned }: Origin,
  old: Uint8Array,
  fresh: Uint8Array,
): Candidate[] {
  const count = fields.rows * fields.columns;
  const sideOf = (index: number, bytes: Uint8Array): Side => {
    const kind = ELEMENT_KINDS[index] as ElementKind;
    return { index, kind, isUnsigned, values: valuesOf(bytes, kind, isUnsigned, count) };
  };
  const matrix = matrixOf(fields);
  return findRules(sideOf(from, old), sideOf(fields.kind, fresh), fields).map((rule): Candidate => {
    const foreseen = derive(old, matrix.kind, matrix, rule);
    const { levels, bits } = priceDifferences(matrix, foreseen, fresh, true);
    return {
      operation: { op: 'derived', ...fields, ...rule, levels },
      bits: bits + OPERATION_BITS + RULE_BITS + (rule.scales.length - 1) * SCALE_BITS,
      write: (writers) => encodeDifferences(writers, matrix, levels, foreseen, fresh, true),
    };
  });
}
