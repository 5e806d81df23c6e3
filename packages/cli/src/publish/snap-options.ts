// The options --snap and --max-loss -> the model as it is published: on a grid around the newest release.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { REPOSITORY_PATHS } from '@kerf/delta-sync';
import { openModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError } from '@kerf/protocol';
import { mergeSpec } from '@kerf/splitter';
import { type CommandLine, usageError } from '../command.ts';
import { taskOptions } from '../evaluate/task-options.ts';
import { pictureOptions } from '../frame-input.ts';
import { namedSamples } from '../samples/sample-options.ts';
import type { SampleSet } from '../samples/sample-set.ts';
import { openRepository } from './read-repository.ts';
import { type Snapped, snapForRelease } from './snap.ts';

export const MAX_LOSS = 0.2;

/** Null without --snap. @throws {KerfError} INVALID_ARGUMENT, RELEASE_NOT_FOUND, and what {@link snapForRelease} throws. */
export async function snappedRelease(
  line: CommandLine,
  name: string,
  folder: string,
  backend: Backend,
  signal: AbortSignal,
  onStep: (what: string) => void,
): Promise<Snapped | null> {
  const text = line.text('snap');
  if (text === undefined) return null;
  const step = text === 'auto' ? ('auto' as const) : line.number('snap', 0.5, { least: 1e-6, most: 100, whole: false });
  if (step === 'auto' && line.text('samples') === undefined) {
    throw usageError('--snap auto measures what each step loses: give --samples DIR, or a step such as 0.5');
  }
  const place = line.positional(0);
  if (!/\.onnx$/i.test(place)) throw usageError('--snap takes a model: snap it, then split it');
  const model = await openModelFile(place);
  const base = await baseOf(line, name, basename(place));
  let judge = null;
  if (line.text('samples') !== undefined) {
    const set = await samplesOf(line, place);
    judge = { set, options: await taskOptions(line, model, set), pictures: pictureOptions(line) };
  }
  const maxLoss = line.number('max-loss', MAX_LOSS, { most: 100, whole: false });
  return await snapForRelease({ model, base, step, maxLoss, judge, backend, folder, signal, onStep });
}

/** The model of the newest release of this name. */
async function baseOf(line: CommandLine, name: string, file: string): Promise<{ bytes: Uint8Array; id: string }> {
  const place = line.required('to');
  const { repository, manifest } = await openRepository(line, place);
  const release = (await repository.releases(name)).at(-1);
  if (release === undefined)
    throw new KerfError('RELEASE_NOT_FOUND', `${name} has no release yet: there is nothing to snap to`);
  const { files, version } = await manifest(release);
  const models = files.filter(({ role }) => role === 'model');
  const model = models.find((one) => one.name === file) ?? models[0];
  if (model === undefined)
    throw new KerfError('RELEASE_NOT_FOUND', `${name} ${version} is no model: there is nothing to snap to`);
  return {
    bytes: new Uint8Array(await readFile(join(place, REPOSITORY_PATHS.blob(model.sha256)))),
    id: release.sha256,
  };
}

/** Samples of the command line, as the model's inputs take them. */
export async function samplesOf(line: CommandLine, modelPath: string): Promise<SampleSet> {
  const { graph } = await openModelFile(modelPath);
  return await namedSamples(
    line,
    graph.inputs.map((input) => mergeSpec(graph, input, undefined)),
  );
}
