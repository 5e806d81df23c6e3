// What the screen Samples shows, as plain data.
import type { ExportedFile, KeepReason, ResultRecord, SampleLabel } from '@kerf/edge-runtime';
import type { CauseView } from './cause-view.ts';

/** Parts kept for labelling, in numbers. */
export interface SamplesView {
  /** False where the station file has no `samples`: then nothing is kept, and all else is empty. */
  readonly isOn: boolean;
  /** What a part may be called, in the order of the number keys. */
  readonly labels: readonly SampleLabel[];
  readonly kept: number;
  readonly labelled: number;
  /** Of each label that a part has. */
  readonly counts: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly quotaBytes: number;
  /** Since the station started: parts judged, left out as like a kept one, and worth keeping but not kept. */
  readonly seen: number;
  readonly alike: number;
  readonly missed: number;
  /** Why the last of these was not kept; null where none was. */
  readonly fault: string | null;
  /** The same where the station itself found it; absent from an older station. */
  readonly cause?: CauseView | null;
  readonly canUndo: boolean;
}

export interface SampleView {
  readonly id: string;
  readonly record: ResultRecord;
  readonly reasons: readonly KeepReason[];
  readonly label: { readonly name: string; readonly by: string; readonly at: string } | null;
}

/** The files of a data set: texts, and pictures by the sample that they are of (`samples.picture` with `full`). */
export interface SamplesExport {
  readonly files: readonly ExportedFile[];
}
