// What taking a profile is given: a model, a runtime, the device's description and a budget of time.
import type { ModelGraph } from '@kerf/onnx';
import type { Backend, Clock, ModelSource, OptimizationLevel, TensorMap } from '@kerf/protocol';
import type { ModelHost } from '../model-host.ts';
import type { DeviceProfile, NodeCost, SegmentCost } from '../plan/profile.ts';
import type { DimensionBindings } from '../value-types.ts';

/**
 * Times single nodes of the whole model by the runtime's own profiler, on one set of inputs.
 * @throws {KerfError} when the runtime cannot; the profile then takes differences of heads.
 */
export type NodeEvents = (source: ModelSource, inputs: TensorMap) => Promise<NodeCost[]>;

/** Which sides of cuts are run: heads for a device that will be the edge, tails for one that will be the cloud. */
export type ProfileSide = 'both' | 'edge' | 'cloud';

export interface ProfileOptions {
  readonly graph: ModelGraph;
  readonly model: DeviceProfile['model'];
  readonly backend: Backend;
  readonly host: ModelHost;
  readonly device: DeviceProfile['device'];
  /** Execution provider, such as `cpu`, `wasm` or `webgpu`. */
  readonly provider: string;
  /** Threads within one operator, as the sessions are loaded; null leaves it to the backend. */
  readonly threads: number | null;
  /** Versions by name, such as kerf and onnxruntime-node. */
  readonly versions: DeviceProfile['versions'];
  /** @default 'all' */
  readonly optimizationLevel?: OptimizationLevel;
  /** Sizes for symbolic dimensions of the inputs, by symbol. @default none */
  readonly dims?: DimensionBindings;
  /** Real inputs; the others are made up. Their shapes bind what the model leaves open. @default none */
  readonly inputs?: TensorMap;
  readonly clock: Clock;
  /** ISO 8601. */
  readonly date: string;
  /** Time to spend. The whole model and a few cuts are measured however little it is. */
  readonly budgetMs: number;
  /** @default 'both' */
  readonly side?: ProfileSide;
  /** Null where the runtime has no profiler, as in a browser. */
  readonly nodeEvents: NodeEvents | null;
  /** Told, for people, what is being done. */
  readonly onProgress?: (text: string) => void;
  /** Told of each head and tail as soon as it was measured. The profile may scale it by what the whole took later. */
  readonly onSegment?: (segment: SegmentCost) => void;
}
