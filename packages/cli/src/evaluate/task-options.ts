// The command line and the model's own notes -> how its outputs are to be judged.
import { readFile } from 'node:fs/promises';
import { boxReader } from '@kerf/edge-runtime';
import { readStationFile } from '@kerf/edge-runtime/node';
import { metadataOf } from '@kerf/onnx';
import type { ModelFile } from '@kerf/onnx/node';
import { KerfError } from '@kerf/protocol';
import { type EvaluationOptions, mergeSpec, type Thresholds } from '@kerf/splitter';
import { type CommandLine, type OptionSpec, usageError } from '../command.ts';
import { pictureOptions, pictureRule } from '../frame-input.ts';
import type { SampleSet } from '../samples/sample-set.ts';

/** Options of every command that judges outputs by labels. */
export const TASK_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  output: {
    type: 'string',
    value: 'NAME',
    help: 'output with the mask, classes or text, where its name does not tell',
  },
  score: {
    type: 'string',
    value: 'NAME',
    help: "output with a picture's score (default: score, else the mask's largest)",
  },
  'mask-threshold': {
    type: 'string',
    value: 'P',
    help: 'probability of a defective pixel (default: the model says, else 0.5)',
  },
  alphabet: { type: 'string', value: 'FILE', help: 'characters of a text model, one a line' },
  detector: {
    type: 'string',
    value: 'FILE',
    help: "station file of a detector: outputs are held against the whole model's by their boxes, as its task says",
  },
};

export const THRESHOLD_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'pass-below': { type: 'string', value: 'S', help: 'a score below this is PASS (default: the model says)' },
  'ng-above': { type: 'string', value: 'S', help: 'a score of this and above is NG (default: the model says)' },
};

/** Of 255, as the reference models note it. */
const MASK_LEVELS = 255;

/** @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND. */
export async function taskOptions(line: CommandLine, model: ModelFile, set: SampleSet): Promise<EvaluationOptions> {
  const detector = line.text('detector');
  if (detector !== undefined) return { kind: 'boxes', boxes: await boxesOf(detector, line, model) };
  return {
    kind: set.kind,
    hasMasks: set.hasMasks,
    output: line.text('output'),
    score: line.text('score'),
    maskThreshold: line.number('mask-threshold', notedMaskThreshold(model), { most: 1, whole: false }),
    alphabet: set.kind === 'text' ? await alphabet(line) : undefined,
  };
}

async function boxesOf(path: string, line: CommandLine, model: ModelFile): Promise<EvaluationOptions['boxes']> {
  const stray = Object.keys(TASK_OPTIONS).find((name) => name !== 'detector' && line.text(name) !== undefined);
  if (stray !== undefined) throw usageError(`--detector says how the outputs are read: leave out --${stray}`);
  const { task } = (await readStationFile(path)).config;
  if (task.kind !== 'detector') throw usageError(`--detector: the task of ${path} is ${task.kind}, not a detector`);
  const [name = ''] = model.graph.inputs;
  return boxReader(task, pictureRule(mergeSpec(model.graph, name, undefined), pictureOptions(line)));
}

/** Probability from which a pixel is defective, as the model notes it; else 0.5. */
export function notedMaskThreshold({ graph }: ModelFile): number {
  const noted = noteOf(metadataOf(graph.model), 'kerf.mask_threshold');
  return noted === null ? 0.5 : noted / MASK_LEVELS;
}

/** Thresholds that the model notes; null where it notes none that can be used. */
export function notedThresholds({ graph }: ModelFile): Thresholds | null {
  const notes = metadataOf(graph.model);
  const [passBelow, ngAbove] = [noteOf(notes, 'kerf.pass_below'), noteOf(notes, 'kerf.ng_above')];
  return passBelow === null || ngAbove === null || passBelow > ngAbove ? null : { passBelow, ngAbove };
}

/** Null where neither the command line nor the model has any. @throws {KerfError} INVALID_ARGUMENT. */
export function verdictThresholds(line: CommandLine, model: ModelFile): Thresholds | null {
  const notes = metadataOf(model.graph.model);
  const bound = (option: string, key: string): number | null =>
    line.text(option) === undefined
      ? noteOf(notes, key)
      : line.number(option, 0, { least: -Number.MAX_VALUE, most: Number.MAX_VALUE, whole: false });
  const passBelow = bound('pass-below', 'kerf.pass_below');
  const ngAbove = bound('ng-above', 'kerf.ng_above');
  if (passBelow === null && ngAbove === null) return null;
  if (passBelow === null || ngAbove === null) throw usageError('verdicts need --pass-below and --ng-above');
  if (passBelow > ngAbove) throw usageError(`--pass-below ${passBelow} must not be above --ng-above ${ngAbove}`);
  return { passBelow, ngAbove };
}

function noteOf(notes: ReadonlyMap<string, string>, key: string): number | null {
  const text = notes.get(key);
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

async function alphabet(line: CommandLine): Promise<string[]> {
  const path = line.text('alphabet');
  if (path === undefined)
    throw usageError('text needs --alphabet FILE: the characters of classes 1 and on, one a line');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the alphabet ${path} is not there or cannot be read`, { cause });
  }
  // A line may hold a space; only the end of the file is no character.
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}
