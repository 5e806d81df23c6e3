// A model -> the cuts of it that the rate bench looks at, as loaded splits.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { type Backend, elementCount, type TensorMap } from '@kerf/protocol';
import { fusionAt, type LoadedSplit, listCuts, type ValueSpec, valueSpecs } from '@kerf/splitter';
import { fileHost, writeSplit } from '@kerf/splitter/node';
import type { CutSize } from './result.ts';

export interface CutShape extends CutSize {
  /** Of each tensor. */
  readonly ranks: ReadonlyMap<string, number>;
}

export interface OpenCut extends CutShape {
  readonly split: LoadedSplit;
  dispose(): Promise<void>;
}

/** The cuts at these sets of tensors, each of which must be a whole cut, outside of what the runtime fuses. */
export async function openCuts(
  path: string,
  inputs: TensorMap,
  backend: Backend,
  wanted: readonly (readonly string[])[],
): Promise<OpenCut[]> {
  const model = await openModelFile(path);
  const inputShapes = new Map([...inputs].map(([name, { shape }]) => [name, shape]));
  const specs = await valueSpecs(model.graph, { host: fileHost(model), backend, inputShapes });
  const cuts = listCuts(model.graph);
  const found = wanted.map((names): CutShape => {
    const cut = cuts.find(({ tensors, inputs: more }) => more.length === 0 && isSame(tensors, names));
    const shapes = names.map((name) => floatShape(specs.get(name)));
    if (cut === undefined || shapes.includes(null) || fusionAt(model.graph, cut.tensors) !== null) {
      throw new TypeError(`${names.join(' and ')} make no cut of ${path}`);
    }
    return {
      tensors: names,
      values: shapes.reduce((sum, shape) => sum + elementCount(shape!), 0),
      ranks: new Map(names.map((name, at) => [name, shapes[at]!.length])),
      label: `behind node ${cut.headNodes}: ${shapes.map((shape) => shape!.slice(1).join('x')).join(' and ')}`,
    };
  });
  return await Promise.all(found.map((cut) => openCut(model, cut, backend)));
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name) => right.includes(name));
}

/** Null for what is no float32 tensor of a known shape. */
function floatShape(spec: ValueSpec | undefined): readonly number[] | null {
  return spec?.dtype === 'float32' && spec.bytes !== null ? (spec.shape as readonly number[]) : null;
}

async function openCut(model: ModelFile, size: CutShape, backend: Backend): Promise<OpenCut> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-rate-'));
  try {
    const { manifest: names } = await writeSplit({ model, cut: size.tensors, folder, backend });
    const head = await backend.load({ path: join(folder, 'head.onnx') }, { threads: 1 });
    const tail = await backend.load({ path: join(folder, 'tail.onnx') }, { threads: 1 });
    const dispose = async (): Promise<void> => {
      await head.dispose();
      await tail.dispose();
    };
    return { ...size, split: { head, tail, names }, dispose };
  } finally {
    await rm(folder, { recursive: true });
  }
}
