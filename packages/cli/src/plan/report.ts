// What `kerf plan` says, as plain data: `--json` prints it, the card and the page are drawn from it.
import type { ConstraintName, Goal, LinkProfile, PlanConstraints } from '@kerf/splitter';

export const PLAN_FORMAT = 'kerf-plan/1';

/** A placement with what a frame takes. */
export interface PlanRow {
  /** For people, unique in a report: `edge`, `cloud, JPEG 90`, `split at conv5, raw`. */
  readonly label: string;
  readonly placement: 'edge' | 'cloud' | 'split';
  /** Values that cross, the model's inputs among them; empty on the edge. */
  readonly tensors: readonly string[];
  /** Bytes of each of `tensors` on the uplink, in its codec; they add up to `uplinkBytes`. */
  readonly tensorBytes: readonly number[];
  /** Codec or image format; `none` on the edge. */
  readonly codec: string;
  /** Nodes that run on the edge. */
  readonly headNodes: number;
  readonly latencyMs: number;
  readonly p99Ms: number;
  readonly framesPerSecond: number;
  readonly slowestStage: 'edge' | 'uplink' | 'cloud' | 'downlink';
  /** Parts of `latencyMs`, in the order of a frame's way; they add up to it, where it was measured scaled to do so. */
  readonly parts: readonly PlanPart[];
  readonly uplinkBytes: number;
  readonly downlinkBytes: number;
  readonly cloudMs: number;
  readonly edgeWeightsBytes: number;
  /** Of all values that cross; null on the edge, for images, and where a shape is not known. */
  readonly bitsPerValue: number | null;
  /** Largest loss of the task's metric, in points; null where nobody said. */
  readonly loss: number | null;
  /** What calibration measured, where the codec was measured at this cut; null for any other codec. */
  readonly calibration: PlanCalibration | null;
  /** The pair of operators that the cut keeps the runtime from fusing, only with `--allow-fused`; null otherwise. */
  readonly splitsFusion: string | null;
  /** Whether compute times come from sessions that ran, or from calibrated sums of nodes. */
  readonly source: { readonly edge: PlanSource; readonly cloud: PlanSource };
  /** From real sessions over the link (`--measure`); null where it was not measured. */
  readonly measured: MeasuredPlacement | null;
}

export interface PlanCalibration {
  /** Such as `pixel IoU`. */
  readonly metric: string;
  readonly samples: number;
  /** Metric of the whole model on them. */
  readonly wholePoints: number;
  /** Below 0 where the codec gains. */
  readonly lossPoints: number;
  /** 95 %. */
  readonly lossInterval: readonly [low: number, high: number];
}

/** What coding activations does here. */
export interface PlanCoding {
  /** The best placement with a calibrated codec. */
  readonly calibrated: PlanRow;
  /** The same cut with its tensors as they are; null where that does not keep the limits. */
  readonly raw: PlanRow | null;
  /** The best of all placements that lose nothing; null where none keeps the limits. */
  readonly lossless: PlanRow | null;
}

export type PlanSource = 'measured' | 'nodes' | 'none';

export interface PlanPart {
  readonly name: string;
  readonly place: 'edge' | 'link' | 'cloud';
  readonly ms: number;
}

export interface MeasuredPlacement {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly frames: number;
  readonly bytesUpPerFrame: number;
  readonly bytesDownPerFrame: number;
  /** Largest absolute difference of any output from the whole model's on the same input; null where it was not compared. */
  readonly maxAbsDifference: number | null;
}

/** A position along the model where it can be cut, in the order of the model. */
export interface PlanCutRow {
  readonly label: string;
  readonly tensors: readonly string[];
  readonly inputs: readonly string[];
  readonly headNodes: number;
  /** Of the activations, raw. */
  readonly bytes: number;
  readonly headMs: number;
  readonly tailMs: number;
  readonly source: { readonly edge: PlanSource; readonly cloud: PlanSource };
  /** Bytes on the uplink in the codec that is best here. */
  readonly codec: string;
  readonly uplinkBytes: number;
  readonly latencyMs: number;
  /** Whether it keeps every constraint. */
  readonly keeps: boolean;
  /** The pair of operators that the runtime would fuse across this cut, such as `Conv and Relu`; null for a clean cut. */
  readonly splitsFusion: string | null;
}

/** The best of each placement against the uplink, all else as stated. */
export interface PlanCurve {
  readonly uplinkBitsPerSecond: readonly number[];
  /** Null where no candidate of that placement keeps the constraints. */
  readonly edgeMs: readonly (number | null)[];
  readonly cloudMs: readonly (number | null)[];
  readonly splitMs: readonly (number | null)[];
  /** From this uplink upwards the best is `label`. Below the first, nothing keeps the constraints. */
  readonly reigns: readonly {
    readonly fromBitsPerSecond: number;
    readonly label: string;
    readonly placement: PlanRow['placement'];
  }[];
}

export interface PlanChange {
  readonly parameter: 'uplinkBitsPerSecond' | 'roundTripMs';
  readonly direction: 'above' | 'below';
  readonly value: number;
  /** Null where no placement keeps the constraints there. */
  readonly becomes: string | null;
}

/** The model's graph with repeated blocks folded: drawn in order, from the inputs down. */
export interface PlanGraph {
  /** In topological order, those on the edge before those in the cloud. */
  readonly nodes: readonly PlanGraphNode[];
  /** Runs of `period` nodes that repeat `times` in a row, from position `from` in `nodes`. Not nested. */
  readonly repeats: readonly { readonly from: number; readonly period: number; readonly times: number }[];
}

export interface PlanGraphNode {
  readonly name: string;
  readonly opType: string;
  /** Positions in `nodes` that this one takes values from. */
  readonly from: readonly number[];
  /** Bytes of what it gives; null where it is not known. */
  readonly bytes: number | null;
  readonly edgeMs: number;
  readonly cloudMs: number;
  readonly onEdge: boolean;
}

export interface PlannedReport {
  readonly format: typeof PLAN_FORMAT;
  readonly outcome: 'planned';
  readonly model: { readonly file: string; readonly sha256: string; readonly bytes: number; readonly nodes: number };
  readonly inputShapes: Readonly<Record<string, readonly number[]>>;
  readonly edge: PlanDevice;
  readonly cloud: PlanDevice;
  readonly link: LinkProfile;
  readonly goal: Goal;
  readonly constraints: PlanConstraints;
  /** One sentence: what to do and what it gains, such as `Do not split: ...`. */
  readonly verdict: string;
  /** Why, a sentence each. */
  readonly reasons: readonly string[];
  readonly choice: PlanRow;
  readonly runnerUp: PlanRow | null;
  readonly bestOf: { readonly edge: PlanRow | null; readonly cloud: PlanRow | null; readonly split: PlanRow | null };
  /** Null where no calibrated codec was given, or none keeps the limits. */
  readonly coding: PlanCoding | null;
  readonly binding: { readonly constraint: ConstraintName; readonly without: PlanRow } | null;
  readonly changes: readonly PlanChange[];
  readonly front: readonly PlanRow[];
  /** How far the choice may be from the best possible in the goal's milliseconds; 0: proven. */
  readonly gapMs: number;
  readonly candidates: number;
  readonly unpriced: { readonly edge: number; readonly cloud: number };
  /** What weakens the answer, and what would strengthen it: a sentence each. */
  readonly warnings: readonly string[];
  readonly cuts: readonly PlanCutRow[];
  readonly curve: PlanCurve;
  readonly graph: PlanGraph;
  /** What `--measure` did; null without it. */
  readonly measurement: PlanMeasurement | null;
  /** ISO 8601. */
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
}

export interface PlanMeasurement {
  /** Where the cloud ran and over which link, in a sentence. */
  readonly how: string;
  /** Best first; each also stands in its row's `measured`. */
  readonly rows: readonly PlanRow[];
  /** Median of measured over predicted: what the predictions were corrected by. */
  readonly correction: number;
  /** The choice before measuring, when measuring changed it. */
  readonly insteadOf: string | null;
}

export interface UnsatisfiableReport {
  readonly format: typeof PLAN_FORMAT;
  readonly outcome: 'unsatisfiable';
  readonly verdict: string;
  readonly conflict: readonly ConstraintName[];
  /** Each of `conflict` as the only constraint, and the best placement then; null where even that cannot be kept. */
  readonly alone: readonly { readonly constraint: ConstraintName; readonly best: PlanRow | null }[];
  /** With a deadline in the conflict: the least 99th percentile that keeps the others. Null otherwise. */
  readonly soonest: PlanRow | null;
}

export type PlanReport = PlannedReport | UnsatisfiableReport;

export interface PlanDevice {
  readonly name: string;
  readonly processor: string;
  readonly provider: string;
  readonly date: string;
  /** Median of the whole model. */
  readonly wholeMs: number | null;
}
