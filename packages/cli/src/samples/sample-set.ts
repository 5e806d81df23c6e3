// What a folder of samples holds: files with what is known to be true of each, not yet read.
import type { TaskKind } from '@kerf/splitter';

/** What is known of a sample before its files are read. */
export type EntryLabel =
  | { readonly kind: 'class'; readonly index: number }
  /** `maskPath`: picture of the defect's pixels; null for a good part, or where the set has no masks. */
  | { readonly kind: 'defect'; readonly defect: string | null; readonly maskPath: string | null }
  | { readonly kind: 'text'; readonly text: string };

export interface SampleEntry {
  /** Path below the folder of samples, with `/`. */
  readonly id: string;
  /** A picture, a .npy or a .pb file, or a folder with one tensor file for each input. */
  readonly path: string;
  /** What a choice is stratified by: the class, the kind of defect, `good`, or nothing. */
  readonly group: string;
  readonly label: EntryLabel | null;
}

export interface SampleSet {
  readonly folder: string;
  readonly kind: TaskKind;
  /** Defects only: whether every defective sample has a mask. */
  readonly hasMasks: boolean;
  /** Classes only: their names by index. */
  readonly classNames: readonly string[];
  readonly entries: readonly SampleEntry[];
}

/** The folder's name of parts without a defect. */
export const GOOD = 'good';
