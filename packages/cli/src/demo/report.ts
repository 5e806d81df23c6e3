// What a run of the demo found out: the one shape that the verdict, the text and the page are made from.

/** Where a span of time was spent. */
export type SpanPlace = 'edge' | 'link' | 'cloud';

/** One step of a frame's way, in order. */
export interface DemoSpan {
  /** Short, for people: `encode PNG`, `uplink`, `run tail`. */
  readonly name: string;
  readonly place: SpanPlace;
  readonly medianMs: number;
}

/** One placement, measured. */
export interface DemoRow {
  /** For people: `edge only`, `cloud, JPEG 90`, `split at relu_7`. */
  readonly label: string;
  readonly placement: 'edge' | 'cloud' | 'split';
  /** True when the model's input is changed on its way (JPEG, WebP). */
  readonly lossy: boolean;
  /** Latency of a frame from pixels to outputs at the edge. Ignored when no frame was measured. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytesUpPerFrame: number;
  readonly bytesDownPerFrame: number;
  /** Largest |output - output of the whole model on the same pixels| over all values and frames. */
  readonly maxAbsDifference: number;
  /** 0 when the placement could not be measured; `note` says why. */
  readonly framesMeasured: number;
  readonly spans: readonly DemoSpan[];
  readonly note?: string;
}

/** One model at all its placements, on one input. */
export interface DemoModel {
  readonly title: string;
  readonly inputShape: readonly number[];
  readonly rows: readonly DemoRow[];
}

export interface DemoLink {
  readonly uplinkBitsPerSecond: number;
  readonly downlinkBitsPerSecond: number;
  readonly roundTripMs: number;
  readonly jitterMs: number;
}

export interface DemoMachine {
  readonly processor: string;
  readonly logicalCores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** True when edge and cloud are processes of this one machine. */
  readonly cloudOnSameMachine: boolean;
}

export interface DemoPicture {
  /** `data:image/...;base64,...`; small, it is part of the page. */
  readonly dataUri: string;
  readonly width: number;
  readonly height: number;
  /** What it shows, for who cannot see it. */
  readonly description: string;
  readonly caption: string;
}

export interface DemoReport {
  /** ISO 8601. */
  readonly madeAt: string;
  readonly machine: DemoMachine;
  readonly link: DemoLink;
  readonly models: readonly DemoModel[];
  readonly picture: DemoPicture | null;
  /** How it was measured, a paragraph each. */
  readonly method: readonly string[];
  /** Name and version of everything that took part. */
  readonly versions: Readonly<Record<string, string>>;
}
