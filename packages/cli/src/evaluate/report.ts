// What kerf evaluate reports, as JSON has it.
import type { PairedLoss, TaskReport } from '@kerf/splitter';
import type { CascadeReport } from './cascade.ts';
import type { Traffic } from './placement.ts';

export interface EvaluationReport {
  readonly model: { readonly file: string; readonly sha256: string };
  /** Such as `edge`, `cloud, JPEG 80` or `split at relu_7, uint8`. */
  readonly placement: string;
  readonly samples: { readonly folder: string; readonly seed: number };
  readonly task: TaskReport;
  readonly traffic: Traffic | null;
  /** With --cascade; else null. */
  readonly cascade: CascadeReport | null;
  /** Paired on the same samples; null without something to compare with. */
  readonly against:
    | (PairedLoss & { readonly metric: string; readonly model: { readonly file: string; readonly sha256: string } })
    | null;
}
