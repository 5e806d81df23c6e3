// What the demo measures: plain data, so that it crosses to the edge's process.
import type { ImagePixels } from '@kerf/protocol';
import type { Rectangle } from '../picture.ts';

/** How one frame gets its verdict. */
export type DemoPlacement =
  | { readonly kind: 'edge' }
  | { readonly kind: 'cloud'; readonly format: 'png' | 'jpeg' | 'webp' }
  /** Folder with split.json; `id` in the cloud. */
  | { readonly kind: 'split'; readonly folder: string; readonly id: string };

export interface DemoCase {
  readonly label: string;
  readonly lossy: boolean;
  /** Of the activations that a split sends; 0 for the others. */
  readonly activationBytes: number;
  readonly placement: DemoPlacement;
}

/** One model of the demo, with what it is shown. */
export interface DemoSubject {
  readonly title: string;
  /** Model id of the whole model in the cloud. */
  readonly id: string;
  readonly modelPath: string;
  /** The model's only input. */
  readonly input: string;
  readonly width: number;
  readonly height: number;
  /** Part of the picture; null for all of it. */
  readonly crop: Rectangle | null;
  readonly pixels: ImagePixels;
  readonly cases: readonly DemoCase[];
}

/** What the parent sends to the edge's process. */
export interface DemoEdgeJob {
  readonly picturePath: string;
  readonly url: string;
  readonly caPath: string;
  readonly token: string;
  readonly uplinkBitsPerSecond: number;
  readonly framesPerCase: number;
  /** No further frame of a case begins after this long. */
  readonly caseBudgetMs: number;
  readonly subjects: readonly DemoSubject[];
}
