// What the Inspector shows, as plain data: the service fills it in, the screens draw it.
import type { ResultRecord, StageName, Verdict } from '@kerf/edge-runtime';
import type { ErrorCode } from '@kerf/protocol';
import type { CauseView } from './cause-view.ts';

/** What a user may do; each role may do what those before it may. */
export const ROLES = ['viewer', 'operator', 'engineer'] as const;
export type Role = (typeof ROLES)[number];

export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

export interface Hello {
  /** Of the station's software. */
  readonly version: string;
  readonly station: string;
  readonly role: Role;
  /** The device's clock at the answer, milliseconds since 1970-01-01 UTC. */
  readonly wallMs: number;
}

/** A clock of the station that nobody sets. */
export interface ClockView {
  /** Milliseconds since some moment; what it was at the answer. */
  readonly stationMs: number;
}

export interface StageView {
  readonly name: StageName;
  readonly waiting: number;
  readonly done: number;
  readonly dropped: number;
}

/** The line at one moment. */
export interface StationView {
  readonly state: 'ready' | 'running' | 'paused' | 'draining' | 'stopped';
  readonly wallMs: number;
  readonly uptimeMs: number;
  readonly source: {
    readonly name: string;
    readonly state: 'starting' | 'running' | 'lost' | 'ended' | 'stopped';
    readonly reason: {
      readonly code: ErrorCode;
      readonly message: string;
      /** Absent where somebody else's words are all there is. */
      readonly cause?: CauseView | null;
    } | null;
    readonly seen: number;
    readonly captured: number;
    readonly dropped: number;
    readonly late: number;
    readonly repeated: number;
    readonly unreadable: number;
    readonly recoveries: number;
  };
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Verdicts that a better answer may still replace. */
  readonly provisional: number;
  readonly stages: readonly StageView[];
  /** Parts of the last seconds. */
  readonly partsPerSecond: number;
  /** From picture to verdict; null before the first. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly link: {
    readonly state: 'connected' | 'away' | 'none';
    /** Why it is away, as far as anybody knows yet. */
    readonly code: ErrorCode | null;
    /** Where it is known as a kind; absent from an older station. */
    readonly cause?: CauseView | null;
  };
  readonly route: string | null;
  readonly provider: string | null;
  /** Of the last seconds. */
  readonly bytesUpPerPart: number | null;
  readonly pictureBytesPerPart: number | null;
  readonly delivery: DeliveryView;
  readonly release: string;
  readonly thresholdsVersion: string;
}

/** Whether results leave the station. */
export interface DeliveryView {
  /** Results that the slowest sink has not taken yet. */
  readonly waiting: number;
  /** Of the device, which keeps them until they are taken. */
  readonly disk: 'ok' | 'full' | 'failed';
  /** There is no room for more: the line waits. */
  readonly isHeld: boolean;
  /** Times since the start that a sink which keeps pictures got a result without; absent from an older station. */
  readonly missedPictures?: number;
  /** Results since the start that were given up for want of room, so that some sink never gets them; absent from an older station. */
  readonly givenUp?: number;
  /** Sinks that do not take their next one, and why. */
  readonly blocked: readonly {
    readonly sink: string;
    readonly code: ErrorCode;
    /** Where it is known as a kind; absent from an older station. */
    readonly cause?: CauseView | null;
  }[];
}

/** The picture of a part and what the model marked in it. */
export interface PictureView {
  readonly format: 'png' | 'jpeg' | 'webp';
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Pixels of the longer side that are left for a thin link; absent where it is as the station has it. */
  readonly reducedTo?: number;
}

/** A part as it was judged just now; the picture is left out where the reader is slow. */
export interface LiveView {
  readonly record: ResultRecord;
  readonly picture: PictureView | null;
  /** When the line got the part, by the clock of `session.clock`. */
  readonly takenMs: number;
}

export interface ThresholdsView {
  readonly version: string;
  readonly passBelow: number;
  readonly ngAbove: number;
  /** Whether the station file can be changed from here. */
  readonly isEditable: boolean;
}

/** A score for the histogram: those of recent parts, newest last, and of all parts that have a label. */
export interface ScoreView {
  readonly resultId: string;
  readonly score: number;
  readonly verdict: Verdict;
  /** False for a part that is here for its label alone. */
  readonly isRecent: boolean;
  /** What a person said; null where nobody has. */
  readonly isDefective: boolean | null;
}

/** `count` of `of`, and where the true share lies with 95 % confidence (Wilson's interval). */
export interface RateView {
  readonly count: number;
  readonly of: number;
  /** 0 to 1; null of none. */
  readonly share: number | null;
  readonly interval: { readonly low: number; readonly high: number };
}

/** What thresholds would do to labelled parts; as `kerf evaluate` says it. */
export interface RatesView {
  /** Defective parts that would pass. */
  readonly escape: RateView;
  /** Good parts that would be NG. */
  readonly overkill: RateView;
  /** Good parts that would be NG or REVIEW. */
  readonly goodNotPassed: RateView;
  /** Parts that someone would look at. */
  readonly review: RateView;
}

export interface ThresholdsPreview {
  /** Parts looked at, and how many of them another verdict would have had. */
  readonly of: number;
  readonly changed: number;
  readonly transitions: readonly { readonly from: Verdict; readonly to: Verdict; readonly count: number }[];
  /**
   * Of the parts with a label that the running model judged: all of them, which are harder than parts are, and those that
   * were drawn by chance, which stand for all. Null where no such part has a label.
   */
  readonly labelled: { readonly all: RatesView; readonly random: RatesView } | null;
}

export interface ThresholdsChange {
  readonly version: string;
  readonly passBelow: number;
  readonly ngAbove: number;
  readonly at: string;
  readonly by: string;
  readonly note: string;
}

export interface HealthView {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly processBytes: number;
  readonly uptimeMs: number;
  readonly loadAverage: number | null;
  /** Where the device tells it. */
  readonly temperatureCelsius: number | null;
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  readonly provider: string | null;
}
