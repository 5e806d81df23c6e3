// A model -> the cuts of it that the rate bench looks at, as loaded splits.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import type { Backend, TensorMap } from '@kerf/protocol';
import { fusionAt, type LoadedSplit, listCuts, valueSpecs } from '@kerf/splitter';
import { fileHost, writeSplit } from '@kerf/splitter/node';
import type { CutSize } from './result.ts';

/** A later cut is looked at when it carries this much less than every earlier one. */
const CLEARLY_SMALLER = 0.8;

export interface OpenCut extends CutSize {
  /** Of the tensor. */
  readonly rank: number;
  readonly split: LoadedSplit;
  dispose(): Promise<void>;
}

/**
 * Cuts of one tensor, outside of fusions, each clearly smaller than those before it: going on with the head must save
 * bytes. Of more than `most`, the smallest ones.
 */
export async function openCuts(path: string, inputs: TensorMap, backend: Backend, most: number): Promise<OpenCut[]> {
  const model = await openModelFile(path);
  const inputShapes = new Map([...inputs].map(([name, { shape }]) => [name, shape]));
  const specs = await valueSpecs(model.graph, { host: fileHost(model), backend, inputShapes });
  const found: (CutSize & { rank: number })[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const { tensors, inputs: more, headNodes } of listCuts(model.graph)) {
    const spec = specs.get(tensors[0]!);
    if (tensors.length > 1 || more.length > 0 || spec?.dtype !== 'float32' || spec.bytes === null) continue;
    const values = spec.bytes / 4;
    if (fusionAt(model.graph, tensors) !== null || values > least * CLEARLY_SMALLER) continue;
    least = values;
    found.push({
      tensors,
      values,
      rank: spec.shape!.length,
      label: `behind node ${headNodes}: ${spec.shape!.slice(1).join('x')}`,
    });
  }
  const chosen = found.slice(-most);
  return await Promise.all(chosen.map((cut) => openCut(model, cut, backend)));
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
