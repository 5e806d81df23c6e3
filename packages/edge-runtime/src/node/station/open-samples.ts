// The `samples` group of a station file and the station that runs -> what keeps parts for labelling.
import { resolve } from 'node:path';
import { problem } from '../../config/shape.ts';
import type { SamplesConfig } from '../../samples/sample-config.ts';
import { type SampleLabel, sampleLabels } from '../../samples/sample-labels.ts';
import type { Station } from '../../station/station.ts';
import { openHead } from '../look/open-head.ts';
import { type SampleCounters, SampleKeeper } from '../samples/sample-keeper.ts';
import { SampleStore } from '../samples/sample-store.ts';
import type { StationFile } from './read-station-file.ts';

export interface StationSamples {
  readonly config: SamplesConfig;
  readonly labels: readonly SampleLabel[];
  readonly store: SampleStore;
  readonly counters: SampleCounters;
  /** Calls `listener` after each part that was kept; the returned function ends that. */
  onKept(listener: () => void): () => void;
  /** Resolves when every part judged so far is kept or left out. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param file as it is now: another model may have taken the place of the first
 * @returns null where the file keeps none.
 * @throws {KerfError} CONFIG_INVALID when the folder cannot be used.
 */
export async function openSamples(file: () => StationFile, station: Station): Promise<StationSamples | null> {
  const { config, folder } = file();
  const { samples } = config;
  if (samples === null) return null;
  const store = await SampleStore.open(resolve(folder, samples.path), samples.quota).catch((cause: unknown) => {
    throw problem('samples.path', `cannot be used as a folder: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`);
  });
  const listeners = new Set<() => void>();
  const keeper = new SampleKeeper({
    config: samples,
    store,
    thresholds: () => station.judges.main.thresholds,
    openHead: () => openHead(file().config, file().folder, station.reading),
    onKept: () => {
      for (const listener of listeners) listener();
    },
  });
  const end = station.onEvent((event) => keeper.see(event));
  return {
    config: samples,
    labels: sampleLabels(samples, config.task),
    store,
    get counters() {
      return keeper.counters;
    },
    onKept(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    idle: () => keeper.idle(),
    async close() {
      end();
      await keeper.close();
    },
  };
}
