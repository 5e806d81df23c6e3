// A release in a slot -> what its golden samples give on this device, whatever its model does to the process that runs it.
import { type GoldenReport, goldenFailed, type ReleaseManifest } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { startTrial } from './trial-process.ts';

/** For loading the model, and again for each sample: a large one on a slow device takes its time. */
const PATIENCE_MS = 300_000;

export interface GoldenTrial {
  /** The slot that holds the release. */
  readonly folder: string;
  readonly manifest: ReleaseManifest;
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number;
}

/** @throws {KerfError} GOLDEN_FAILED, also for a model that crashes or hangs; CANCELLED; what loading and running throw. */
export async function askGolden({
  folder,
  manifest,
  signal,
  patienceMs = PATIENCE_MS,
}: GoldenTrial): Promise<GoldenReport | null> {
  if (manifest.golden === null) return null;
  const trial = startTrial();
  try {
    const options = signal === undefined ? { patienceMs } : { patienceMs, signal };
    return await trial.ask({ kind: 'golden', folder, manifest }, options);
  } catch (error) {
    if (!KerfError.is(error) || error.code !== 'WORKER_LOST') throw error;
    throw goldenFailed({ kind: 'golden-crashed', ending: error.message }, { cause: error });
  } finally {
    await trial.close();
  }
}
