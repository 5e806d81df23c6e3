// The committed models: their interface, their notes, and that they still do their job on parts they never saw.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { type DatasetPart, datasetParts, modelFile, readIdx } from '@kerf/models';
import { metadataOf, tensorOfRecord } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import {
  type Backend,
  float32Tensor,
  type ImagePixels,
  imageToTensor,
  makeTensor,
  type Tensor,
  type TensorMap,
  typedView,
} from '@kerf/protocol';
import { imageAuroc, metricFor } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PIXELS: ImagePixels = { layout: 'nchw', channels: 'rgb', scale: [1 / 255, 1 / 255, 1 / 255], offset: [0, 0, 0] };
/** Pixel IoU in points and image AUROC that a model must keep: what it has on 350 parts, less what 28 may be off by chance. */
const FLOORS: Readonly<Record<string, readonly [iou: number, auroc: number]>> = {
  'surface-v1': [25, 0.75],
  'surface-v2': [25, 0.75],
  'surface-v3': [25, 0.75],
  'surface-narrow': [18, 0.65],
  'surface-lite': [18, 0.65],
};
const MAX_BYTES = 25e6;

let backend: Backend;
let parts: DatasetPart[];

beforeAll(async () => {
  backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  parts = [];
  for await (const part of datasetParts({ split: 'test', count: 28, seed: 3 })) parts.push(part);
});
afterAll(() => backend.dispose());

const folder = join(modelFile('x'), '..');

test('all files together are small, and each model has a card and none is left over', () => {
  const files = readdirSync(folder);
  expect(files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)).toBeLessThan(MAX_BYTES);
  const models = files.filter((name) => name.endsWith('.onnx')).map((name) => basename(name, '.onnx'));
  expect(files.filter((name) => name.endsWith('.md')).map((name) => basename(name, '.md'))).toEqual(models);
});

describe.each(Object.keys(FLOORS).filter((name) => existsSync(modelFile(name))))('%s', (name) => {
  test('has the interface that its card tells', async () => {
    const { graph } = await openModelFile(modelFile(name));
    expect([graph.inputs, graph.outputs]).toEqual([['image'], ['mask', 'score']]);
    const notes = metadataOf(graph.model);
    expect(notes.get('kerf.task')).toBe('defect');
    expect(notes.get('kerf.mask_threshold')).toBe('128');
    const [pass, ng] = [Number(notes.get('kerf.pass_below')), Number(notes.get('kerf.ng_above'))];
    expect([pass > 0, pass < ng, ng < 1]).toEqual([true, true, true]);
  });

  test('takes any number of parts at once, and does its job', async () => {
    const model = await backend.load({ path: modelFile(name) }, { threads: 1 });
    const metric = metricFor('defect', { maskThreshold: 128 / 255 });
    const single = await model.run(inputs([parts[0]!]));
    const answers: TensorMap[] = [];
    for (let from = 0; from < parts.length; from += 2) {
      const both = await model.run(inputs(parts.slice(from, from + 2)));
      expect(both.get('mask')).toMatchObject({ dtype: 'uint8', shape: [2, 1, 192, 192] });
      expect(both.get('score')).toMatchObject({ dtype: 'float32', shape: [2, 1] });
      answers.push(itemOf(both, 0), itemOf(both, 1));
    }
    expect(single.get('mask')!.data).toEqual(answers[0]!.get('mask')!.data);
    const tallies = parts.map(({ defect, picture }, at) => {
      const mask = { width: 384, height: 384, pixels: picture.mask };
      return metric.tally({ label: { kind: 'defect', defect, mask }, outputs: answers[at]!, reference: new Map() });
    });
    const scored = parts.map(({ defect }, at) => ({ score: scoreOf(answers[at]!), isDefective: defect !== null }));
    const [iou, auroc] = FLOORS[name]!;
    expect(metric.pointsOf(tallies)).toBeGreaterThan(iou);
    expect(imageAuroc(scored)).toBeGreaterThan(auroc);
    await model.dispose();
  });
});

test.skipIf(!existsSync(modelFile('surface-v2')))(
  'v2 has every weight before its last layers from v1, to the bit',
  async () => {
    const [one, two] = await Promise.all(['surface-v1', 'surface-v2'].map(async (name) => weightsOf(name)));
    expect([...two!.keys()]).toEqual([...one!.keys()]);
    const changed = [...one!]
      .filter(([name, bytes]) => Buffer.compare(bytes, two!.get(name)!) !== 0)
      .map(([name]) => name);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter((name) => !/^(up_quarter|mask_head|deep_score|score_head)\./.test(name))).toEqual([]);
  },
);

describe.skipIf(!existsSync(modelFile('fashion')))('fashion', () => {
  const folder = process.env['KERF_FASHION_MNIST'] ?? '/usr/share/datasets/fashion-mnist';
  const images = join(folder, 't10k-images-idx3-ubyte.gz');

  test('knows most of the pictures that it never saw', async ({ skip }) => {
    if (!existsSync(images))
      return skip('no Fashion-MNIST here: install dataset-fashion-mnist, or set KERF_FASHION_MNIST');
    const pictures = await readIdx(images, 3);
    const labels = await readIdx(join(folder, 't10k-labels-idx1-ubyte.gz'), 1);
    const model = await backend.load({ path: modelFile('fashion') }, { threads: 1 });
    const count = 1000;
    const values = Float32Array.from(pictures.data.subarray(0, count * 784), (pixel) => pixel / 255);
    const logits = (await model.run(new Map([['image', float32Tensor([count, 1, 28, 28], values)]]))).get('logits')!;
    expect(logits).toMatchObject({ dtype: 'float32', shape: [count, 10] });
    const scores = typedView(logits as Tensor & { dtype: 'float32' });
    const right = [...labels.data.subarray(0, count)].filter((label, at) => {
      const row = scores.subarray(at * 10, at * 10 + 10);
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(right.length / count).toBeGreaterThan(0.87);
    await model.dispose();
  });
});

function inputs(chosen: readonly DatasetPart[]): TensorMap {
  const tensors = chosen.map(({ picture }) => imageToTensor(picture.image, PIXELS, 'float32'));
  const values = new Float32Array(chosen.length * 3 * 384 * 384);
  for (const [at, tensor] of tensors.entries()) {
    values.set(typedView(tensor as Tensor & { dtype: 'float32' }), at * 3 * 384 * 384);
  }
  return new Map([['image', float32Tensor([chosen.length, 3, 384, 384], values)]]);
}

/** One item of a batch of two. */
function itemOf(both: TensorMap, item: 0 | 1): TensorMap {
  return new Map(
    [...both].map(([name, { dtype, shape, data }]) => {
      const size = data.byteLength / 2;
      return [name, makeTensor(dtype, [1, ...shape.slice(1)], data.slice(item * size, (item + 1) * size))];
    }),
  );
}

function scoreOf(answer: TensorMap): number {
  return typedView(answer.get('score') as Tensor & { dtype: 'float32' })[0]!;
}

async function weightsOf(name: string): Promise<Map<string, Uint8Array>> {
  const { model } = (await openModelFile(modelFile(name))).graph;
  return new Map(model.graph!.initializers.map((record) => [record.name, tensorOfRecord(model.bytes, record).data]));
}
