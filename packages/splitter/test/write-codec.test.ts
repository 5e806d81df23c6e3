// The codec of a split in a folder: written with its tables, replaced, and refused where it does not fit.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openModelFile } from '@kerf/onnx/node';
import type { ManifestFile, SplitCodec } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSplit, readManifestFile, verifySplit, writeSplit, writeSplitCodec } from '../src/node.ts';
import { sha256Hex } from '../src/sha256.ts';
import { bytesOf, cpu, diamond } from './models.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kerf-test-'));
  await writeFile(path.join(folder, 'model.onnx'), bytesOf(diamond));
  const model = await openModelFile(path.join(folder, 'model.onnx'));
  await writeSplit({ model, cut: ['b'], folder: path.join(folder, 'out'), backend: cpu(ort) });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const out = (): string => path.join(folder, 'out');
const table = async (file: string, bytes: Uint8Array): Promise<ManifestFile> => ({
  file,
  sha256: await sha256Hex(bytes),
  bytes: bytes.byteLength,
});
const levels = (file: ManifestFile): SplitCodec => ({
  kind: 'coded',
  tensors: [{ name: 'b', codec: { kind: 'levels', table: file } }],
  calibration: null,
});

test('head, tail and pair stay; tables come and go with the codec that names them', async () => {
  const before = await readManifestFile(out());
  const bytes = Uint8Array.of(1, 2, 3);
  const codec = levels(await table('levels-1.bin', bytes));
  const written = await writeSplitCodec(out(), codec, new Map([['levels-1.bin', bytes]]));
  expect(written).toEqual({ ...before, codec });
  expect(await readManifestFile(out())).toEqual(written);
  expect((await readdir(out())).toSorted()).toEqual(['head.onnx', 'levels-1.bin', 'split.json', 'tail.onnx']);
  expect([...(await readFile(path.join(out(), 'levels-1.bin')))]).toEqual([1, 2, 3]);
  const plain: SplitCodec = { kind: 'coded', tensors: [{ name: 'b', codec: { kind: 'float16' } }], calibration: null };
  expect((await writeSplitCodec(out(), plain)).codec).toEqual(plain);
  expect(await readdir(out())).not.toContain('levels-1.bin');
  await openSplit(out());
  const verified = await verifySplit({ model: path.join(folder, 'model.onnx'), folder: out(), backend: cpu(ort) });
  expect(verified).toMatchObject({ verdict: 'bit-equal', lossyCodecs: ['float16'] });
});

test('what does not fit is refused, and the folder stays as it was', async () => {
  const before = await readManifestFile(out());
  const file = await table('levels-1.bin', Uint8Array.of(1, 2, 3));
  const strange: SplitCodec = {
    kind: 'coded',
    tensors: [{ name: 'c', codec: { kind: 'lossless' } }],
    calibration: null,
  };
  await expect(writeSplitCodec(out(), strange)).rejects.toThrow(/codec.tensors.name' must be a tensor of the cut/);
  await expect(writeSplitCodec(out(), levels(file))).rejects.toThrow(/level table levels-1.bin is missing/);
  const other = new Map([['levels-1.bin', Uint8Array.of(1, 2, 4)]]);
  await expect(writeSplitCodec(out(), levels(file), other)).rejects.toThrow(/is missing or not the one/);
  await expect(writeSplitCodec(folder, strange)).rejects.toThrow(/split.json' is not there/);
  expect(await readManifestFile(out())).toEqual(before);
  expect((await readdir(out())).toSorted()).toEqual(['head.onnx', 'split.json', 'tail.onnx']);
});
