// A chunk of an old tensor and the new one -> the operation that takes least, with what it takes and how to write it.

import { readCells } from '../codec/cells.ts';
import {
  encodeDifferences,
  exponentOf,
  flipOf,
  type Matrix,
  orderOf,
  tokenBetween,
  type ValueWriters,
} from '../codec/differences.ts';
import { encodeIntegers } from '../codec/integers.ts';
import { chooseLevels, type PricedLevels, sampleOf } from '../codec/levels.ts';
import { addProduct } from '../codec/low-rank.ts';
import { encodePlanes, type PlaneLayout, pricePlanes } from '../codec/planes.ts';
import { ALL_SCALE_CONTEXTS } from '../codec/scale-model.ts';
import { turned } from '../codec/turn.ts';
import { tokenOf } from '../coder/tokens.ts';
import { ELEMENT_KINDS, type ElementKind, FLOAT32, kindOf } from '../format/element-kinds.ts';
import { matrixOfTurn } from '../format/operation-sizes.ts';
import type { MatrixFields, Operation } from '../format/operations.ts';
import { FACTOR_ERRORS, findFactors, type RealFactors, roundFactors } from './find-factors.ts';
import { findGrid, type Grid } from './find-grid.ts';
import type { PlaneCounts } from './plane-counts.ts';
import type { TurnFields } from './turn-parts.ts';

export interface Candidate {
  readonly operation: Operation;
  /** About what it takes in the delta. */
  readonly bits: number;
  /** Puts its values into the streams of the segment. */
  readonly write: (writers: ValueWriters) => void;
  /** Of byte planes, those that are coded. */
  readonly planes?: PlaneCounts;
}

const BFLOAT16 = kindOf('bfloat16');
/** Bits of an operation besides its values, about. */
export const OPERATION_BITS = 64;
/** What is raw takes no tables: prices leave those out, so noise would seem to be a little less in any other form. */
const RAW_SHARE = 0.995;
/** A correction takes a place and a difference. */
const CORRECTION_BITS = 24;
/** Below this size no special form can pay. */
const LEAST_SPECIAL_BYTES = 1024;

/** The best of copy-like operations for a tensor with an old one. Both are whole elements of the same count. */
export function bestWithOld(fields: MatrixFields, planes: PlaneLayout, old: Uint8Array, fresh: Uint8Array): Candidate {
  const candidates = [differencesCandidate(fields, old, fresh), planesCandidate(planes, fresh)];
  if (fields.kind === FLOAT32 && fresh.byteLength >= LEAST_SPECIAL_BYTES) {
    if (isUpperHalves(old) && isUpperHalves(fresh)) candidates.push(differencesCandidate(inHalves(fields), old, fresh));
    const before = floatsOf(old);
    const after = floatsOf(fresh);
    const grid = findGrid(before, after);
    if (grid !== null) candidates.push(snapCandidate(fields, grid));
    else {
      const factors = findFactors(before, after, fields.rows, fields.columns);
      if (factors !== null) candidates.push(...lowRankCandidates(fields, factors, before, fresh));
    }
  }
  return candidates.reduce((best, next) => (next.bits < best.bits ? next : best));
}

/** Whether the lower half of every float32 is 0: bfloat16 values in a wider type, as models that were trained in it are saved. */
function isUpperHalves(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.byteLength; at += 4) if (bytes[at] !== 0 || bytes[at + 1] !== 0) return false;
  return true;
}

/** Each float32 as two elements: 0, and its upper half as the bfloat16 that it is. */
function inHalves(fields: MatrixFields): MatrixFields {
  return { ...fields, kind: BFLOAT16, columns: 2 * fields.columns };
}

function floatsOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

export function planesCandidate(layout: PlaneLayout, fresh: Uint8Array): Candidate {
  const { rawPlanes, bits, counts } = pricePlanes(fresh, layout);
  const elements = fresh.byteLength / layout.elementBytes;
  const isRaw = rawPlanes === 2 ** layout.elementBytes - 1;
  return {
    operation: { op: 'planes', ...layout, elements, rawPlanes },
    bits: (isRaw ? RAW_SHARE : 1) * bits + OPERATION_BITS,
    write: (writers) => encodePlanes(writers, layout, rawPlanes, fresh, ALL_SCALE_CONTEXTS),
    // The top byte of floats has a context for each size.
    planes: layout.isFloat ? counts.slice(0, -1) : counts,
  };
}

export function differencesCandidate(fields: MatrixFields, old: Uint8Array, fresh: Uint8Array): Candidate {
  const matrix = matrixOf(fields);
  const { levels, bits } = priceDifferences(matrix, old, fresh);
  return {
    operation: { op: 'differences', ...fields, levels },
    bits: bits + OPERATION_BITS,
    write: (writers) => encodeDifferences(writers, matrix, levels, old, fresh),
  };
}

export function turnedCandidate(fields: TurnFields, old: Uint8Array, fresh: Uint8Array): Candidate {
  const kind = ELEMENT_KINDS[fields.kind] as ElementKind;
  const matrix = { kind, ...matrixOfTurn(fields) };
  const foreseen = turned(old, fields, kind.bits / 8);
  const { levels, bits } = priceDifferences(matrix, foreseen, fresh);
  return {
    operation: { ...fields, levels },
    bits: bits + 2 * OPERATION_BITS,
    write: (writers) => encodeDifferences(writers, matrix, levels, foreseen, fresh),
  };
}

export function matrixOf({ kind, rows, columns }: MatrixFields): Matrix {
  return { kind: ELEMENT_KINDS[kind] as ElementKind, rows, columns };
}

export function priceDifferences(matrix: Matrix, old: Uint8Array, fresh: Uint8Array, mayClear = false): PricedLevels {
  const { kind, rows, columns } = matrix;
  const before = new Int32Array(rows * columns);
  const after = new Int32Array(rows * columns);
  readCells(old, kind, 0, before.length, before);
  readCells(fresh, kind, 0, after.length, after);
  const shift = 32 - kind.bits;
  const flip = flipOf(kind);
  const sample = sampleOf(
    matrix,
    flip !== 0,
    (at) => {
      const bits = before[at] as number;
      const made = after[at] as number;
      const difference = ((orderOf(made, flip) - orderOf(bits, flip)) << shift) >> shift;
      return tokenBetween(difference, made, flip === 0 ? 0 : bits >>> 31, mayClear);
    },
    (at) => exponentOf(before[at] as number, kind),
  );
  return chooseLevels(sample);
}

function priceIntegers(shape: { readonly rows: number; readonly columns: number }, values: Int32Array): PricedLevels {
  return chooseLevels(
    sampleOf(
      shape,
      false,
      (at) => tokenOf(values[at] as number, 0),
      () => 0,
    ),
  );
}

function snapCandidate(fields: MatrixFields, { step, steps, corrections }: Grid): Candidate {
  const { levels, bits } = priceIntegers(fields, steps);
  return {
    operation: { op: 'snap', ...fields, step, levels, corrections },
    bits: bits + OPERATION_BITS * 2 + corrections.length * CORRECTION_BITS,
    write: (writers) => encodeIntegers(writers, fields, levels, steps),
  };
}

function lowRankCandidates(
  fields: MatrixFields,
  factors: RealFactors,
  old: Float32Array,
  fresh: Uint8Array,
): Candidate[] {
  const { rows, columns } = fields;
  return FACTOR_ERRORS.flatMap((error): Candidate[] => {
    const rounded = roundFactors(factors, error);
    if (rounded === null) return [];
    const { rank, scale, left, right } = rounded;
    const foreseen = new Float32Array(old.length);
    addProduct(old, { rows, columns, rank, scale }, left, right, foreseen);
    const foreseenBytes = new Uint8Array(foreseen.buffer);
    const leftShape = { rows, columns: rank };
    const rightShape = { rows: rank, columns };
    const leftPrice = priceIntegers(leftShape, left);
    const rightPrice = priceIntegers(rightShape, right);
    const rest = priceDifferences(matrixOf(fields), foreseenBytes, fresh);
    return [
      {
        operation: {
          op: 'lowRank',
          ...fields,
          rank,
          scale,
          leftLevels: leftPrice.levels,
          rightLevels: rightPrice.levels,
          levels: rest.levels,
        },
        bits: leftPrice.bits + rightPrice.bits + rest.bits + OPERATION_BITS * 2,
        write(writers) {
          encodeIntegers(writers, leftShape, leftPrice.levels, left);
          encodeIntegers(writers, rightShape, rightPrice.levels, right);
          encodeDifferences(writers, matrixOf(fields), rest.levels, foreseenBytes, fresh);
        },
      },
    ];
  });
}
