// Codecs measured at cuts, from JSON: what is accepted, what each fault says, and how two files become one.
import { systemClock } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import {
  CODECS_FORMAT,
  CODED_KINDS,
  type CodecProfile,
  measureCoding,
  mergeCodecProfiles,
  parseCodecProfile,
} from '../src/index.ts';
import { expectCode } from './models.ts';

const table = { file: `levels-${'a'.repeat(16)}.bin`, sha256: 'ab'.repeat(32), bytes: 812 };
const entry = {
  label: 'levels 3',
  tensors: [
    { name: 'relu_3', codec: { kind: 'levels', table }, bytesPerFrame: 4100.5 },
    { name: 'skip', codec: { kind: 'uint8', channelAxis: 1 }, bytesPerFrame: 900 },
  ],
  bitsPerValue: 0.62,
  samples: 100,
  wholePoints: 81.5,
  lossPoints: 0.3,
  lossInterval: [0.1, 0.5],
  encodeMs: 2.5,
  decodeMs: 2,
  folder: 'split-relu_3',
};
const lossless = {
  ...entry,
  label: 'lossless',
  tensors: entry.tensors.map((tensor) => ({ ...tensor, codec: { kind: 'lossless' } })),
  folder: null,
};
const profile = {
  format: CODECS_FORMAT,
  model: { file: 'm.onnx', sha256: 'cd'.repeat(32) },
  metric: 'pixel IoU',
  measuredOn: {
    processor: 'x',
    runtime: 'node 20.19.0',
    coding: { lossless: { encodeMsPerMegabyte: 20, decodeMsPerMegabyte: 12 } },
  },
  versions: { kerf: '0.1.0' },
  date: '2026-11-25T20:00:00Z',
  entries: [entry, lossless],
};
const read = (json: unknown): CodecProfile => parseCodecProfile(JSON.parse(JSON.stringify(json)));

test('a profile of codecs survives JSON; unknown keys are ignored, what may be left out is null', () => {
  expect(read({ ...profile, more: 1, entries: [{ ...entry, more: 2 }, lossless] })).toEqual(profile);
  const { folder: _, ...rest } = lossless;
  const bare = read({ ...profile, measuredOn: { processor: 'x', runtime: 'y' }, entries: [rest] });
  expect(bare).toMatchObject({ measuredOn: { coding: {} }, entries: [{ folder: null }] });
});

describe('a wrong profile of codecs says what is wrong', () => {
  const tensor = entry.tensors[0];
  const withCodec = (codec: unknown) => ({ ...entry, tensors: [{ ...tensor, codec }] });
  test.each<[unknown, RegExp]>([
    [null, /codecs must be an object/],
    [{ ...profile, format: 'kerf-codecs/2' }, /this kerf reads 'kerf-codecs\/1'; calibrate again with it/],
    [{ ...profile, format: 'kerf-profile/1' }, /'format' must be 'kerf-codecs\/1', got 'kerf-profile\/1'/],
    [{ ...profile, entries: [entry, entry] }, /'entries\[1\]' is the second 'levels 3' at its cut/],
    [{ ...profile, entries: [{ ...entry, tensors: [] }] }, /'entries\[0\].tensors' must name the tensors of a cut/],
    [{ ...profile, entries: [{ ...entry, tensors: [tensor, tensor] }] }, /names a tensor twice/],
    [{ ...profile, entries: [{ ...entry, folder: null }] }, /'entries\[0\].folder' is missing: level tables are files/],
    [{ ...profile, entries: [{ ...entry, lossInterval: [0.1] }] }, /lossInterval' must be two numbers/],
    [{ ...profile, entries: [{ ...entry, lossInterval: [0.5, 0.1] }] }, /lossInterval' must be two numbers, the lower/],
    [{ ...profile, entries: [{ ...entry, encodeMs: -1 }] }, /encodeMs' is absurd: -1 .* milliseconds/],
    [{ ...profile, entries: [{ ...entry, lossPoints: null }] }, /lossPoints' must be a finite number/],
    [{ ...profile, entries: [{ ...entry, bitsPerValue: 65 }] }, /bitsPerValue' is absurd: 65/],
    [{ ...profile, entries: [withCodec({ kind: 'zip' })] }, /codec.kind' must be one of raw, .* got 'zip'/],
    [
      { ...profile, entries: [withCodec({ kind: 'levels', table: { ...table, file: '../x' } })] },
      /table.file' must be a plain file name/,
    ],
    [
      { ...profile, measuredOn: { processor: 'x', runtime: 'y', coding: { lossless: {} } } },
      /MsPerMegabyte' is missing/,
    ],
    [{ ...profile, model: { file: 'm', sha256: 'AB' } }, /'model.sha256' must be 64 lower-case hex digits/],
  ])('%#', (json, message) => {
    expectCode(() => read(json), 'INVALID_ARGUMENT', message);
  });
});

test('merging: the later entry of a cut and label stays; what cannot be compared stays apart', () => {
  const known = read(profile);
  const again = { ...entry, tensors: entry.tensors.toReversed(), lossPoints: 0.2 };
  const more = read({ ...profile, date: '2026-11-26', entries: [again, { ...entry, label: 'levels 5' }] });
  const merged = mergeCodecProfiles(known, more);
  expect(merged.date).toBe('2026-11-26');
  expect(merged.entries.map(({ label, lossPoints }) => [label, lossPoints])).toEqual([
    ['lossless', 0.3],
    ['levels 3', 0.2],
    ['levels 5', 0.3],
  ]);
  const others: [Partial<CodecProfile>, RegExp][] = [
    [{ model: { file: 'n.onnx', sha256: 'ef'.repeat(32) } }, /two models .*'m.onnx' and 'n.onnx'/],
    [{ metric: 'accuracy' }, /two metrics .*'pixel IoU' and 'accuracy'/],
    [{ measuredOn: { ...known.measuredOn, runtime: 'chromium 156' } }, /two machines .*chromium 156/],
  ];
  for (const [other, message] of others) {
    expectCode(() => mergeCodecProfiles(known, { ...more, ...other }), 'INVALID_ARGUMENT', message);
  }
});

test('coding is timed here: every kind, both ways, more than nothing', async () => {
  const coding = await measureCoding(systemClock, 300);
  for (const kind of CODED_KINDS) {
    expect(coding[kind]?.encodeMsPerMegabyte, kind).toBeGreaterThan(0);
    expect(coding[kind]?.decodeMsPerMegabyte, kind).toBeGreaterThan(0);
  }
});
