// What the planner is asked: profiles, link, goal, constraints and codecs, all plain data.
import type { DType } from '@kerf/protocol';
import type { CodecProfile } from './codec-profile.ts';
import type { DeviceProfile, LinkProfile, ProfiledValue } from './profile.ts';

/** How any tensor may be sent, wherever it crosses. Codecs calibrated for a cut are of {@link PlanRequest.calibrated}. */
export interface PlanCodec {
  readonly name: string;
  /** Null: as it is. */
  readonly bitsPerValue: number | null;
  /** Bytes of the values that it takes, by name, instead of `bitsPerValue`; it takes no others. @default all, by `bitsPerValue` */
  readonly valueBytes?: ReadonlyMap<string, number>;
  /** dtypes it takes; null: all. A tensor of another dtype needs another codec. */
  readonly dtypes: readonly DType[] | null;
  readonly encodeMsPerMegabyte: number;
  readonly decodeMsPerMegabyte: number;
  /** Largest loss of the task's metric, in points; 0 for a lossless codec. */
  readonly maxLoss: number;
}

export const RAW_CODEC: PlanCodec = {
  name: 'raw',
  bitsPerValue: null,
  dtypes: null,
  encodeMsPerMegabyte: 0,
  decodeMsPerMegabyte: 0,
  maxLoss: 0,
};

/** A way to send the model's input as a compressed image, for a model that runs in the cloud only. */
export interface ImageInput {
  /** Such as `JPEG q90`. */
  readonly name: string;
  readonly bytes: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
  /** Null: nobody knows, so that it keeps no limit on the loss. */
  readonly maxLoss: number | null;
}

export interface PlanConstraints {
  /** Values that must not leave the edge, or nodes that must run there. */
  readonly keepOnEdge?: readonly string[];
  /** No model input may leave the edge, nor what only preprocessing inside the model makes of one (rescaled, transposed, cropped). */
  readonly noRawInput?: boolean;
  /** Weights of the head, or of the whole model when it runs on the edge. */
  readonly maxEdgeWeightsBytes?: number;
  /** On the 99th percentile of a frame's latency. */
  readonly deadlineMs?: number;
  /** On the loss of a codec or an image format, in points of the task's metric. */
  readonly maxLoss?: number;
}

export type ConstraintName = keyof PlanConstraints;

export interface PlanRequest {
  readonly edge: DeviceProfile;
  readonly cloud: DeviceProfile;
  readonly link: LinkProfile;
  /** `latency`: least median per frame. `throughput`: most frames per second with frames in flight. @default latency */
  readonly goal?: 'latency' | 'throughput';
  readonly constraints?: PlanConstraints;
  /** @default raw */
  readonly codecs?: readonly PlanCodec[];
  /** What calibration measured of codecs at cuts of this model. @default none */
  readonly calibrated?: readonly CodecProfile[];
  /** @default none */
  readonly images?: readonly ImageInput[];
  /** Time that a frame waits in the cloud before it is run. @default 0 */
  readonly waitMs?: number;
  /** Cuts inside a pair of operators that the runtime fuses may be chosen too. @default false */
  readonly allowFusedCuts?: boolean;
}

/** Bytes of a value in a codec; null when the codec does not take it. */
export function codedBytes(codec: PlanCodec, value: ProfiledValue): number | null {
  if (value.dtype === null || value.bytes === null) return null;
  if (codec.dtypes !== null && !codec.dtypes.includes(value.dtype)) return null;
  if (codec.valueBytes !== undefined) return codec.valueBytes.get(value.name) ?? null;
  if (codec.bitsPerValue === null) return value.bytes;
  if (value.shape === null) return null;
  return Math.ceil((value.shape.reduce((count, size) => count * size, 1) * codec.bitsPerValue) / 8);
}
