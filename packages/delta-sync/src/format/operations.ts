// What a segment does, in the order of its output.

import type { Rule } from '../codec/derive.ts';
import type { PlaneLayout, RawPlanes } from '../codec/planes.ts';
import type { Levels } from '../codec/scale-model.ts';
import type { Turn } from '../codec/turn.ts';

/** A range of the base: all its files, one behind the other. */
export interface BaseRange {
  readonly offset: number;
  readonly bytes: number;
}

/** A matrix that is made from one of the base with the same kind and shape. */
export interface MatrixFields {
  /** Index into ELEMENT_KINDS. */
  readonly kind: number;
  readonly rows: number;
  readonly columns: number;
  /** Where the old matrix begins in the base. */
  readonly base: number;
}

/** A value that is not the one foreseen, by how much its order differs. */
export interface Correction {
  readonly at: number;
  readonly difference: number;
}

/** Bytes of the base as they are. */
export interface CopyOperation extends BaseRange {
  readonly op: 'copy';
}

/** Bytes of the scratch. */
export interface ScratchOperation {
  readonly op: 'scratch';
  readonly offset: number;
  readonly bytes: number;
}

/** The next bytes of the segment's text stream. */
export interface TextOperation {
  readonly op: 'text';
  readonly bytes: number;
}

/** The old matrix, each element moved by a difference in its order. */
export interface DifferencesOperation extends MatrixFields {
  readonly op: 'differences';
  readonly levels: Levels;
}

/** old + step * q, each element a float32 with its own whole q. */
export interface SnapOperation extends MatrixFields {
  readonly op: 'snap';
  readonly step: number;
  readonly levels: Levels;
  /** Of rising places; almost always none. */
  readonly corrections: readonly Correction[];
}

/** old + scale * (left . right), factors of whole numbers; then differences from that. */
export interface LowRankOperation extends MatrixFields {
  readonly op: 'lowRank';
  readonly rank: number;
  readonly scale: number;
  readonly leftLevels: Levels;
  readonly rightLevels: Levels;
  readonly levels: Levels;
}

/** A tensor with no old one. */
export interface PlanesOperation extends PlaneLayout {
  readonly op: 'planes';
  readonly elements: number;
  readonly rawPlanes: RawPlanes;
}

/** A BSDIFF40 patch of a range of the base. */
export interface BsdiffOperation {
  readonly op: 'bsdiff';
  readonly from: BaseRange;
  readonly bytes: number;
  readonly patchBytes: number;
}

/** The next bytes of the segment's text stream, added to those of the base as numbers of so many bytes. */
export interface AddOperation extends BaseRange {
  readonly op: 'add';
  readonly elementBytes: 1 | 2 | 4 | 8;
}

/** The next bytes of the segment's text stream, each element of so many bytes added to the one that the stride is in front of it. */
export interface CumulativeOperation {
  readonly op: 'cumulative';
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** In elements, less than there are. */
  readonly stride: number;
  readonly bytes: number;
}

/** The old tensor with its axes in another order; then differences from that. */
export interface TurnedOperation extends Turn {
  readonly op: 'turned';
  /** Index into ELEMENT_KINDS. */
  readonly kind: number;
  /** Where the old tensor begins in the base. */
  readonly base: number;
  readonly levels: Levels;
}

/** The same of a part of the old tensor: of the axis that became the first one, so much as `dims` says. */
export interface TurnedPartOperation extends Omit<TurnedOperation, 'op'> {
  readonly op: 'turnedPart';
  /** How long that axis is in the old tensor. */
  readonly whole: number;
}

/** What a rule makes of each old element, of whatever kind; then differences from that. */
export interface DerivedOperation extends MatrixFields, Rule {
  readonly op: 'derived';
  readonly levels: Levels;
}

export type Operation =
  | CopyOperation
  | ScratchOperation
  | TextOperation
  | DifferencesOperation
  | SnapOperation
  | LowRankOperation
  | PlanesOperation
  | BsdiffOperation
  | AddOperation
  | CumulativeOperation
  | TurnedOperation
  | TurnedPartOperation
  | DerivedOperation;

export interface SegmentProgram {
  /** Ranges of the base that stand in front of the text stream. */
  readonly dictionary: readonly BaseRange[];
  readonly operations: readonly Operation[];
}
