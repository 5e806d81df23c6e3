// What the Cut screen shows, as plain data: the model's graph, where it runs, what another cut would take, and why it moved.
import type { RouteRefusal, SwitchReason } from '@kerf/edge-runtime';
import type { FaultView } from './fault-view.ts';

/** A node of the model. */
export interface CutNode {
  readonly name: string;
  readonly opType: string;
  /** Positions of the nodes that it takes values from, all smaller than its own. */
  readonly from: readonly number[];
  /** Model inputs that it takes. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Of its first output, such as `float32`; null where nobody knows. */
  readonly dtype: string | null;
  /** Such as `1×64×96×96`; sizes that are open by their symbol or `?`. Null where nobody knows. */
  readonly shape: string | null;
  /** Of all that it makes, raw, in bytes. */
  readonly bytes: number | null;
  /** By the profiles as they were measured; null without them. */
  readonly edgeMs: number | null;
  readonly cloudMs: number | null;
}

export interface CutGraph {
  readonly file: string;
  /** `whole`: the file of the whole model. `parts`: put together of the parts that the station runs. */
  readonly from: 'whole' | 'parts';
  /** In topological order. */
  readonly nodes: readonly CutNode[];
  /** Blocks of `period` nodes that repeat `times` in a row, from position `from`. Not nested. */
  readonly repeats: readonly { readonly from: number; readonly period: number; readonly times: number }[];
}

export type CutPlacement = 'edge' | 'cloud' | 'split';

/** Where a model can be cut, and what that would take on the link that was asked about. Times are of one frame. */
export interface CutRow {
  readonly placement: CutPlacement;
  /** All that crosses, model inputs among it; empty on the edge. */
  readonly crossing: readonly string[];
  /** In which the crossing is least in time; `none` on the edge. */
  readonly codec: string;
  /** What the codec costs of the task's metric, in points; 0 for none, null where nobody knows. */
  readonly lossPoints: number | null;
  /** Nodes before the cut. */
  readonly headNodes: number;
  /** Of the crossing, raw, in bytes, and as it is sent. */
  readonly rawBytes: number;
  readonly uplinkBytes: number;
  readonly headMs: number;
  readonly encodeMs: number;
  readonly uplinkMs: number;
  /** The link's round trip, session and gateway. */
  readonly roundTripMs: number;
  readonly decodeMs: number;
  readonly tailMs: number;
  readonly downlinkMs: number;
  /** The sum of the seven. */
  readonly latencyMs: number;
  readonly p99Ms: number;
  /** Whether times come from sessions that ran, or from sums of nodes. */
  readonly source: { readonly edge: CutSource; readonly cloud: CutSource };
  /** The pair of operators that the runtime would fuse across it, such as `Conv and Relu`; null for a clean cut. */
  readonly fusion: string | null;
  /** The route of the station's chain that is this cut; null where the station cannot switch to it. */
  readonly route: string | null;
}

export type CutSource = 'measured' | 'nodes' | 'none';

/** What the planner says. Rows are named by their position in `rows`. */
export interface CutPlan {
  readonly uplinkBitsPerSecond: number;
  readonly downlinkBitsPerSecond: number;
  readonly roundTripMs: number;
  readonly edgeSpeed: number;
  /** In the order of the model: all in the cloud first, all on the edge last. */
  readonly rows: readonly CutRow[];
  readonly choice: number;
  readonly runnerUp: number | null;
  readonly bestOf: { readonly edge: number | null; readonly cloud: number | null; readonly split: number | null };
  /** From this value on another placement is the best; null where none keeps the limits there. */
  readonly changes: readonly {
    readonly parameter: 'uplinkBitsPerSecond' | 'roundTripMs';
    readonly direction: 'above' | 'below';
    readonly value: number;
    readonly becomes: number | null;
  }[];
  /** How far the choice may be from the best possible, in ms; 0: proven. */
  readonly gapMs: number;
  /** Nodes that a profile has no time for: they count as free. */
  readonly unpriced: number;
  /** The station's deadline, milliseconds. */
  readonly deadlineMs: number;
}

export interface CutProfile {
  readonly device: string;
  readonly processor: string;
  readonly provider: string;
  /** ISO 8601. */
  readonly date: string;
  /** The station file names it: it is not measured anew from here. */
  readonly isNamed: boolean;
  /** Measured on a device with the same processor as this one. */
  readonly isOfThisDevice: boolean;
  /** Median of the whole model. */
  readonly wholeMs: number | null;
}

/** Somewhere that frames of this station can run. */
export interface CutRoute {
  /** `edge`, `cloud`, `split`; of a chain `cut-1` and so on. */
  readonly name: string;
  readonly placement: CutPlacement;
  /** Null while only the cloud knows the model. */
  readonly crossing: readonly string[] | null;
  /** Why no frame may take it. */
  readonly refusal: RouteRefusal | null;
  /** What a frame takes there now, from input to outputs; null where nothing is known. */
  readonly ms: number | null;
  /** Standard error of `ms`; null where it was not estimated. */
  readonly errorMs: number | null;
  /** Whether frames that ran there say so, or only what is known of its parts. */
  readonly isMeasured: boolean;
  /** Frames of the last ones that ran there, and the mean of bytes that they sent. */
  readonly frames: number;
  readonly bytesUp: number | null;
}

/** Where the station's model runs, at one moment. */
export interface CutState {
  /** What the station file names as its model. */
  readonly model: 'whole' | 'split' | 'chain';
  readonly hasCloud: boolean;
  readonly routes: readonly CutRoute[];
  /** Where frames go now; null before the first. */
  readonly route: string | null;
  /** A person's choice; null where the station chooses, or has but one way. */
  readonly pinned: string | null;
  /** As frames and pings see it; null where nothing crosses or nothing is known yet. */
  readonly uplinkBitsPerSecond: number | null;
  readonly roundTripMs: number | null;
  readonly edge: CutProfile | null;
  /** Null: the cloud is taken to be as this device. */
  readonly cloud: CutProfile | null;
  /** Why there is no what-if; null where there is. */
  readonly missing: 'model' | 'profile' | null;
  /** Whether a codec or an image format is known that loses accuracy: then it makes sense to ask how much may be lost. */
  readonly hasLossy: boolean;
  /** For the commands that are shown: the model as the station file names it, without the folders of this device. */
  readonly modelPath: string;
  /** The profile is being measured; null while it is not. */
  readonly measuring: { readonly elapsedMs: number; readonly budgetMs: number } | null;
  /** What went wrong with the last measurement; null for nothing. */
  readonly measureFault: FaultView | null;
  /** Whether {@link measuring} may be asked for: not where the station file names the profile, or the whole model is not here. */
  readonly canMeasure: boolean;
  /** Changes whenever graph or plan have to be asked for again. */
  readonly version: number;
}

/** Frames went elsewhere. */
export interface CutSwitch {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallMs: number;
  readonly from: string;
  readonly to: string;
  readonly cause: 'gain' | 'link-lost' | 'deadline' | 'refused' | 'pinned';
  /** The numbers that decided; the page words them. */
  readonly why: SwitchReason;
  readonly uplinkBitsPerSecond: number | null;
  readonly roundTripMs: number | null;
  /** What the two were expected to take. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

export interface CutHistory {
  /** Oldest first. */
  readonly switches: readonly CutSwitch[];
  /** The network and the route as time went by, oldest first. */
  readonly samples: readonly {
    readonly wallMs: number;
    readonly uplinkBitsPerSecond: number | null;
    readonly roundTripMs: number | null;
    readonly route: string | null;
  }[];
}
