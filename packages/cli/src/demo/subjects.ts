// The reference models with their codecs, and a folder of parts -> what the demo measures.

import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fitPicture, PLAIN_PICTURES } from '@kerf/edge-runtime';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { imageTensorShape, imageToTensor, KerfError } from '@kerf/protocol';
import {
  type CutCodec,
  checkProfileModel,
  type Mask,
  mergeSpec,
  parseCodecProfile,
  type Thresholds,
} from '@kerf/splitter';
import { notedMaskThreshold, notedThresholds } from '../evaluate/task-options.ts';
import { pictureRule } from '../frame-input.ts';
import type { FrameSource } from '../measure/placements.ts';
import { readPicture, resizePicture } from '../picture.ts';
import { calibrationText } from '../plan/codec-sentences.ts';
import { findSamples } from '../samples/find-samples.ts';
import { loadSample } from '../samples/load-sample.ts';
import type { DemoCodec } from './report.ts';

/** More parts than this say no more, and the page would be long. */
const MAX_PARTS = 24;

const RECIPES = [
  { id: 'surface-v1', title: 'surface: an ordinary segmentation network, cut behind its first layers' },
  { id: 'surface-narrow', title: 'surface-narrow: the same job, by a network made to be cut' },
] as const;

export interface Part {
  readonly truth: string;
  /** Null where nobody knows; without a pixel for a good part. */
  readonly mask: Mask | null;
  readonly source: FrameSource & { readonly picture: NonNullable<FrameSource['picture']> };
}

/** One model with what it is shown. */
export interface Subject {
  readonly title: string;
  readonly model: ModelFile;
  readonly inputShape: readonly number[];
  readonly parts: readonly Part[];
  readonly thresholds: Thresholds | null;
  /** Probability from which a pixel is defective. */
  readonly maskThreshold: number;
  /** The smallest codec that calibration found at a cut, its folder absolute. */
  readonly entry: CutCodec;
  readonly codec: DemoCodec;
}

export interface SubjectPlaces {
  /** Holds `surface-v1.onnx` and the others. */
  readonly models: string;
  /** Holds a folder with `codecs.json` and level tables for each model. */
  readonly codecs: string;
  readonly parts: string;
}

/** @throws {KerfError} FILE_NOT_FOUND, SAMPLES_UNUSABLE, INVALID_ARGUMENT for codecs of another model. */
export async function openSubjects(places: SubjectPlaces): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const { id, title } of RECIPES) {
    const path = join(places.models, `${id}.onnx`);
    await mustBeThere(path, `the demo's model ${path} is not there; run it in a clone of the repository`);
    await mustBeThere(
      places.parts,
      `there are no parts in ${places.parts}; 'npm run demo' draws some, or name a folder of pictures with --parts`,
    );
    const model = await openModelFile(path);
    const { metric, entry } = await smallestCodec(join(places.codecs, id), model);
    subjects.push({
      title,
      model,
      ...(await partsOf(model, places.parts)),
      thresholds: notedThresholds(model),
      maskThreshold: notedMaskThreshold(model),
      entry,
      codec: {
        label: entry.label,
        cut: entry.tensors.map(({ name }) => name),
        bitsPerValue: entry.bitsPerValue,
        loss: calibrationText({ metric, ...entry }),
      },
    });
  }
  return subjects;
}

async function mustBeThere(path: string, message: string): Promise<void> {
  await stat(path).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', message, { cause });
  });
}

/** Written by `kerf calibrate --codecs`; its folder is where the tables lie. */
async function smallestCodec(
  folder: string,
  model: ModelFile,
): Promise<{ readonly metric: string; readonly entry: CutCodec }> {
  const profile = parseCodecProfile(JSON.parse(await readFile(join(folder, 'codecs.json'), 'utf8')));
  checkProfileModel(profile, model, `codecs in ${folder}`, "run 'kerf calibrate' on this one");
  const bytesOf = ({ tensors }: CutCodec): number => tensors.reduce((sum, { bytesPerFrame }) => sum + bytesPerFrame, 0);
  const [entry] = profile.entries.toSorted((left, right) => bytesOf(left) - bytesOf(right));
  if (entry === undefined) throw new KerfError('INVALID_ARGUMENT', `there is no codec in ${folder}; calibrate again`);
  const tables = entry.folder === null ? {} : { folder: resolve(folder, entry.folder) };
  return { metric: profile.metric, entry: { ...entry, ...tables } };
}

async function partsOf(
  { graph }: ModelFile,
  folder: string,
): Promise<{ readonly inputShape: readonly number[]; readonly parts: readonly Part[] }> {
  const [input = ''] = graph.inputs;
  const spec = mergeSpec(graph, input, undefined);
  const rule = pictureRule(spec, PLAIN_PICTURES);
  const { pixels } = rule;
  const found = await findSamples(folder, { inputNames: graph.inputs });
  const parts: Part[] = [];
  for (const entry of found.entries.slice(0, MAX_PARTS)) {
    const { label } = await loadSample(found, entry, { specs: [spec], pictures: PLAIN_PICTURES });
    const image = await fitPicture(await readPicture(entry.path), rule, resizePicture);
    const tensors = new Map([[input, imageToTensor(image, pixels, 'float32')]]);
    const isDefect = label?.kind === 'defect';
    parts.push({
      truth: isDefect ? (label.defect ?? 'good') : '',
      mask: isDefect ? label.mask : null,
      source: { tensors, picture: { image, pixels, dtype: 'float32' } },
    });
  }
  return { inputShape: imageTensorShape(pixels, rule.width, rule.height), parts };
}
