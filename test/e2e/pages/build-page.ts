// The page, the worker, models and ONNX Runtime's files -> a folder that a browser can open.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildModel, concatChunks, editModel, openModel } from '@kerf/onnx';
import { SPLIT_FORMAT } from '@kerf/protocol';
import { cutForm } from '@kerf/splitter';
import { type ServedFolder, serveFolder } from '../../support/serve-folder.ts';
import { bundlePage } from './bundle-page.ts';

const value = (name: string) => ({ name, dtype: 'float32' as const, shape: [1, 'n'] });
const headNodes = [{ op: 'Relu', inputs: ['x'], outputs: ['mid'] }];
const tailNodes = [{ op: 'Add', inputs: ['mid', 'mid'], outputs: ['y'] }];

/** y = 2 * max(x, 0), whole and cut after the maximum. */
export const MODELS = {
  head: buildModel({ nodes: headNodes, inputs: [value('x')], outputs: [value('mid')] }),
  tail: buildModel({ nodes: tailNodes, inputs: [value('mid')], outputs: [value('y')] }),
  whole: buildModel({ nodes: [...headNodes, ...tailNodes], inputs: [value('x')], outputs: [value('y')] }),
};

/** Takes a while: twenty multiplications of 256 by 256. */
const slow = buildModel({
  nodes: Array.from({ length: 20 }, (_, index) => ({
    op: 'MatMul',
    inputs: [index === 0 ? 'x' : `t${index}`, 'x'],
    outputs: [index === 19 ? 'y' : `t${index + 1}`],
  })),
  inputs: [{ name: 'x', dtype: 'float32', shape: [256, 256] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [256, 256] }],
});

/** The whole model with uint8 across the cut, in operators that stay on a GPU. */
function elementwise(): Uint8Array {
  const graph = openModel(MODELS.whole);
  const range = { min: 0, max: 5.1 };
  const { edit } = cutForm(graph, { values: [{ name: 'mid', ranges: [range], rank: 2 }], elementwise: true });
  return concatChunks(editModel(graph, edit).chunks);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const part = (file: string, bytes: Uint8Array) => ({
  file,
  sha256: sha256(bytes),
  bytes: bytes.byteLength,
  nodes: 1,
  externalData: null,
});

export const MANIFEST = {
  format: SPLIT_FORMAT,
  source: { file: 'whole.onnx', sha256: sha256(MODELS.whole), bytes: MODELS.whole.byteLength },
  cut: ['mid'],
  headInputs: ['x'],
  headOutputs: ['mid'],
  tailInputs: ['mid'],
  tailOutputs: ['y'],
  modelInputs: ['x'],
  modelOutputs: ['y'],
  tensors: ['x', 'mid', 'y'].map(value),
  codec: { kind: 'raw' },
  head: part('head.onnx', MODELS.head),
  tail: part('tail.onnx', MODELS.tail),
  pair: sha256(new TextEncoder().encode('pair')),
  createdBy: 'test',
} as const;

/** Bundles page and worker as docs/edge-runtime.md says for esbuild, and serves them. */
export async function servePage(): Promise<ServedFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-page-'));
  await bundlePage('backend-page.ts', folder);
  for (const name of ['split', 'wrong']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'split.json'), JSON.stringify(MANIFEST));
    for (const [file, bytes] of Object.entries({ ...MODELS, slow, elementwise: elementwise() }))
      await writeFile(join(folder, name, `${file}.onnx`), bytes);
  }
  await writeFile(join(folder, 'wrong', 'head.onnx'), MODELS.tail);
  const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const files = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.asyncify'].flatMap((name) => [
    `${name}.wasm`,
    `${name}.mjs`,
  ]);
  const served = await serveFolder(folder, Object.fromEntries(files.map((file) => [`/ort/${file}`, join(ort, file)])));
  return {
    url: served.url,
    async close() {
      await served.close();
      await rm(folder, { recursive: true });
    },
  };
}
