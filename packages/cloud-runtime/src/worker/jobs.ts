// What gateway and worker say to each other, as plain data; bytes travel beside it as the body of the message.
import type { CloudSpans, DType, ErrorCode, OptimizationLevel, PayloadCodec, TensorSpec } from '@kerf/protocol';

/** A file and what it must hash to. */
export interface HashedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What a session that enters before some segment sends and gets, by name. */
export interface EntryNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface EntrySpecs {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface LoadRequest {
  readonly type: 'load';
  /** ONNX files in the order of a frame: one, or the segments of a chain. */
  readonly paths: readonly string[];
  /** By the segment that a frame enters at; null for a single model, which is entered as it says itself. */
  readonly entries: readonly EntryNames[] | null;
  /** What a whole model without a manifest was when it was loaded first: another one is refused. Null at first, and with a manifest. */
  readonly identity: string | null;
  /** Checked before the runtime sees the model; empty for a model without a manifest. */
  readonly files: readonly HashedFile[];
  readonly providers: readonly string[];
  readonly threads: number;
  readonly optimizationLevel: OptimizationLevel;
  readonly maxDecodedImageBytes: number;
  /** Bytes of a tensor that a coded payload is decoded into. */
  readonly maxDecodedBytes: number;
  /** Level tables that payloads may be coded with, checked as the files are. */
  readonly tables: readonly HashedFile[];
  /** Samples that a provider has to get right; null where the release has none. */
  readonly golden: HashedFile | null;
  readonly warmUp: WarmUpRequest;
}

/** A provider that was asked for and does not serve the model. */
export interface DemotedProvider {
  readonly provider: string;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Runs before the first frame, so that none pays for kernels, plans and memory that a batch of its size needs. */
export interface WarmUpRequest {
  /** Largest batch. */
  readonly maxRows: number;
  /** No further run begins after this; 0: none at all. */
  readonly budgetMs: number;
}

export interface WarmUpReply {
  readonly runs: number;
  readonly ms: number;
  /** Runs that the budget did not allow. */
  readonly left: number;
}

/** One tensor of the body: dtype and shape are those of the tensor, the bytes those of its payload. */
export interface TensorHeader {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly codec: PayloadCodec;
  readonly byteLength: number;
}

/**
 * `single`: frames one by one. `batch`: frames stacked along axis 0 where the plan says so. `trial`: run one by one,
 * answered from that, and stacked as well, to learn whether stacking gives the same.
 */
export type RunMode = 'single' | 'batch' | 'trial';

/**
 * For each segment the groups of frames, by their place in the job, that run at once there. Frames that no group names run
 * one by one; groups hold only frames that have entered.
 */
export type StackPlan = readonly (readonly (readonly number[])[])[];

/** The group that a trial is about. */
export interface TrialGroup {
  readonly segment: number;
  readonly frames: readonly number[];
}

export interface RunRequest {
  readonly type: 'run';
  readonly job: number;
  readonly mode: RunMode;
  /** Largest difference at which a trial agrees. */
  readonly tolerance: number;
  /**
   * Frames that enter at the same segment have the same inputs in the same order. For each segment that frames enter at, in
   * order, the body holds the first input of every such frame, then the second of every one, and so on, each group starting
   * at a multiple of {@link GROUP_ALIGNMENT}: a batch is one view of it.
   */
  readonly frames: readonly JobFrame[];
  readonly stacks: StackPlan;
  /** Null unless the mode is `trial`. */
  readonly trial: TrialGroup | null;
}

export interface JobFrame {
  /** The segment that it enters at. */
  readonly entry: number;
  readonly inputs: readonly TensorHeader[];
  /** Whether its outputs may come back coded. */
  readonly losslessAnswer: boolean;
}

/** As the wire's payloads, so that a result can be sent from where it was received. */
export const GROUP_ALIGNMENT = 16;
export const ZEROS = new Uint8Array(GROUP_ALIGNMENT);

export function paddingAfter(bytes: number): number {
  return (GROUP_ALIGNMENT - (bytes % GROUP_ALIGNMENT)) % GROUP_ALIGNMENT;
}

/** Places of the frames that enter at the same segment, the first segment first. */
export function groupsByEntry(frames: readonly { readonly entry: number }[]): number[][] {
  const groups = new Map<number, number[]>();
  for (const [index, { entry }] of frames.entries()) {
    const group = groups.get(entry);
    if (group === undefined) groups.set(entry, [index]);
    else group.push(index);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

export type GatewayMessage = LoadRequest | RunRequest;

export interface WorkerFault {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface LoadedReply {
  readonly type: 'loaded';
  /** What names a whole model without a manifest; null for others. */
  readonly identity: string | null;
  /** What the runtime says of each segment. */
  readonly segments: readonly EntrySpecs[];
  /** By the segment that a frame enters at. */
  readonly entries: readonly EntrySpecs[];
  readonly provider: string;
  readonly demoted: readonly DemotedProvider[];
  readonly warmUp: WarmUpReply;
}

export interface LoadFailedReply {
  readonly type: 'load-failed';
  readonly fault: WorkerFault;
}

/** Outputs of one frame, in the body in this order, each padded to {@link GROUP_ALIGNMENT}; or what went wrong with it. */
export type FrameReply =
  | { readonly outputs: readonly TensorHeader[]; readonly fault: null }
  | { readonly outputs: null; readonly fault: WorkerFault };

export interface RanReply {
  readonly type: 'ran';
  readonly job: number;
  readonly frames: readonly FrameReply[];
  readonly decodeMs: CloudSpans['decodeMs'];
  readonly computeMs: CloudSpans['computeMs'];
  /** Null when the job was no trial. */
  readonly trial: TrialResult | null;
  /** Resident memory of the process; null where it was looked at shortly before. */
  readonly rssBytes: number | null;
}

/** What a trial showed. */
export interface TrialResult {
  /** Whether stacking gave the same; null when it proves nothing, since all frames were alike. */
  readonly agrees: boolean | null;
  /** The frames of the group one by one, in its segment. */
  readonly singleMs: number;
  /** The same frames stacked, once warm. */
  readonly stackedMs: number;
}

export type WorkerMessage = LoadedReply | LoadFailedReply | RanReply;
