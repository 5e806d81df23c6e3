// Release manifests and golden files: what is written is read again; what contradicts itself is refused by name.
import {
  parseReleaseManifest,
  type ReleaseManifest,
  readGoldenFile,
  writeGoldenFile,
  writeReleaseManifest,
} from '@kerf/delta-sync';
import { float32Tensor, makeTensor } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { sampleManifest } from './support/releases.ts';

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const [file] = sampleManifest().files;

test('a manifest is read as it was written', () => {
  const manifest = sampleManifest({
    notes: 'brighter lamp',
    station: { passBelow: 0.31, labels: ['good', 'scratch'] },
  });
  expect(parseReleaseManifest(writeReleaseManifest(manifest))).toEqual(manifest);
});

test.each<[string, Partial<Record<keyof ReleaseManifest, unknown>>, RegExp]>([
  ['another format', { format: 'kerf-release/2' }, /'format'/],
  ['a name with a path', { name: '../x' }, /'name'/],
  ['a version with a slash', { version: '1/2' }, /'version'/],
  ['sequence 0', { sequence: 0 }, /'sequence'/],
  ['a date that does not exist', { createdAt: '2026-13-40T00:00:00Z' }, /'createdAt'/],
  ['no files', { files: [] }, /no files/],
  ['two files of one name', { files: [file, { ...file, name: 'MODEL.onnx' }] }, /same name/],
  ['a file with a path', { files: [{ ...file, name: 'a/b' }] }, /'files.name'/],
  ['a device of Windows', { files: [{ ...file, name: 'con.onnx' }] }, /'files.name'/],
  ['a hash that is none', { files: [{ ...file, sha256: 'A'.repeat(64) }] }, /'files.sha256'/],
  ['half a byte', { files: [{ ...file, bytes: 1.5 }] }, /'files.bytes'/],
  ['an entry that is not there', { entry: 'other.onnx' }, /'entry' names/],
  ['a model without an entry', { entry: null }, /'entry'/],
  ['a head without its own tail', { tails: [] }, /its own pair/],
  [
    'golden samples that are not there',
    { golden: { file: 'g', samples: 1, madeBy: 'x', absolute: 0, relative: 0 } },
    /'golden' names/,
  ],
  ['a runtime that is no version', { runtime: { kerf: 'new', onnxruntime: null } }, /'runtime.kerf'/],
])('refuses %s', (_, change, message) => {
  const wrong = encode({ ...sampleManifest(), ...change });
  expect(() => parseReleaseManifest(wrong)).toThrow(
    expect.objectContaining({ code: 'RELEASE_INVALID', message: expect.stringMatching(message) }),
  );
});

test('refuses what two readers could read in two ways', () => {
  const text = new TextDecoder().decode(encode(sampleManifest()));
  const twice = text.replace('"version":', '"version":"9","version"  \n :');
  for (const wrong of [twice, `${text}x`, text.slice(0, -1), '[]', '{"a":'.repeat(100_000), '"']) {
    const bytes = new TextEncoder().encode(wrong);
    expect(() => parseReleaseManifest(bytes)).toThrow(expect.objectContaining({ code: 'RELEASE_INVALID' }));
  }
  expect(() => parseReleaseManifest(Uint8Array.of(0xff, 0xfe))).toThrow(
    expect.objectContaining({ code: 'RELEASE_INVALID' }),
  );
});

describe('golden samples', () => {
  const inputs = new Map([['x:0', float32Tensor([1, 2], Float32Array.of(1.5, -2))]]);
  const outputs = new Map([
    ['y', makeTensor('int64', [1], new Uint8Array(8).fill(7))],
    ['empty', float32Tensor([0], new Float32Array(0))],
  ]);
  const bytes = writeGoldenFile([
    { inputs, outputs },
    { inputs: new Map(), outputs },
  ]);

  test('are read as they were written', () => {
    expect(readGoldenFile(bytes)).toEqual([
      { inputs, outputs },
      { inputs: new Map(), outputs },
    ]);
  });

  test('are refused wherever they are cut, and with bytes behind them', () => {
    for (let end = 0; end < bytes.byteLength; end++) {
      expect(() => readGoldenFile(bytes.subarray(0, end))).toThrow(
        expect.objectContaining({ code: 'RELEASE_INVALID' }),
      );
    }
    const longer = new Uint8Array(bytes.byteLength + 1);
    longer.set(bytes);
    expect(() => readGoldenFile(longer)).toThrow(expect.objectContaining({ code: 'RELEASE_INVALID' }));
  });
});
