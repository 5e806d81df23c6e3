// `--at` of the command line -> the cuts that are meant; `auto`: those that a split could pay at.
import type { ModelFile } from '@kerf/onnx/node';
import type { Backend } from '@kerf/protocol';
import { crossableCuts, fusionAt, type InputShapes, listCuts, valueSpecs } from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';
import { type CommandLine, usageError } from '../command.ts';
import { tensorNames } from '../commands/split.ts';

/** Cuts that `auto` takes at most. */
const AUTO_CUTS = 4;
/** A later cut must carry this much less than every earlier one to be worth its longer head. */
const CLEARLY_SMALLER = 0.8;

/** Each `--at` is one cut: a name, or several with commas between. @throws {KerfError} INVALID_ARGUMENT. */
export async function chosenCuts(
  line: CommandLine,
  model: ModelFile,
  backend: Backend,
  shapes: InputShapes,
): Promise<string[][]> {
  const texts = line.texts('at');
  if (texts.length === 0) throw usageError('--at is needed: a cut as kerf cuts shows it, or auto; or --split DIR');
  const { graph } = model;
  const isValue = (name: string): boolean => graph.producer.has(name) || graph.inputs.includes(name);
  if (texts.includes('auto') && !isValue('auto')) {
    if (texts.length > 1) throw usageError('--at auto chooses the cuts: leave the other --at out');
    return await automaticCuts(model, backend, shapes);
  }
  return texts.map((text) => tensorNames(text, isValue));
}

/**
 * Cuts of a single tensor, outside of fusions, each smaller than all before it: going on with the head must save bytes.
 * Of more than a few, those that save the most.
 */
async function automaticCuts(model: ModelFile, backend: Backend, inputShapes: InputShapes): Promise<string[][]> {
  const specs = await valueSpecs(model.graph, { host: fileHost(model), backend, inputShapes });
  const candidates = crossableCuts(listCuts(model.graph), specs).flatMap(({ tensors, inputs }) => {
    const [name, second] = tensors;
    const spec = name === undefined ? undefined : specs.get(name);
    const isPlain = second === undefined && inputs.length === 0 && spec?.dtype === 'float32' && spec.bytes !== null;
    return isPlain && fusionAt(model.graph, tensors) === null
      ? [{ tensors: [...tensors], bytes: spec.bytes as number }]
      : [];
  });
  const smaller: { tensors: string[]; bytes: number; saves: number }[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const { tensors, bytes } of candidates) {
    if (bytes > least * CLEARLY_SMALLER) continue;
    smaller.push({ tensors, bytes, saves: least / bytes });
    least = bytes;
  }
  if (smaller.length === 0) throw usageError('no cut of a single float32 tensor was found; name one with --at');
  const best = new Set([...smaller].sort((left, right) => right.saves - left.saves).slice(0, AUTO_CUTS));
  return smaller.filter((cut) => best.has(cut)).map(({ tensors }) => tensors);
}
