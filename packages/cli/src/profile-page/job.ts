// What server, page and worker say to each other, as types that all of them are compiled against.
import type { DType, OptimizationLevel } from '@kerf/protocol';
import type { DimensionBindings, ProfileSide, SegmentCost } from '@kerf/splitter';

/** What the page is asked to do: `job.json` of the server. */
export interface ProfileJob {
  /** Of the device, as a person calls it; null leaves it to the browser. */
  readonly name: string | null;
  readonly model: { readonly file: string; readonly bytes: number };
  /** Served as `external/INDEX`. */
  readonly externalData: readonly { readonly location: string; readonly bytes: number }[];
  /** Real inputs, served as `input/INDEX`; the others are made up. */
  readonly inputs: readonly JobInput[];
  /** `auto`: WebGPU where it proves itself, else WASM. */
  readonly provider: BrowserProvider;
  readonly threads: number;
  readonly optimizationLevel: OptimizationLevel;
  readonly dims: DimensionBindings;
  readonly side: ProfileSide;
  readonly budgetMs: number;
}

export interface JobInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export const BROWSER_PROVIDERS = ['auto', 'webgpu', 'wasm'] as const;
export type BrowserProvider = (typeof BROWSER_PROVIDERS)[number];

/** What runs, and why it is not WebGPU where that was preferred. */
export interface ChosenProvider {
  readonly provider: 'webgpu' | 'wasm';
  /** Null when WebGPU was chosen, or not asked for. */
  readonly refusal: string | null;
}

/** A code of docs/errors.md and a sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Posted by the page as `profile`. */
export interface Delivery {
  /** A `kerf-profile/1`. */
  readonly profile: unknown;
  /** See {@link ChosenProvider.refusal}. */
  readonly refusal: string | null;
}

/** Sent by the page as `progress`, for whoever watches the command. */
export interface ProgressNote {
  readonly text: string;
}

/** The answer to an accepted profile. */
export interface Accepted {
  /** Name of the file that was written, without its folder; null where the profile was only printed. */
  readonly file: string | null;
}

/** A cut with its place in the model, and what was just measured of it. */
export interface MeasuredSegment {
  readonly tensors: readonly string[];
  /** Nodes before the cut, of `totalNodes`; null for a cut that is not listed. */
  readonly headNodes: number | null;
  readonly totalNodes: number;
  readonly side: 'head' | 'tail';
  readonly ms: SegmentCost['ms'];
}

/** What the worker tells the page. */
export type WorkerNews =
  | { readonly kind: 'loading'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: 'stage'; readonly text: string }
  | {
      readonly kind: 'provider';
      readonly chosen: ChosenProvider;
      readonly device: { readonly name: string; readonly processor: string; readonly system: string };
    }
  | { readonly kind: 'segment'; readonly segment: MeasuredSegment }
  | { readonly kind: 'done'; readonly profileText: string; readonly wholeMs: number | null }
  | ({ readonly kind: 'failed' } & Failure);
