// A folder in one of the usual layouts -> the samples in it with their labels; no picture is read.
import { existsSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { KerfError } from '@kerf/protocol';
import type { Label, TaskKind } from '@kerf/splitter';
import { type LabelFile, readLabelFile } from './label-file.ts';
import { isSampleFile, listFolder } from './list-folder.ts';
import { GOOD, type SampleEntry, type SampleSet } from './sample-set.ts';

export interface FindOptions {
  /** Names of the model's inputs: a folder with a tensor file for each is one sample. */
  readonly inputNames: readonly string[];
  /** What the labels are for; `none` leaves them aside. @default what the layout says */
  readonly task?: TaskKind | undefined;
}

/**
 * Layouts, the first that fits:
 * - `labels.tsv` or `labels.txt` with `FILE<tab>TEXT` lines: texts;
 * - a folder `good` beside folders named after kinds of defects, as in a split of MVTec AD; or the folder above, whose
 *   split `test` is taken. Masks: `ground_truth/KIND/NAME_mask.png` beside the split `test`, `SPLIT_ground_truth` beside
 *   any other;
 * - folders named after classes. Index: the line in `labels.txt`; else the name where every name is a whole number; else
 *   its place in the order of names;
 * - files directly in the folder: no labels.
 * @throws {KerfError} FILE_NOT_FOUND; SAMPLES_UNUSABLE for an empty folder, mixed layouts, a missing mask or file.
 */
export async function findSamples(folder: string, options: FindOptions): Promise<SampleSet> {
  const { samples, folders } = await listFolder(folder, options.inputNames);
  const labels = await readLabelFile(folder);
  if (labels?.kind === 'texts' && mayBe('text', options)) return textSet(folder, labels);
  const groups = await groupsOf(folder, folders, options.inputNames);
  if (samples.length > 0 && groups.length > 0 && options.task !== 'none') {
    throw unusable(
      folder,
      `files such as '${samples[0]}' lie beside folders such as '${groups[0]?.name}': keep one layout`,
    );
  }
  if (groups.some(({ name }) => name === GOOD) && mayBe('defect', options)) return defectSet(folder, groups);
  const split = samples.length === 0 && groups.length === 0 ? await splitBelow(folder, folders, options) : null;
  if (split !== null) return split;
  if (groups.length > 0 && mayBe('class', options)) return classSet(folder, groups, labels);
  const plain = [...placed('', samples), ...groups.flatMap(({ name, samples: list }) => placed(name, list))];
  if (plain.length === 0) throw unusable(folder, 'there is no .png, .jpg, .webp, .npy or .pb file in it');
  if (options.task !== undefined && isLabelled(options.task)) throw lacksLabels(folder, options.task);
  return setOf(
    folder,
    'none',
    plain.map((id) => ({ ...entryAt(folder, id), group: '', label: null })),
  );
}

interface Group {
  readonly name: string;
  readonly samples: readonly string[];
}

function mayBe(kind: TaskKind, { task }: FindOptions): boolean {
  return task === undefined || task === kind;
}

/** Folders that hold samples. */
async function groupsOf(folder: string, names: readonly string[], inputNames: readonly string[]): Promise<Group[]> {
  const groups: Group[] = [];
  for (const name of names) {
    const { samples } = await listFolder(join(folder, name), inputNames);
    if (samples.length > 0) groups.push({ name, samples });
  }
  return groups;
}

function textSet(folder: string, labels: LabelFile & { kind: 'texts' }): SampleSet {
  const entries = [...labels.texts].map(([id, text]): SampleEntry => {
    if (!isSampleFile(id)) throw unusable(folder, `${labels.name} names '${id}', which is no picture or tensor file`);
    if (!existsSync(join(folder, id))) throw unusable(folder, `${labels.name} names '${id}', which is not there`);
    return { ...entryAt(folder, id), group: '', label: { kind: 'text', text } };
  });
  return setOf(folder, 'text', entries);
}

/** The folder above the splits of MVTec AD: its split `test`, or the only one there is. */
async function splitBelow(folder: string, folders: readonly string[], options: FindOptions): Promise<SampleSet | null> {
  if (!mayBe('defect', options) && options.task !== 'none') return null;
  const splits = folders.filter((name) => existsSync(join(folder, name, GOOD)));
  const split = splits.find((name) => name === 'test') ?? splits[0];
  if (split === undefined) return null;
  if (split !== 'test' && splits.length > 1) {
    throw unusable(folder, `it holds several splits (${splits.join(', ')}): name one, such as ${join(folder, split)}`);
  }
  return findSamples(join(folder, split), options);
}

function defectSet(folder: string, groups: readonly Group[]): SampleSet {
  const split = basename(resolve(folder));
  const masks = join(dirname(resolve(folder)), split === 'test' ? 'ground_truth' : `${split}_ground_truth`);
  const hasMasks = existsSync(masks);
  const entries = groups.flatMap(({ name, samples }) =>
    samples.map((sample): SampleEntry => {
      const defect = name === GOOD ? null : name;
      const maskPath = defect === null || !hasMasks ? null : maskOf(masks, defect, sample, folder);
      return { ...entryAt(folder, `${name}/${sample}`), group: name, label: { kind: 'defect', defect, maskPath } };
    }),
  );
  return { ...setOf(folder, 'defect', entries), hasMasks };
}

function maskOf(masks: string, defect: string, sample: string, folder: string): string {
  const stem = basename(sample, extname(sample));
  const names = [`${stem}_mask.png`, `${stem}.png`];
  const found = names.map((name) => join(masks, defect, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw unusable(folder, `'${defect}/${sample}' has no mask: ${join(masks, defect, names[0] as string)} is not there`);
}

function classSet(folder: string, groups: readonly Group[], labels: LabelFile | null): SampleSet {
  const names = groups.map(({ name }) => name);
  const classNames = labels?.kind === 'classes' ? labels.classes : namesByIndex(names);
  const entries = groups.flatMap(({ name, samples }) => {
    const index = classNames.indexOf(name);
    if (index < 0) throw unusable(folder, `folder '${name}' is no class of ${labels?.name}: ${listed(classNames)}`);
    return placed(name, samples).map(
      (id): SampleEntry => ({ ...entryAt(folder, id), group: name, label: { kind: 'class', index } }),
    );
  });
  return { ...setOf(folder, 'class', entries), classNames };
}

/** `0`, `1`, ... `10` are indices; other names count in their order. */
function namesByIndex(names: readonly string[]): string[] {
  if (!names.every((name) => /^\d{1,5}$/.test(name))) return [...names];
  const byIndex = Array.from({ length: Math.max(...names.map(Number)) + 1 }, (_, index) => String(index));
  for (const name of names) byIndex[Number(name)] = name;
  return byIndex;
}

function listed(names: readonly string[]): string {
  return names.length <= 8 ? names.join(', ') : `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`;
}

function placed(group: string, samples: readonly string[]): string[] {
  return group === '' ? [...samples] : samples.map((sample) => `${group}/${sample}`);
}

function entryAt(folder: string, id: string): { id: string; path: string } {
  return { id, path: join(folder, id) };
}

function setOf(folder: string, kind: TaskKind, entries: readonly SampleEntry[]): SampleSet {
  return { folder, kind, hasMasks: false, classNames: [], entries };
}

type LabelKind = Label['kind'];

const NEEDED: Readonly<Record<LabelKind, string>> = {
  defect: "a folder 'good' beside one for each kind of defect",
  class: 'a folder for each class',
  text: 'a labels.tsv with FILE<tab>TEXT lines',
};

function isLabelled(task: TaskKind): task is LabelKind {
  return Object.hasOwn(NEEDED, task);
}

function lacksLabels(folder: string, task: LabelKind): KerfError {
  return unusable(folder, `the task '${task}' needs ${NEEDED[task]}; --task none takes files without labels`);
}

function unusable(folder: string, what: string): KerfError {
  return new KerfError('SAMPLES_UNUSABLE', `samples in ${folder}: ${what}`);
}
