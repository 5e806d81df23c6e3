// `kerf calibrate` on a real model and the real runtime: what it writes, that it holds, and what it refuses.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSplitManifest, type SplitManifest } from '@kerf/protocol';
import { parseCodecProfile } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calibrationText } from '../src/calibrate/calibration-text.ts';
import type { CalibrationReport, MeasuredRow } from '../src/calibrate/report.ts';
import type { EvaluationReport } from '../src/evaluate/report.ts';
import { detectorModel, inspectionModel, kerf, put, writeParts } from './support/inspection.ts';

let folder = '';
let model = '';
let parts = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-calibrate-test-'));
  model = await put(folder, 'inspect.onnx', inspectionModel());
  parts = join(folder, 'parts');
  await writeParts(parts, 20, 16);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function calibrate(...argv: readonly string[]): Promise<CalibrationReport> {
  return JSON.parse(await kerf('calibrate', model, '--samples', parts, ...argv, '--json')) as CalibrationReport;
}

async function manifestOf(split: string): Promise<SplitManifest> {
  return parseSplitManifest(JSON.parse(await readFile(join(split, 'split.json'), 'utf8')));
}

describe('kerf calibrate', () => {
  test('writes a split that sends levels, and evaluate finds what calibration found', async () => {
    const out = join(folder, 'levels');
    const report = await calibrate('--at', 'features', '--out', out);
    expect(report).toMatchObject({
      metric: 'pixel IoU',
      samples: { chosenOn: 16, judgedOn: 20 },
      maxLossPoints: 0.5,
      confidencePercent: 95,
    });
    const [cut] = report.cuts;
    expect(cut).toMatchObject({ cut: ['features'], folder: out });
    expect(cut?.best).toMatch(/^levels/);
    const best = cut?.measured.find(({ label }) => label === cut.best);
    const { codec } = await manifestOf(out);
    expect(codec).toMatchObject({
      kind: 'coded',
      tensors: [{ name: 'features', codec: { kind: 'levels' } }],
      calibration: { metric: 'pixel IoU', samples: 20, maxLossPoints: 0.5, lossPoints: best?.loss.lossPoints },
    });
    const table = (await readdir(out)).filter((name) => name.endsWith('.klt'));
    expect(table).toHaveLength(1);
    const evaluated = JSON.parse(
      await kerf('evaluate', model, '--samples', parts, '--split', out, '--json'),
    ) as EvaluationReport;
    expect(evaluated.placement).toBe('split at features, levels');
    expect(evaluated.against?.lossPoints).toBeLessThan(1);
    expect(evaluated.traffic?.bytesPerFrame).toBeLessThan((best?.bytesPerFrame ?? 0) * 1.2);
    await kerf('verify', model, out);
  });

  test('holds a detector to its boxes, not to the numbers of its outputs', async () => {
    const detector = await put(folder, 'detector.onnx', detectorModel());
    const station = {
      format: 'kerf-station/1',
      station: 'line',
      source: { kind: 'folder', path: 'in' },
      model: { path: 'detector.onnx' },
      task: { kind: 'detector', format: 'yolov8', classes: ['stain'], reject: ['stain'], minScore: 0.5 },
      sinks: [{ kind: 'json-lines', path: 'out.jsonl' }],
    };
    const line = await put(folder, 'line.json', JSON.stringify(station));
    const shared = [
      'calibrate',
      detector,
      '--samples',
      parts,
      '--at',
      'features',
      '--max-loss',
      '10',
      '--json',
    ] as const;
    const boxes = JSON.parse(
      await kerf(...shared, '--detector', line, '--out', join(folder, 'boxes')),
    ) as CalibrationReport;
    expect(boxes.metric).toBe('F1 of boxes at IoU 0.5');
    const [cut] = boxes.cuts;
    const best = cut?.measured.find(({ label }) => label === cut.best);
    expect(best).toMatchObject({ label: expect.stringMatching(/^levels/), loss: { wholePoints: 100 } });
    const { codec } = await manifestOf(join(folder, 'boxes'));
    expect(codec).toMatchObject({ calibration: { metric: 'F1 of boxes at IoU 0.5' } });
    await expect(
      kerf(...shared, '--detector', line, '--output', 'output0', '--out', join(folder, 'no')),
    ).rejects.toThrow(/leave out --output/);
    const evaluated = JSON.parse(
      await kerf(
        'evaluate',
        detector,
        '--samples',
        parts,
        '--split',
        join(folder, 'boxes'),
        '--detector',
        line,
        '--json',
      ),
    ) as EvaluationReport;
    expect(evaluated.task).toMatchObject({ kind: 'boxes', metric: { name: 'F1 of boxes at IoU 0.5' } });
  });

  test('replaces the codec of a split that is there, and its tables', async () => {
    const out = join(folder, 'again');
    await calibrate('--at', 'features', '--out', out, '--codec', 'levels');
    const report = await calibrate('--split', out, '--codec', 'uint8');
    expect(report.cuts[0]).toMatchObject({ best: 'uint8', folder: out });
    expect((await manifestOf(out)).codec).toMatchObject({ tensors: [{ codec: { kind: 'uint8', channelAxis: null } }] });
    expect((await readdir(out)).filter((name) => name.endsWith('.klt'))).toEqual([]);
  });

  test('several cuts in one go, each in its folder, and a file for the planner that grows', async () => {
    const out = join(folder, 'several');
    const codecs = join(folder, 'codecs.json');
    const report = await calibrate(
      '--at',
      'features',
      '--at',
      'mask',
      '--out',
      out,
      '--codecs',
      codecs,
      '--codec',
      'uint8',
    );
    expect(report.cuts.map((cut) => cut.folder)).toEqual([join(out, '1-features'), join(out, '2-mask')]);
    const first = parseCodecProfile(JSON.parse(await readFile(codecs, 'utf8')));
    expect(first.entries.map(({ label, tensors }) => [label, tensors[0]?.name])).toEqual([
      ['uint8', 'features'],
      ['uint8', 'mask'],
    ]);
    await calibrate('--at', 'features', '--out', join(folder, 'more'), '--codecs', codecs, '--codec', 'levels');
    const second = parseCodecProfile(JSON.parse(await readFile(codecs, 'utf8')));
    expect(second.entries).toHaveLength(3);
    expect(second.entries[2]).toMatchObject({ folder: 'more', tensors: [{ codec: { kind: 'levels' } }] });
  });

  test('auto finds a cut by itself', async () => {
    const report = await calibrate('--at', 'auto', '--out', join(folder, 'auto'), '--codec', 'float16');
    expect(report.cuts.length).toBeGreaterThan(0);
    expect(report.cuts.every(({ best }) => best === 'float16')).toBe(true);
  });

  test('people get a table', async () => {
    const out = join(folder, 'text');
    const text = await kerf('calibrate', model, '--samples', parts, '--at', 'features', '--out', out);
    expect(text).toMatch(/16 of .* to choose by, 20 others to judge by/);
    expect(text).toMatch(/^levels \d+ \* .* ms/m);
    expect(text).toContain(`* written to ${out}`);
  });
});

describe('what cannot be calibrated', () => {
  test.each([
    [['--at', 'features'], /--out is needed/],
    [['--out', 'x'], /--at is needed/],
    [['--split', 'x', '--at', 'features'], /leave out --at/],
    [['--at', 'features', '--out', 'x', '--max-loss=-1'], /--max-loss must be/],
    [['--at', 'features', '--out', 'x', '--levels', '1'], /--levels must be/],
    [['--at', 'features', '--out', 'x', '--levels', '65'], /--levels must be/],
    [['--at', 'features', '--out', 'x', '--codec', 'raw'], /--codec must be one of/],
    [['--at', 'features', '--out', 'x', '--max-bytes', 'much'], /--max-bytes must be/],
    [['--at', 'nothing', '--out', 'x'], /nothing/],
    [['--at', 'auto', '--at', 'features', '--out', 'x'], /leave the other --at out/],
  ])('%j', async (argv, message) => {
    const out = join(folder, 'x');
    const line = argv.map((word) => (word === 'x' ? out : word));
    await expect(kerf('calibrate', model, '--samples', parts, ...line)).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });

  test('too few samples: how many there are, and how many are needed', async () => {
    const out = join(folder, 'few');
    await expect(
      kerf('calibrate', model, '--samples', parts, '--limit', '9', '--at', 'features', '--out', out),
    ).rejects.toMatchObject({
      code: 'SAMPLES_UNUSABLE',
      message: expect.stringMatching(/9 are there, .* at least 16/),
    });
    expect(existsSync(out)).toBe(false);
  });

  test('no codec within the limits: exit status 1, and nothing is written', async () => {
    const out = join(folder, 'none');
    const codecs = join(folder, 'none.json');
    const report = await calibrate('--at', 'features', '--out', out, '--max-bytes', '1B', '--codecs', codecs);
    expect(report.cuts).toMatchObject([{ best: null, folder: null }]);
    expect(existsSync(out)).toBe(false);
    const { entries } = parseCodecProfile(JSON.parse(await readFile(codecs, 'utf8')));
    expect(entries.map(({ label }) => label).toSorted()).toEqual(['float16', 'lossless', 'uint8', 'uint8 per channel']);
  });

  test('a folder of other files, a file of other things, a split of another model', async () => {
    const taken = join(folder, 'taken');
    await put(taken, 'notes.txt', 'mine');
    const at = ['--at', 'features', '--codec', 'float16'];
    await expect(calibrate(...at, '--out', taken)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    const notes = join(taken, 'notes.txt');
    await expect(calibrate(...at, '--out', join(folder, 'y'), '--codecs', notes)).rejects.toMatchObject({
      code: 'FILE_EXISTS',
    });
    expect(await readFile(notes, 'utf8')).toBe('mine');
    await writeFile(join(folder, 'other.onnx'), inspectionModel({ note: 'another' }));
    const other = join(folder, 'other');
    await kerf('split', join(folder, 'other.onnx'), '--at', 'features', '--out', other);
    await expect(calibrate('--split', other, '--codec', 'float16')).rejects.toMatchObject({ code: 'PAIR_MISMATCH' });
    await expect(calibrate('--split', taken, '--codec', 'float16')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

test('a codec that may only have been lucky is not taken without a word', () => {
  const row = (
    label: string,
    lossPoints: number,
    upperLossPoints: number,
    samplesToShow: number | null,
  ): MeasuredRow => ({
    label,
    tensors: [],
    bytesPerFrame: 100,
    bitsPerValue: 1,
    loss: { wholePoints: 90, codedPoints: 90 - lossPoints, lossPoints, lossInterval: { low: -1, high: 1 } },
    upperLossPoints,
    samplesToShow,
    chosenLoss: null,
    encodeMs: 1,
    decodeMs: 1,
  });
  const text = (...measured: MeasuredRow[]): string =>
    calibrationText({
      model: { file: 'm.onnx', sha256: 'ab' },
      samples: { folder: 'parts', chosenOn: 20, judgedOn: 40, seed: 1 },
      metric: 'accuracy',
      maxLossPoints: 0.5,
      confidencePercent: 95,
      maxBytes: null,
      cuts: [{ cut: ['t'], folder: 'out', best: 'lossless', nonFinite: { values: 0, samples: 0 }, measured }],
      codecs: null,
    }).join('\n');
  expect(text(row('float16', 0, 6.3, 542), row('uint8', 2, 9, null), row('lossless', 0, 0, 0))).toMatch(
    /^float16: what was seen is within the limit, but may be luck; about 550 samples that judge could show it, or --confidence ask less$/m,
  );
  expect(text(row('float16', 0, 0.4, 40), row('lossless', 0, 0, 0))).not.toContain('luck');
});
