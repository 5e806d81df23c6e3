// What became of each part of the target: for people, and for programs.
import type { Operation } from '../format/operations.ts';
import type { FormatVersion } from '../format/patch-index.ts';

/** How a part of the target is made. */
export type Strategy =
  | 'copy'
  | 'structure'
  | 'text'
  | 'differences'
  | 'snap'
  | 'low rank'
  | 'byte planes'
  | 'bsdiff'
  | 'added'
  | 'cumulative'
  | 'turned'
  | 'derived';

/** What people call an operation. */
export function strategyOf(op: Operation['op']): Strategy {
  if (op === 'lowRank') return 'low rank';
  if (op === 'planes') return 'byte planes';
  if (op === 'add') return 'added';
  if (op === 'scratch') return 'structure';
  if (op === 'turnedPart') return 'turned';
  return op;
}

export interface PartReport {
  /** Name of the tensor; what else it is, where it is none. */
  readonly name: string;
  /** `float32[64, 3, 3, 3]`; null where it is no tensor. */
  readonly shape: string | null;
  readonly file: string;
  readonly strategy: Strategy;
  /** Of the target. */
  readonly bytes: number;
  /** Of the delta: exact for all parts together, the share of each an estimate. */
  readonly deltaBytes: number;
}

/** What came of trying another maker of patches against each segment. */
export interface RivalReport {
  /** Segments that it was asked for, and those that were smaller. */
  readonly tried: number;
  readonly kept: number;
}

export interface DeltaReport {
  readonly baseBytes: number;
  readonly targetBytes: number;
  readonly deltaBytes: number;
  /** Coded values of tensors, and what they would take if their frequencies were exact and told for nothing. */
  readonly valueBytes: number;
  readonly entropyBytes: number;
  readonly segments: number;
  /** Version of the format: what a kerf must read to apply it. */
  readonly format: FormatVersion;
  /** Null when there was none. */
  readonly rival: RivalReport | null;
  readonly parts: readonly PartReport[];
}
