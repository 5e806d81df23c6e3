// What the edge's process and its parent tell each other; it crosses by structured clone.
import type { CloudAccess } from './frames.ts';
import type { EdgeRuntime, FrameSource, MeasuredRow, MeasureLimits, PictureCoding } from './placements.ts';

/** A placement as the edge finds it: the files are made. */
export type EdgePlacement =
  | { readonly kind: 'edge' }
  | { readonly kind: 'cloud'; readonly as: 'raw' | 'lossless' | PictureCoding }
  /** `id` in the cloud, folder of split.json here. */
  | { readonly kind: 'split'; readonly id: string; readonly folder: string };

export interface EdgeContender {
  readonly label: string;
  readonly placement: EdgePlacement;
  /** What the link takes for its bytes, round trip included. */
  readonly floorMs: number;
}

export type ToEdge =
  | {
      readonly kind: 'setup';
      readonly modelPath: string;
      /** Of the whole model in the cloud. */
      readonly modelId: string;
      readonly runtime: EdgeRuntime;
      /** Shown in turn. */
      readonly sources: readonly FrameSource[];
      readonly keepOutputs: boolean;
    }
  | {
      readonly kind: 'measure';
      readonly cloud: CloudAccess;
      readonly contenders: readonly EdgeContender[];
      readonly limits: MeasureLimits;
    };

export type FromEdge =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'rows'; readonly rows: readonly MeasuredRow[] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
