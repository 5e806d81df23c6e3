// What Health measures when it is asked to, as plain data.
import type { FaultView } from './fault-view.ts';

/** The link to the cloud, measured with probes of the protocol. */
export interface LinkView {
  readonly uplinkBitsPerSecond: number;
  readonly downlinkBitsPerSecond: number;
  readonly roundTripMs: number;
  /** 99th percentile of the round trip less its median. */
  readonly jitterMs: number;
}

/** One model file, run on the station's provider and on the CPU with the same made-up input. */
export interface SelfTestView {
  readonly file: string;
  readonly provider: string;
  /** Of one run, after the first. */
  readonly providerMs: number;
  readonly cpuMs: number;
  /** Of a value; infinite where the outputs have other shapes. */
  readonly maxAbsDifference: number | null;
  readonly isBitEqual: boolean;
  /** Within a thousandth of each value, and 1e-4. */
  readonly isEqual: boolean;
}

/** One change that somebody made at this station. */
export interface AuditEntryView {
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** JSON. */
  readonly detail: string;
  readonly hash: string;
}

export interface AuditView {
  /** Newest first. */
  readonly entries: readonly AuditEntryView[];
  readonly total: number;
  /** The first entry that does not hold, and what is wrong with it; null where every entry covers the one before it. */
  readonly broken: ({ readonly entry: number } & FaultView) | null;
}

/** What a helper far away needs, as it would be saved: nothing is added later. */
export interface BundleView {
  readonly fileName: string;
  /** JSON. */
  readonly text: string;
  /** Values that were left out because they may be secret. */
  readonly hidden: number;
}
