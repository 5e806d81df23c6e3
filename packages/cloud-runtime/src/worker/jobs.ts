// What gateway and worker say to each other, as plain data; bytes travel beside it as the body of the message.
import type { CloudSpans, DType, ErrorCode, OptimizationLevel, PayloadCodec, TensorSpec } from '@kerf/protocol';

/** A file and what it must hash to. */
export interface HashedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface LoadRequest {
  readonly type: 'load';
  readonly path: string;
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
 * `single`: one frame. `batch`: frames stacked along axis 0 and run at once. `trial`: run one by one, answered from that,
 * and stacked as well, to learn whether stacking gives the same.
 */
export type RunMode = 'single' | 'batch' | 'trial';

export interface RunRequest {
  readonly type: 'run';
  readonly job: number;
  readonly mode: RunMode;
  /** Largest difference at which a trial agrees. */
  readonly tolerance: number;
  /**
   * Inputs of each frame, in one order for all. The body holds the first input of every frame, then the second of every
   * frame, and so on, each group starting at a multiple of {@link GROUP_ALIGNMENT}: a batch is one view of it.
   */
  readonly frames: readonly (readonly TensorHeader[])[];
  /** For each frame, whether its outputs may come back coded. */
  readonly losslessAnswers: readonly boolean[];
}

/** As the wire's payloads, so that a result can be sent from where it was received. */
export const GROUP_ALIGNMENT = 16;
export const ZEROS = new Uint8Array(GROUP_ALIGNMENT);

export function paddingAfter(bytes: number): number {
  return (GROUP_ALIGNMENT - (bytes % GROUP_ALIGNMENT)) % GROUP_ALIGNMENT;
}

export type GatewayMessage = LoadRequest | RunRequest;

export interface WorkerFault {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface LoadedReply {
  readonly type: 'loaded';
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly provider: string;
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
}

/** What a trial showed. */
export interface TrialResult {
  /** Whether stacking gave the same; null when it proves nothing, since all frames were alike. */
  readonly agrees: boolean | null;
  /** All frames one by one. */
  readonly singleMs: number;
  /** The same frames stacked, once warm. */
  readonly stackedMs: number;
}

export type WorkerMessage = LoadedReply | LoadFailedReply | RanReply;
