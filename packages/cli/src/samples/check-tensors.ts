// A sample set -> nothing, or how many of its tensor files do not fit the model: before anything runs on the first of them.
import { KerfError } from '@kerf/protocol';
import { PICTURE_FILE } from '../frame-input.ts';
import { type LoadOptions, loadSample } from './load-sample.ts';
import type { SampleSet } from './sample-set.ts';

/**
 * Reads the samples that are no pictures; pictures take any size, and are looked at when their turn comes.
 * @throws {KerfError} SAMPLES_UNUSABLE with the first that does not fit and the number of those that do not, INVALID_ARGUMENT.
 */
export async function checkTensorSamples(set: SampleSet, options: LoadOptions): Promise<void> {
  let first: KerfError | null = null;
  let unusable = 0;
  for (const entry of set.entries.filter(({ path }) => !PICTURE_FILE.test(path))) {
    try {
      await loadSample(set, entry, options);
    } catch (error) {
      if (!KerfError.is(error) || error.code !== 'SAMPLES_UNUSABLE') throw error;
      first ??= error;
      unusable++;
    }
  }
  if (first === null) return;
  const samples = set.entries.length;
  const count =
    unusable === samples ? `none of the ${samples} samples fits` : `${unusable} of ${samples} samples do not fit`;
  throw new KerfError('SAMPLES_UNUSABLE', `${count} the model: ${first.message}`, {
    cause: first,
    details: { samples, unusable },
  });
}
