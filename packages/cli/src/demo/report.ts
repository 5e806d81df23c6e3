// What a run of the demo found out: the one shape that the verdict, the text and the page are made from.
import type { PartVerdict } from '@kerf/splitter';

/** Where a span of time was spent. */
export type SpanPlace = 'edge' | 'link' | 'cloud';

/** One step of a frame's way, in order. */
export interface DemoSpan {
  /** Short, for people: `encode PNG`, `uplink`, `run tail`. */
  readonly name: string;
  readonly place: SpanPlace;
  readonly medianMs: number;
}

/** One placement, measured on one link. */
export interface DemoRow {
  /** For people: `edge only`, `cloud, JPEG 90`, `split, levels 18`. */
  readonly label: string;
  readonly placement: 'edge' | 'cloud' | 'split';
  /** True when what crosses loses something: a picture as JPEG, or an activation in few levels. */
  readonly lossy: boolean;
  /** Latency of a frame from pixels to outputs at the edge. Ignored when no frame was measured. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytesUpPerFrame: number;
  readonly bytesDownPerFrame: number;
  /** Largest difference of a probability (a pixel of the mask, or the score) from the whole model's, over all parts. */
  readonly maxAbsDifference: number;
  /** Parts that get the verdict which the whole model gives them; null without thresholds. */
  readonly sameVerdicts: number | null;
  /** Parts that were answered. */
  readonly parts: number;
  /** Of defective pixels, in percent, against the truth, all parts together; null where the truth is not known. */
  readonly pixelIou: number | null;
  /** 0 when the placement could not be measured; `note` says why. */
  readonly framesMeasured: number;
  readonly spans: readonly DemoSpan[];
  readonly note?: string;
}

export interface DemoLink {
  readonly uplinkBitsPerSecond: number;
  readonly downlinkBitsPerSecond: number;
  readonly roundTripMs: number;
  readonly jitterMs: number;
}

/** All placements of a model over one link. */
export interface DemoRun {
  readonly link: DemoLink;
  readonly rows: readonly DemoRow[];
}

/** The codec at the cut, as calibration measured it on other parts. */
export interface DemoCodec {
  readonly label: string;
  /** Tensors of the cut. */
  readonly cut: readonly string[];
  readonly bitsPerValue: number;
  /** Such as `0.49 points of pixel IoU (95 %: -0.24 to 1.25, 100 samples)`. */
  readonly loss: string;
}

/** An answer to one part. */
export interface DemoAnswer {
  readonly score: number;
  /** Null where the model has no thresholds. */
  readonly verdict: PartVerdict | null;
  /** The part with the pixels that the mask calls defective. */
  readonly picture: DemoPicture;
}

export interface DemoPart {
  /** What is true of it: `good`, `scratch`; empty where nobody knows. */
  readonly truth: string;
  /** The part with its true defect outlined. */
  readonly picture: DemoPicture;
  readonly whole: DemoAnswer;
  /** Null where the split with the codec gave none. */
  readonly split: DemoAnswer | null;
}

/** One model at all its placements. */
export interface DemoModel {
  readonly title: string;
  readonly inputShape: readonly number[];
  readonly codec: DemoCodec;
  readonly parts: readonly DemoPart[];
  readonly runs: readonly DemoRun[];
}

export interface DemoMachine {
  readonly processor: string;
  readonly logicalCores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** What the edge and the cloud run in, for people. */
  readonly edge: string;
  readonly cloud: string;
}

export interface DemoPicture {
  /** `data:image/...;base64,...`; small, it is part of the page. */
  readonly dataUri: string;
  readonly width: number;
  readonly height: number;
  /** What it shows, for who cannot see it. */
  readonly description: string;
}

export interface DemoReport {
  /** ISO 8601. */
  readonly madeAt: string;
  readonly machine: DemoMachine;
  readonly models: readonly DemoModel[];
  /** How it was measured, a paragraph each. */
  readonly method: readonly string[];
  /** Name and version of everything that took part. */
  readonly versions: Readonly<Record<string, string>>;
}
