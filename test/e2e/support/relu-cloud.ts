// A folder with a split that doubles what is positive, its frames, and what is right: for clouds that come and go.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '@kerf/edge-runtime';
import { float32Tensor, type TensorMap, typedView } from '@kerf/protocol';
import { type KerfServe, startServe } from '../../support/kerf-serve.ts';
import { MANIFEST, MODELS } from '../pages/build-page.ts';

export interface ReluCloud {
  /** Of the split, model `m` in the cloud. */
  readonly split: string;
  /** One state folder: the same certificate, and tokens that all clouds of it take. */
  serve(port?: number, ...args: string[]): Promise<KerfServe>;
  remove(): Promise<void>;
}

export async function openReluCloud(): Promise<ReluCloud> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-relu-'));
  const split = join(folder, 'models', 'm');
  await mkdir(split, { recursive: true });
  await writeFile(join(split, 'head.onnx'), MODELS.head);
  await writeFile(join(split, 'tail.onnx'), MODELS.tail);
  await writeFile(join(split, 'split.json'), JSON.stringify(MANIFEST));
  return {
    split,
    serve: (port = 0, ...args) =>
      startServe({ models: join(folder, 'models'), state: join(folder, 'state'), port, args }),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Frame `index` of `row` values: no two are alike. */
export function frameOf(index: number, row: number): TensorMap {
  const values = Float32Array.from({ length: row }, (_, at) => at - index);
  return new Map([['x', float32Tensor([1, row], values)]]);
}

/** Twice the value where it is positive: what the whole model gives for frame `index`. */
export function isRight(outcome: Outcome, index: number, row: number): boolean {
  if (outcome.kind !== 'result') return false;
  const y = typedView(outcome.outputs.get('y')!) as Float32Array;
  return y.length === row && y.every((value, at) => value === 2 * Math.max(0, at - index));
}
