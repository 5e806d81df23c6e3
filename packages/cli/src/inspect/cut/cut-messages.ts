// What the station's thread and the threads of the Cut screen say to each other: plain data.
import type { CutGraph, CutPlan, CutProfile } from '@kerf/bridge';
import type { PictureOptions } from '@kerf/edge-runtime';
import type { FailedMessage } from '../../failed-message.ts';
import type { CutQuestion, CutSubject } from './build-cut-plan.ts';

/** What the planner's thread opens. */
export interface PlannerSetup {
  /** For people. */
  readonly name: string;
  readonly wholePath: string | null;
  readonly partPaths: readonly string[];
  readonly edgePath: string | null;
  readonly cloudPath: string | null;
  readonly isEdgeNamed: boolean;
  /** Files and folders with codecs that were measured at cuts. */
  readonly codecPaths: readonly string[];
  /** A usual picture, and how the station makes the model's input of it; null where none is named. */
  readonly picture: { readonly path: string; readonly options: PictureOptions } | null;
  readonly routes: CutSubject['routes'];
  readonly deadlineMs: number;
}

export interface Opened {
  readonly edge: CutProfile | null;
  readonly cloud: CutProfile | null;
  readonly graph: CutGraph;
  /** Whether any way to send that loses accuracy is known. */
  readonly hasLossy: boolean;
}

export type ToPlanner =
  | { readonly id: number; readonly kind: 'open'; readonly setup: PlannerSetup }
  | { readonly id: number; readonly kind: 'plan'; readonly question: CutQuestion };

export type FromPlanner =
  | { readonly id: number; readonly value: Opened | CutPlan }
  | { readonly id: number; readonly failed: FailedMessage };

/** What the measuring thread is given, as `workerData`. */
export interface MeasureSetup {
  readonly modelPath: string;
  readonly target: string;
  readonly provider: string;
  readonly threads: number;
  /** As the station file states it; null where it does not. */
  readonly picture: { readonly width: number; readonly height: number } | null;
  readonly budgetMs: number;
}

export type FromMeasure = { readonly kind: 'done' } | FailedMessage;
