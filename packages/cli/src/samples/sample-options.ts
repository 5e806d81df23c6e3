// The command line's options on samples -> the samples that are meant, chosen and not yet read.
import type { TensorSpec } from '@kerf/protocol';
import type { TaskKind } from '@kerf/splitter';
import type { CommandLine, OptionSpec } from '../command.ts';
import { chooseSamples } from './choose-samples.ts';
import { findSamples } from './find-samples.ts';
import type { SampleSet } from './sample-set.ts';

const TASKS = ['defect', 'class', 'text', 'none'] as const satisfies readonly TaskKind[];

/** Options of every command that takes samples; PICTURE_OPTIONS belong with them. */
export const SAMPLE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  samples: {
    type: 'string',
    value: 'DIR',
    help: 'samples: good/ and KIND/, class folders, labels.tsv, or plain files',
  },
  task: {
    type: 'string',
    value: 'TASK',
    help: `labels to go by: ${TASKS.join(', ')} (default: what the folder shows)`,
  },
  limit: { type: 'string', value: 'N', help: 'take at most N samples, chosen by chance, shares of classes kept' },
  seed: { type: 'string', value: 'S', help: 'seed of that choice (default 1)' },
};

/**
 * The samples that `--samples`, `--task`, `--limit` and `--seed` name.
 * @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND, SAMPLES_UNUSABLE.
 */
export async function namedSamples(
  line: CommandLine,
  specs: readonly TensorSpec[],
  { defaultLimit = Number.MAX_SAFE_INTEGER }: { readonly defaultLimit?: number } = {},
): Promise<SampleSet> {
  const folder = line.required('samples');
  const task = line.text('task') === undefined ? undefined : line.choice('task', TASKS, 'none');
  const limit = line.number('limit', defaultLimit, { least: 1 });
  const seed = line.number('seed', 1, { most: 2 ** 32 - 1 });
  const set = await findSamples(folder, { inputNames: specs.map(({ name }) => name), task });
  return chooseSamples(set, limit, seed);
}
