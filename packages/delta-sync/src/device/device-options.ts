// What a device is made of, what it tells, and what can be asked of it.
import type { Clock } from '@kerf/protocol';
import type { MakeHasher } from '../hash.ts';
import type { ReleaseManifest, Side } from '../release/release-manifest.ts';
import type { RuntimeVersions } from './check-runtime.ts';
import type { DeviceStorage } from './device-disk.ts';
import type { SlotIndex } from './device-state.ts';
import type { FetchedFile } from './fetch-file.ts';
import type { GoldenReport } from './golden-check.ts';
import type { MaintenanceWindow } from './maintenance-window.ts';
import type { MirrorSet } from './mirror-set.ts';
import type { DeviceLimits } from './options.ts';
import type { ReleaseCause } from './release-cause.ts';

export interface DeviceOptions {
  readonly storage: DeviceStorage;
  readonly mirrors: MirrorSet;
  /** The model that this device runs. */
  readonly name: string;
  /** Files of which side it installs; null: all. */
  readonly side: Side | null;
  readonly versions: RuntimeVersions;
  /** What golden samples run on, such as `onnxruntime-node/cpu`. @default '' */
  readonly provider?: string;
  readonly makeHasher: MakeHasher;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClockMs: () => number;
  /** When releases may be switched; null: at any time. */
  readonly window?: MaintenanceWindow | null;
  /** The only version that this device installs; null: whatever is newest. */
  readonly pinned?: string | null;
  readonly limits?: Partial<DeviceLimits>;
  /** Runs the golden samples on this device's provider; without it, a release with golden samples is refused. */
  readonly golden?: (
    slot: SlotIndex,
    manifest: ReleaseManifest,
    signal: AbortSignal | undefined,
  ) => Promise<GoldenReport | null>;
  /** Pairs whose tails the cloud serves now; null when this device needs no cloud, or it cannot say. */
  readonly cloudPairs?: () => Promise<readonly string[] | null>;
  readonly onEvent?: (event: DeviceEvent) => void;
  /** Bytes that have just come over the line. */
  readonly onBytes?: (fetched: number) => void;
}

/** What happens, for logs and for the registry. */
export type DeviceEvent =
  | { readonly kind: 'checked'; readonly newest: string | null }
  | { readonly kind: 'fetched'; readonly file: FetchedFile }
  | { readonly kind: 'staged'; readonly version: string; readonly fetchedBytes: number }
  | { readonly kind: 'golden'; readonly report: GoldenReport }
  | { readonly kind: 'switched'; readonly version: string }
  | { readonly kind: 'confirmed'; readonly version: string }
  | {
      readonly kind: 'rolledBack';
      readonly version: string | null;
      readonly reason: string;
      /** Where no person said why. */
      readonly cause?: ReleaseCause;
    };

/** A whole release in the slot that does not run. */
export interface Staged {
  readonly slot: SlotIndex;
  /** Hex SHA-256 of the manifest. */
  readonly id: string;
  readonly manifest: ReleaseManifest;
}

export interface UpdateOptions {
  /** This version, also one below the newest; null: the newest. A version below the floor needs `allowOlder`. */
  readonly version?: string | null;
  readonly allowOlder?: boolean;
  readonly signal?: AbortSignal;
}

/** `current`: nothing newer. `waiting`: staged, and the maintenance window is closed. `switched`: on probation from now on. */
export type UpdateOutcome = 'current' | 'waiting' | 'switched';
