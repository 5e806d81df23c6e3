// `kerf plan --codecs`: measured codecs in the answer, a calibrated split as one; and bad input.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SplitManifest } from '@kerf/protocol';
import { CODECS_FORMAT, type CodecProfile, type CutCodec, type DeviceProfile } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handProfile, valuesOf, writeJson } from './support/hand-profiles.ts';
import { REAL } from './support/models.ts';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';

interface Row {
  readonly label: string;
  readonly codec: string;
  readonly uplinkBytes: number;
  readonly bitsPerValue: number | null;
  readonly loss: number | null;
  readonly calibration: { readonly metric: string; readonly lossInterval: readonly number[] } | null;
  readonly parts: readonly { readonly name: string; readonly ms: number }[];
}

interface Report {
  readonly choice: Row;
  readonly bestOf: { readonly split: Row };
  readonly coding: { readonly calibrated: Row; readonly raw: Row | null; readonly lossless: Row | null } | null;
  readonly warnings: readonly string[];
}

const DIMS = ['p2o.DynamicDimension.0=1', 'p2o.DynamicDimension.1=48', 'p2o.DynamicDimension.2=192'];
const INPUT = { x: [1, 3, 48, 192] };
const LINK = ['--uplink', '2mbit', '--rtt', '2ms', '--no-raw-input'];
const CODING = { lossless: { encodeMsPerMegabyte: 12, decodeMsPerMegabyte: 10 } };

let folder: string;
let edge: DeviceProfile;
let codecs: CodecProfile;
/** A tensor of the model that a cut can be made at, and its size. */
let cut: { readonly name: string; readonly bytes: number };
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: folder });
const planned = (...args: string[]): Promise<Ran> =>
  kerf('plan', REAL.classifier, '--edge', 'edge.json', '--cloud', 'cloud.json', ...LINK, ...args);

const entry = (label: string, channelAxis: number | null, share: number, lossPoints: number): CutCodec => ({
  label,
  tensors: [{ name: cut.name, codec: { kind: 'uint8', channelAxis }, bytesPerFrame: Math.round(cut.bytes * share) }],
  bitsPerValue: 32 * share,
  samples: 120,
  wholePoints: 91.25,
  lossPoints,
  lossInterval: [lossPoints - 0.2, lossPoints + 0.2],
  encodeMs: 0.5,
  decodeMs: 0.25,
  folder: null,
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-plan-codecs-'));
  const values = await valuesOf(REAL.classifier, DIMS);
  const listed = await kerf('cuts', REAL.classifier, ...DIMS.flatMap((dim) => ['--dim', dim]), '--single', '--json');
  const { cuts } = jsonOf<{
    cuts: { tensors: { name: string; bytes: number }[]; inputs: unknown[]; insideFusion: string | null }[];
  }>(listed);
  const clean = cuts.filter(({ inputs, insideFusion }) => inputs.length === 0 && insideFusion === null);
  cut = clean[clean.length >> 2]?.tensors[0] ?? { name: '', bytes: 0 };
  const coded = values.map((value) => ({ ...value, losslessBytes: Math.ceil((value.bytes ?? 0) * 0.7) }));
  const hand = { model: REAL.classifier, values: coded, inputShapes: INPUT };
  edge = { ...(await handProfile({ ...hand, name: 'station 4', convolutionMs: 4 })), coding: CODING };
  await writeJson(folder, 'edge.json', edge);
  await writeJson(folder, 'cloud.json', {
    ...(await handProfile({ ...hand, name: 'server', convolutionMs: 0.02 })),
    coding: CODING,
  });
  codecs = {
    format: CODECS_FORMAT,
    model: edge.model,
    metric: 'accuracy',
    measuredOn: { processor: 'x', runtime: 'node', coding: CODING },
    versions: {},
    date: '2026-11-25T20:00:00Z',
    entries: [entry('uint8', null, 0.05, 0.4), entry('uint8 per channel', 1, 0.1, 0.1)],
  };
  await writeJson(folder, 'codecs.json', codecs);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the codec at the cut is named with its rate and its loss, and what there is without it', async () => {
  const { stdout, status, stderr } = await planned('--codecs', 'codecs.json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const text = stdout.replaceAll(/\s+/g, ' ');
  expect(text).toContain(`Split at ${cut.name}, sent as uint8: `);
  expect(text).toContain(`uint8 at ${cut.name}: 1.6 bits per value, `);
  expect(text).toContain('It costs 0.4 points of accuracy (95 %: 0.2 to 0.6, 120 samples); the whole model has 91.25.');
  expect(text).toMatch(
    /With it, the split there gives [\d.]+ ms a frame, raw [\d.]+ ms a frame\. Without any loss the best is/,
  );
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(170);
  const { choice, coding } = jsonOf<Report>(await planned('--codecs', 'codecs.json', '--json'));
  expect(choice).toMatchObject({ codec: 'uint8', loss: 0.4, bitsPerValue: 1.6, calibration: { metric: 'accuracy' } });
  expect(coding?.calibrated.label).toBe(choice.label);
  expect(coding?.raw).toMatchObject({ codec: 'raw', uplinkBytes: cut.bytes, bitsPerValue: 32 });
  expect(coding?.lossless?.loss).toBe(0);
  expect(choice.parts.find(({ name }) => name === 'encode')?.ms).toBe(0.5);
});

test('a limit on the loss chooses the codec; where the interval reaches beyond it, a note says so', async () => {
  const limit = ['--codecs', 'codecs.json', '--max-loss', '0.2', '--json'];
  const { coding, warnings } = jsonOf<Report>(await planned(...limit));
  expect(coding?.calibrated).toMatchObject({ codec: 'uint8 per channel', loss: 0.1 });
  expect(warnings.join()).toContain('may be up to 0.3 points (95 %)');
  const none = jsonOf<Report>(await planned('--codecs', 'codecs.json', '--max-loss', '0', '--json'));
  expect(none.coding).toBeNull();
  expect(none.bestOf.split.codec).toMatch(/^(raw|lossless)$/);
});

test('a calibrated split is a codec too', async () => {
  const at = ['--at', JSON.stringify([cut.name])];
  await kerf('split', REAL.classifier, ...at, '--codec', 'uint8-channel', '--out', 'part');
  const refusal = expectRefusal(await planned('--codecs', 'part'), 2, 'INVALID_ARGUMENT');
  expect(refusal).toMatch(/'part' was not calibrated/);
  const file = join(folder, 'part', 'split.json');
  const split = JSON.parse(await readFile(file, 'utf8')) as SplitManifest;
  const calibration = {
    metric: 'accuracy',
    samples: 120,
    wholePoints: 91.25,
    lossPoints: -0.05,
    lossInterval: [-0.2, 0.1],
    maxLossPoints: 0.5,
    bitsPerValue: 7,
    bytesPerFrame: Math.round((cut.bytes * 7) / 32),
  };
  await writeFile(file, JSON.stringify({ ...split, codec: { ...split.codec, calibration } }));
  const { coding } = jsonOf<Report>(await planned('--codecs', 'part', '--json'));
  expect(coding?.calibrated).toMatchObject({
    label: `split at ${cut.name}, uint8 per channel`,
    uplinkBytes: calibration.bytesPerFrame,
    loss: 0,
    bitsPerValue: 7,
  });
});

describe('bad input', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['nothing there', () => null, /--codecs: 'wrong.json' is not there/],
    ['no JSON', () => 'levels 3', /--codecs: 'wrong.json' is no JSON; 'kerf calibrate --codecs' writes such files/],
    ['a profile of a device', () => edge, /--codecs: 'wrong.json': codecs: 'format' must be 'kerf-codecs\/1'/],
    [
      'another model',
      () => ({ ...codecs, model: { file: 'other.onnx', sha256: 'ab'.repeat(32) } }),
      /is of another model \('other.onnx'.*kerf calibrate/s,
    ],
    [
      'tensors that are no cut',
      () => ({
        ...codecs,
        entries: [{ ...codecs.entries[0], tensors: [{ ...codecs.entries[0]?.tensors[0], name: 'x' }] }],
      }),
      /'uint8' is for 'x', which is no cut of this model/,
    ],
    [
      'a loss without an interval',
      () => ({ ...codecs, entries: [{ ...codecs.entries[0], lossInterval: [0] }] }),
      /'entries\[0\].lossInterval' must be two numbers/,
    ],
  ])('%s', async (_, made, message) => {
    const json = made();
    await rm(join(folder, 'wrong.json'), { force: true });
    if (json !== null) await writeJson(folder, 'wrong.json', json);
    const ran = await planned('--codecs', 'wrong.json');
    const told = json === null ? expectRefusal(ran, 1, 'FILE_NOT_FOUND') : expectRefusal(ran, 2, 'INVALID_ARGUMENT');
    expect(told).toMatch(message);
  });
});
