// A model -> every listed cut made with the real runtime and compared with the whole; shared by the soundness tests.

import { concatChunks, type ModelGraph, openModel } from '@kerf/onnx';
import { type Backend, type LoadedModel, systemClock, type Tensor, type TensorMap } from '@kerf/protocol';
import { expect } from 'vitest';
import {
  bytesHost,
  type CutPlan,
  compareTensors,
  crossableCuts,
  extractSide,
  findInputs,
  listCuts,
  mergeSpec,
  planCut,
  runSplit,
  splitModel,
  valueSpecs,
} from '../src/index.ts';

const LEVEL = { optimizationLevel: 'disabled' } as const;

/** One cut as its two files. */
export interface MadeCut {
  readonly tensors: readonly string[];
  readonly plan: CutPlan;
  readonly head: ModelGraph;
  readonly tail: ModelGraph;
}

export interface CheckedModel {
  readonly cuts: readonly MadeCut[];
  /** What the whole model made of each frame. */
  readonly outputs: readonly TensorMap[];
}

/**
 * Makes every cut that `kerf cuts` would list, loads both sides without optimisation and compares them with the whole
 * on each frame, bit for bit. Fails on a node that is on both sides, and on anything but the cut that crosses.
 */
export async function checkEveryCut(
  backend: Backend,
  bytes: Uint8Array,
  frames?: readonly TensorMap[],
): Promise<CheckedModel> {
  const graph = openModel(bytes);
  const whole = await backend.load({ bytes }, LEVEL);
  const given = frames ?? (await samples(graph, whole));
  const outputs: TensorMap[] = [];
  for (const inputs of given) outputs.push(await whole.run(inputs));
  await whole.dispose();
  const specs = await valueSpecs(graph, { host: bytesHost(), backend });
  const cuts: MadeCut[] = [];
  for (const { tensors } of crossableCuts(listCuts(graph), specs)) {
    const made = await checkCut(backend, graph, tensors, given, outputs);
    cuts.push(made);
  }
  return { cuts, outputs };
}

/** The same for one cut, listed or not. */
export async function checkCut(
  backend: Backend,
  graph: ModelGraph,
  tensors: readonly string[],
  frames: readonly TensorMap[],
  outputs: readonly TensorMap[],
): Promise<MadeCut> {
  const where = `cut ${JSON.stringify(tensors).slice(0, 200)}`;
  const plan = planCut(graph, tensors);
  const split = await splitModel(plan, backend, bytesHost());
  const sides = [split.head, split.tail].map((side) => concatChunks(extractSide(graph, side, '').chunks));
  const [head, tail] = await Promise.all(sides.map((side) => backend.load({ bytes: side }, LEVEL)));
  const [headGraph, tailGraph] = sides.map((side) => openModel(side));
  if (head === undefined || tail === undefined || headGraph === undefined || tailGraph === undefined) {
    throw new Error('a side is missing');
  }
  expect(tail.inputs.map((spec) => spec.name).toSorted(), where).toEqual(plan.cut.toSorted());
  expect(repeated(headGraph, tailGraph), where).toEqual([]);
  const names = { ...plan, modelInputs: graph.inputs, modelOutputs: graph.outputs };
  for (const [run, inputs] of frames.entries()) {
    const found = await runSplit({ head, tail, names }, inputs);
    const expected = outputs[run] ?? new Map<string, Tensor>();
    const differing = graph.outputs.filter((name) => !isSame(expected.get(name), found.get(name)));
    expect(differing, `${where}, frame ${run}`).toEqual([]);
  }
  await head.dispose();
  await tail.dispose();
  return { tensors, plan, head: headGraph, tail: tailGraph };
}

/** Values that a node of either side makes, although they depend on an input or on chance. */
function repeated(head: ModelGraph, tail: ModelGraph): string[] {
  const made = new Set(head.nodes.filter((node) => !node.constant).flatMap((node) => node.outputs));
  return tail.nodes.flatMap((node) => node.outputs.filter((name) => made.has(name)));
}

function isSame(expected: Tensor | undefined, found: Tensor | undefined): boolean {
  if (expected === undefined || found === undefined) return false;
  return compareTensors(expected, found, { relative: 0, absolute: 0 }).isBitEqual;
}

const FRAMES = 3;

async function samples(graph: ModelGraph, whole: LoadedModel): Promise<TensorMap[]> {
  const specs = whole.inputs.map((spec) => mergeSpec(graph, spec.name, spec));
  const sampler = await findInputs(whole, { specs, clock: systemClock });
  return Array.from({ length: FRAMES }, (_, run) => sampler.sample(run));
}
