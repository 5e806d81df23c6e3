// What became of each part of the target: for people, and for programs.

/** How a part of the target is made. */
export type Strategy = 'copy' | 'structure' | 'text' | 'differences' | 'snap' | 'low rank' | 'byte planes' | 'bsdiff';

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

export interface DeltaReport {
  readonly baseBytes: number;
  readonly targetBytes: number;
  readonly deltaBytes: number;
  /** Coded values of tensors, and what they would take if their frequencies were exact and told for nothing. */
  readonly valueBytes: number;
  readonly entropyBytes: number;
  readonly segments: number;
  readonly parts: readonly PartReport[];
}
