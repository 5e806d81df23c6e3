// Head here, tail behind a real `kerf serve`, against the whole model run by ONNX Runtime directly: the same answer.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudProcess } from '@kerf/cli';
import { EdgeSession } from '@kerf/edge-runtime';
import { openSplitFolder } from '@kerf/edge-runtime/node';
import { openModelFile } from '@kerf/onnx/node';
import {
  type OptimizationLevel,
  stringTensor,
  systemClock,
  type Tensor,
  type TensorMap,
  typedView,
} from '@kerf/protocol';
import { compareTensors, findInputs, type ListedCut, listCuts, mergeSpec } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mixedModel } from './support/mixed-model.ts';
import { REAL } from './support/models.ts';
import { openWorkshop, reference, type Workshop } from './support/workshop.ts';

const RUNS = 3;

let shop: Workshop;
const clouds = new Map<OptimizationLevel, CloudProcess>();
const mixed = (): string => join(shop.folder, 'mixed.onnx');

beforeAll(async () => {
  shop = await openWorkshop();
  await writeFile(mixed(), mixedModel());
  clouds.set('disabled', await shop.serve(0, '--level', 'disabled'));
  clouds.set('all', await shop.serve(0));
});
afterAll(() => shop?.remove());

/** `count` of the cuts, the first and the last among them, the others evenly between. */
function sampled(cuts: readonly ListedCut[], count: number): ListedCut[] {
  const step = (cuts.length - 1) / (count - 1);
  return [...new Set(Array.from({ length: count }, (_, at) => cuts[Math.round(at * step)]!))];
}

/** Frames through a session whose tail is in the cloud. */
async function overTheLink(at: readonly string[], path: string, level: OptimizationLevel, frames: TensorMap[]) {
  const id = `m-${level}`;
  await shop.split(path, at, id);
  const folder = join(shop.models, id);
  const opened = await openSplitFolder(folder, { backend: reference, load: { optimizationLevel: level } });
  const cloud = await shop.target(id, clouds.get(level)?.port ?? 0);
  const session = await EdgeSession.open({ ...opened, cloud, options: { deadlineMs: 60_000 } });
  try {
    return await Promise.all(frames.map((inputs) => session.infer(inputs)));
  } finally {
    session.close();
    await opened.dispose();
    await rm(folder, { recursive: true });
  }
}

/** Compares every cut of `cuts` on the same frames; returns what was not as it should be. */
async function compareAll(
  path: string,
  level: OptimizationLevel,
  cuts: readonly ListedCut[],
  { frames, expected, allowed }: Yardstick,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { tensors } of cuts) {
    const outcomes = await overTheLink(tensors, path, level, frames);
    for (const [run, outcome] of outcomes.entries()) {
      const where = `${tensors.join(' + ')}, run ${run}`;
      if (outcome.kind === 'failed') wrong.push(`${where}: ${outcome.code}: ${outcome.message}`);
      else if (outcome.placement !== 'split') wrong.push(`${where}: ran on the ${outcome.placement}`);
      else wrong.push(...differences(where, expected[run]!, outcome.outputs, allowed));
    }
  }
  return wrong;
}

function differences(
  where: string,
  expected: TensorMap,
  found: TensorMap,
  allowed: ReadonlyMap<string, number> | null,
): string[] {
  if ([...expected.keys()].join() !== [...found.keys()].join())
    return [`${where}: outputs are ${[...found.keys()].join()}`];
  return [...expected].flatMap(([name, tensor]) => {
    const absolute = allowed?.get(name) ?? 0;
    const { isBitEqual, isWithin, maxAbsolute } = compareTensors(tensor, found.get(name)!, { relative: 0, absolute });
    const isRight = allowed === null ? isBitEqual : isWithin;
    return isRight ? [] : [`${where}: '${name}' is off by ${maxAbsolute}, allowed ${absolute}`];
  });
}

function largest(tensor: Tensor): number {
  if (tensor.dtype === 'string') return 0;
  return [...typedView(tensor)].reduce<number>((most, value) => Math.max(most, Math.abs(Number(value))), 0);
}

/** Frames, what the whole model makes of them, and how far off an answer may be. */
interface Yardstick {
  readonly frames: TensorMap[];
  readonly expected: TensorMap[];
  /** By output; null asks for equal bits. */
  readonly allowed: ReadonlyMap<string, number> | null;
}

/**
 * Without optimisation every bit is equal. With it, kernels fuse differently on the two sides of a cut, as they do in the
 * whole model: 1e-5 of the largest value, or what optimisation moves the whole model by where that is more.
 */
async function yardstick(path: string, level: OptimizationLevel, given: TensorMap = new Map()): Promise<Yardstick> {
  const { graph } = await openModelFile(path);
  const whole = await reference.load({ path }, { optimizationLevel: level });
  const plain = await reference.load({ path }, { optimizationLevel: 'disabled' });
  const specs = whole.inputs.map((spec) => mergeSpec(graph, spec.name, spec));
  const sampler = await findInputs(whole, { specs, inputs: given, seed: 1, clock: systemClock });
  const frames = Array.from({ length: RUNS }, (_, run) => sampler.sample(run));
  const expected: TensorMap[] = [];
  const allowed = new Map<string, number>();
  for (const inputs of frames) {
    const outputs = await whole.run(inputs);
    expected.push(outputs);
    for (const [name, tensor] of await plain.run(inputs)) {
      const moved = compareTensors(tensor, outputs.get(name)!, { relative: 0, absolute: 0 }).maxAbsolute;
      allowed.set(name, Math.max(allowed.get(name) ?? 1e-6, 1e-5 * largest(tensor), 4 * moved));
    }
  }
  await whole.dispose();
  await plain.dispose();
  return { frames, expected, allowed: level === 'disabled' ? null : allowed };
}

async function cutsOf(path: string): Promise<ListedCut[]> {
  return listCuts((await openModelFile(path)).graph);
}

const LEVELS = [
  { level: 'disabled', says: 'bit for bit without graph optimisation' },
  { level: 'all', says: 'as close as optimisation lets the whole model be, at the default level' },
] as const;

describe.each(LEVELS)('$says', ({ level }) => {
  test('every cut of a model with branches, If bodies, early outputs and many dtypes', async () => {
    const words = new Map([['words', stringTensor([3], ['left', '', 'žluť'])]]);
    const stick = await yardstick(mixed(), level, words);
    const totals = stick.frames.map((inputs) =>
      [...(typedView(inputs.get('x')!) as Float32Array)].reduce((sum, value) => sum + value, 0),
    );
    expect(new Set(totals.map((total) => total > 0)), 'both branches of the If are taken').toEqual(
      new Set([true, false]),
    );
    const cuts = await cutsOf(mixed());
    expect(cuts.length).toBeGreaterThan(15);
    expect(await compareAll(mixed(), level, cuts, stick)).toEqual([]);
  });

  test.each([
    ['PP-OCR classifier', REAL.classifier, 8],
    ['PP-OCR detector', REAL.detector, 5],
    ['M-LSD tiny', REAL.mlsd, 5],
    ['Silero v5', REAL.silero, 6],
  ] as const)('cuts of %s', async (_, path, count) => {
    const some = sampled(await cutsOf(path), count);
    expect(await compareAll(path, level, some, await yardstick(path, level))).toEqual([]);
  });
});
