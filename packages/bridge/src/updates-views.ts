// What the screen Updates shows, as plain data: releases of this device, and rollouts of its fleet.
import type { Verdict } from '@kerf/edge-runtime';
import type { CauseView } from './cause-view.ts';
import type { FaultView } from './fault-view.ts';

export interface InstalledView {
  /** Hex SHA-256 of the manifest. */
  readonly id: string;
  readonly version: string;
}

export interface StagedView extends InstalledView {
  /** Why it is not run without being asked for: it was left, or failed here; null where nothing speaks against it. */
  readonly rejected: string | null;
  /** Absent from an older station. */
  readonly rejectedCause?: CauseView | null;
}

export interface ReleaseView extends InstalledView {
  readonly sequence: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly createdBy: string;
  readonly notes: string;
  readonly kind: 'model' | 'split' | 'chain' | 'files';
  /** Of all files that this device would hold. */
  readonly fullBytes: number;
  /** What would cross: deltas where there are some. What a broken-off download has left is not counted off. */
  readonly fetchBytes: number;
  readonly goldenSamples: number;
  /** Why it is not taken without being asked for: it failed here before; null where nothing speaks against it. */
  readonly rejected: string | null;
  /** Absent from an older station. */
  readonly rejectedCause?: CauseView | null;
  /** Below what this device has run. */
  readonly isOlder: boolean;
}

export interface GoldenView {
  readonly samples: number;
  /** The largest difference as a part of what is allowed: above 1 a release is refused. */
  readonly worst: number;
  readonly backend: string;
}

/** One known part, judged by the release that runs and by the one that would. */
export interface CanaryPart {
  /** Path below the folder of known parts. */
  readonly part: string;
  /** `good`, the kind of defect, or null where nobody has said. */
  readonly truth: string | null;
  readonly before: CanaryAnswer;
  readonly after: CanaryAnswer;
}

export interface CanaryAnswer {
  readonly verdict: Verdict;
  readonly score: number | null;
}

export interface CanaryView {
  readonly version: string;
  readonly against: string;
  readonly at: string;
  readonly parts: number;
  /** Of the known parts, with each release. */
  readonly before: CanaryCounts;
  readonly after: CanaryCounts;
  /** Those with another verdict, escapes first; the first hundred. */
  readonly changed: readonly CanaryPart[];
  readonly changedCount: number;
}

export interface CanaryCounts {
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Parts with a defect that passed, and good ones that did not pass, of those whose truth is known. */
  readonly escaped: number;
  readonly overkilled: number;
  readonly medianMs: number;
}

export type UpdateStep = 'look' | 'fetch' | 'canary' | 'apply' | 'rollBack';

/** What is under way; one thing at a time. */
export interface JobView {
  readonly step: UpdateStep;
  readonly version: string | null;
  /** Of `total`; null where nobody can say. Bytes for `fetch`, parts for `canary`. */
  readonly done: number;
  readonly total: number | null;
}

/** How the last thing ended. */
export interface EndedView {
  readonly step: UpdateStep;
  readonly version: string | null;
  readonly at: string;
  /** Null: well. */
  readonly fault: FaultView | null;
}

export interface HistoryView {
  readonly at: string;
  readonly kind: 'staged' | 'switched' | 'confirmed' | 'rolledBack' | 'refused';
  readonly version: string | null;
  /** Who and why, where somebody has said. */
  readonly detail: string;
  /** Why, where nobody has; absent from an older station. */
  readonly cause?: CauseView | null;
}

/** A station's own releases. */
export interface UpdatesView {
  /** Of the model, as its publisher names it. */
  readonly name: string;
  /** Addresses without secrets; of a folder of that machine its name. */
  readonly mirrors: readonly string[];
  readonly installed: InstalledView | null;
  readonly previous: InstalledView | null;
  /** Starts on probation and how many it gets; null once the release has proved itself. */
  readonly probation: { readonly starts: number; readonly most: number } | null;
  /** Whole in the other slot, and not running. */
  readonly staged: StagedView | null;
  readonly golden: GoldenView | null;
  /** Switched to as soon as the maintenance window opens. */
  readonly waiting: InstalledView | null;
  readonly settings: UpdateSettings;
  readonly isWindowOpen: boolean;
  /** How often the station looks by itself; null: only when asked. */
  readonly everyMs: number | null;
  readonly hasKnownParts: boolean;
  readonly hasRegistry: boolean;
  /** From the last look, newest first; null before the first. */
  readonly releases: readonly ReleaseView[] | null;
  readonly looked: { readonly at: string; readonly from: string | null } | null;
  readonly canary: CanaryView | null;
  readonly job: JobView | null;
  readonly ended: EndedView | null;
  readonly history: readonly HistoryView[];
}

export interface UpdateSettings {
  /** False: nothing is looked for, fetched or followed by itself. */
  readonly automatic: boolean;
  /** The only version that this device installs. */
  readonly pinned: string | null;
  /** As `22:00-05:00` or `sat,sun 08:00-12:00`, local time; null: at any time. */
  readonly window: string | null;
}

export type RolloutStatusView =
  | 'awaiting-approval'
  | 'scheduled'
  | 'running'
  | 'paused'
  | 'stopped'
  | 'rolling-back'
  | 'rolled-back'
  | 'finished'
  | 'rejected'
  | 'aborted';

export const ROLLOUT_ACTIONS = ['approve', 'reject', 'pause', 'resume', 'stop', 'roll-back', 'abort'] as const;
export type RolloutAction = (typeof ROLLOUT_ACTIONS)[number];

export interface RolloutStageView {
  /** Who belongs to it: `group:lab`, `5%`, `rest`. */
  readonly members: string;
  readonly devices: number;
  readonly offered: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Share of its devices that must succeed before the next one opens. */
  readonly successShare: number;
  readonly soakMs: number;
  readonly pauseAfter: boolean;
}

export interface RolloutView {
  readonly id: string;
  /** `surface@2.1`. */
  readonly release: string;
  readonly status: RolloutStatusView;
  readonly reason: string | null;
  /** Where the registry itself stopped or paused it; absent from an older station. */
  readonly cause?: CauseView | null;
  /** Stages 0 to here are open. */
  readonly stage: number;
  readonly stages: readonly RolloutStageView[];
  readonly errors: { readonly count: number | null; readonly share: number | null; readonly minimumEnded: number };
  readonly maxInFlight: number;
  readonly onStop: 'hold' | 'roll-back';
  readonly createdBy: string;
  readonly createdAt: string;
  readonly approvedBy: string | null;
  /** What may be done now. */
  readonly actions: readonly RolloutAction[];
}

export interface FleetDevices {
  readonly all: number;
  /** Seen within the last hour. */
  readonly seen: number;
  /** By what they have installed, most first. */
  readonly versions: readonly { readonly release: string; readonly devices: number }[];
}

export interface FleetView {
  /** The registry's address, without a secret. */
  readonly registry: string;
  readonly devices: FleetDevices;
  /** Newest first. */
  readonly rollouts: readonly RolloutView[];
}
