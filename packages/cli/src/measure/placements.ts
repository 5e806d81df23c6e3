// What is measured and what comes of it: plain data, so that it crosses to the edge's process.
import type { NodeBackendSpec } from '@kerf/edge-runtime/node';
import type { ImagePixels, RgbImage, SplitCodec, TensorMap } from '@kerf/protocol';

/** An image format as a picture is sent in; WebP without a quality is lossless. */
export type PictureCoding =
  | { readonly format: 'png' }
  /** `quality` is 1 to 100. */
  | { readonly format: 'jpeg'; readonly quality: number }
  | { readonly format: 'webp'; readonly quality: number | null };

/** Where a frame runs and what crosses. */
export type Placement =
  | { readonly kind: 'edge' }
  | { readonly kind: 'cloud'; readonly as: 'raw' | 'lossless' | PictureCoding }
  | SplitPlacement;

/** Model inputs that the tail needs follow from the other tensors and may be left out. */
export interface SplitPlacement {
  readonly kind: 'split';
  readonly tensors: readonly string[];
  /** @default raw */
  readonly codec?: SplitCodec;
  /** Folder of the calibrated split whose level tables the codec names. */
  readonly tablesFrom?: string;
}

/** What a frame shows the model. */
export interface FrameSource {
  /** All inputs of the model by name. */
  readonly tensors: TensorMap;
  /** The picture that the model's only input is made of; null: nothing can be sent as an image. */
  readonly picture: {
    readonly image: RgbImage;
    readonly pixels: ImagePixels;
    readonly dtype: 'float32' | 'uint8';
  } | null;
}

/** The runtime that is the edge. */
export interface EdgeRuntime extends NodeBackendSpec {
  /** Threads within one operator; null leaves it to the backend. */
  readonly threads: number | null;
}

/** A link to measure over; the shaper enforces it. */
export interface MeasuredLink {
  readonly uplinkBitsPerSecond: number;
  readonly downlinkBitsPerSecond: number;
  readonly roundTripMs: number;
  /** Each way takes up to this much longer. */
  readonly jitterMs: number;
}

/** A placement to measure, under a name that is unique among those measured together. */
export interface Contender {
  readonly label: string;
  readonly placement: Placement;
  /** Bytes that a frame certainly sends and gets back: no frame is faster than the link carries them. 0 when unknown. */
  readonly uplinkBytes: number;
  readonly downlinkBytes: number;
}

/** No placement is given up for what another takes. */
export const NEVER_HOPELESS = 1e12;

/** How long and how often. */
export interface MeasureLimits {
  /** Frames of a placement, at most; the warm-up is not among them. */
  readonly frames: number;
  readonly warmUpFrames: number;
  /** No further round begins after this. Every placement that is tried has one frame. */
  readonly budgetMs: number;
  /**
   * A placement whose fastest frame took this many times the best median is not run again. {@link NEVER_HOPELESS} where
   * one machine stands in for another, so that latencies here do not say which placement is the best there.
   */
  readonly hopelessRatio: number;
}

/** Medians of where a frame's time went, by the edge's clock. The cloud's three are parts of `cloudMs`. */
export interface FrameParts {
  /** Pixels to an encoded image; 0 for tensors. */
  readonly prepareMs: number;
  readonly queueMs: number;
  readonly headMs: number;
  readonly localMs: number;
  readonly encodeMs: number;
  readonly networkMs: number;
  readonly cloudMs: number;
  readonly cloudQueueMs: number;
  readonly cloudDecodeMs: number;
  readonly cloudComputeMs: number;
  readonly decodeMs: number;
}

/** What a placement was measured at. Without a frame, `note` says why. */
export interface MeasuredRow {
  readonly label: string;
  /** NaN without a frame. */
  readonly p50Ms: number;
  /** Nearest rank: of fewer than 100 frames the slowest. NaN without a frame. */
  readonly p99Ms: number;
  /** In the order of the rounds. */
  readonly latenciesMs: readonly number[];
  readonly bytesUpPerFrame: number;
  readonly bytesDownPerFrame: number;
  /** Largest difference of any output value from the whole model run on the edge; null where that cannot run there. */
  readonly maxAbsDifference: number | null;
  readonly parts: FrameParts | null;
  /** Outputs of the model by place of the source, where they were asked for; null where none was seen. */
  readonly outputs?: readonly (TensorMap | null)[];
  /** Why it has no frame, or fewer than the others. */
  readonly note: string | null;
}
