// A model -> the cuts of it that the rate bench looks at, as loaded splits.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import type { Backend, TensorMap } from '@kerf/protocol';
import { fusionAt, type LoadedSplit, listCuts, valueSpecs } from '@kerf/splitter';
import { fileHost, writeSplit } from '@kerf/splitter/node';
import type { CutSize } from './result.ts';

export interface OpenCut extends CutSize {
  /** Of the tensor. */
  readonly rank: number;
  readonly split: LoadedSplit;
  dispose(): Promise<void>;
}

/** The cuts at these tensors, each of which must be a cut alone and outside of what the runtime fuses. */
export async function openCuts(
  path: string,
  inputs: TensorMap,
  backend: Backend,
  names: readonly string[],
): Promise<OpenCut[]> {
  const model = await openModelFile(path);
  const inputShapes = new Map([...inputs].map(([name, { shape }]) => [name, shape]));
  const specs = await valueSpecs(model.graph, { host: fileHost(model), backend, inputShapes });
  const cuts = listCuts(model.graph);
  const found = names.map((name): CutSize & { rank: number } => {
    const cut = cuts.find(({ tensors, inputs: more }) => tensors.join() === name && more.length === 0);
    const spec = specs.get(name);
    if (
      cut === undefined ||
      spec?.dtype !== 'float32' ||
      spec.bytes === null ||
      fusionAt(model.graph, [name]) !== null
    ) {
      throw new TypeError(`${name} is no cut of ${path}`);
    }
    return {
      tensors: [name],
      values: spec.bytes / 4,
      rank: spec.shape!.length,
      label: `behind node ${cut.headNodes}: ${spec.shape!.slice(1).join('x')}`,
    };
  });
  return await Promise.all(found.map((cut) => openCut(model, cut, backend)));
}

async function openCut(model: ModelFile, size: CutSize & { rank: number }, backend: Backend): Promise<OpenCut> {
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
