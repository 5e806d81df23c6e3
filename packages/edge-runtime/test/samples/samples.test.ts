// Which parts are worth a label, how alike two are, and what a data set of them looks like.

import type { KerfError } from '@kerf/protocol';
import { bytesOf, float32Tensor, makeTensor, type Tensor } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { embeddingOf, likenessOf, numbersOf } from '../../src/samples/embedding.ts';
import { exportSamples, type LabelledSample } from '../../src/samples/export-samples.ts';
import { keepReasons } from '../../src/samples/keep-reasons.ts';
import { maskBoxes } from '../../src/samples/mask-boxes.ts';
import { sampleLabels } from '../../src/samples/sample-labels.ts';
import type { Task } from '../../src/station/judge/judge.ts';
import type { ResultRecord } from '../../src/station/result-record.ts';

const THRESHOLDS = { passBelow: 0.3, ngAbove: 0.9 };
const POLICY = { verdicts: ['REVIEW' as const], near: 0.05, random: 0.01 };

function record(more: Partial<ResultRecord> = {}): ResultRecord {
  return {
    resultId: 'line-1/a',
    verdict: 'PASS',
    score: 0.1,
    placement: 'edge',
    partId: 'P-1',
    takenTime: '2026-11-26T10:00:00.000Z',
    boxes: [],
    mask: null,
    ...more,
  } as ResultRecord;
}

describe('a part is kept', () => {
  const reasons = (one: Partial<ResultRecord>, before: ResultRecord | null = null, chance = 0.5): readonly string[] =>
    keepReasons(record(one), before, POLICY, THRESHOLDS, chance);

  test('for its verdict, a score near a threshold, two verdicts that differ, or by chance; else not', () => {
    expect(reasons({})).toEqual([]);
    expect(reasons({ verdict: 'REVIEW', score: 0.5 })).toEqual(['verdict']);
    expect(reasons({ score: 0.26 })).toEqual(['near-threshold']);
    expect(reasons({ verdict: 'NG', score: 0.94 })).toEqual(['near-threshold']);
    expect(reasons({ verdict: 'NG', score: 0.96 })).toEqual([]);
    expect(reasons({}, record({ verdict: 'NG' }))).toEqual(['disagreement']);
    expect(reasons({}, record())).toEqual([]);
    expect(reasons({}, null, 0.009)).toEqual(['random']);
    expect(reasons({ verdict: 'REVIEW', score: 0.31 }, record(), 0)).toEqual([
      'verdict',
      'near-threshold',
      'disagreement',
      'random',
    ]);
  });

  test('not for a score that the thresholds are not for', () => {
    expect(reasons({ score: 0.3, placement: 'small' })).toEqual([]);
    expect(reasons({ score: null, verdict: 'NO_READ' })).toEqual([]);
  });
});

describe('likeness', () => {
  const [channels, side] = [70, 24];
  const noise = (seed: number): number => ((Math.imul(seed, 2_654_435_761) >>> 0) / 2 ** 32 - 0.5) * 0.05;
  /** A texture that is the same for all, noise of its own, and a defect in 3 x 3 places where one is asked for. */
  function part(seed: number, defectAt: number | null = null): Tensor {
    const values = Float32Array.from({ length: channels * side * side }, (_, at) => {
      const [x, y] = [at % side, Math.floor(at / side) % side];
      const isDefect = defectAt !== null && Math.abs(x - defectAt) < 2 && Math.abs(y - defectAt) < 2;
      return 1 + Math.sin(at / 40) + noise(seed * 100_003 + at) + (isDefect ? 3 : 0);
    });
    return float32Tensor([1, channels, side, side], values);
  }
  const embed = (tensor: Tensor) => embeddingOf([tensor]) ?? expect.unreachable();

  test('is 1 with itself, high for the same part again, low as soon as one place differs', () => {
    const [first, again, defect] = [embed(part(1)), embed(part(2)), embed(part(3, 11))];
    expect(likenessOf(first, first)).toBe(1);
    expect(likenessOf(first, again)).toBeGreaterThan(0.95);
    expect(likenessOf(first, defect)).toBeLessThan(0.7);
    expect(likenessOf(defect, first)).toBeCloseTo(likenessOf(first, defect), 10);
    expect(likenessOf(first, defect, 0.85)).toBeLessThan(0.85);
    expect(first.values.length).toBe(64 * 64);
  });

  test('takes other shapes and dtypes, and never calls parts of different models alike', () => {
    const row = embeddingOf([float32Tensor([1, 5], new Float32Array([1, 2, 3, 4, 5]))]);
    expect(row).toMatchObject({ cells: 5, scale: 5 });
    expect(likenessOf(row ?? expect.unreachable(), embed(part(1)))).toBe(-1);
    expect(embeddingOf([makeTensor('string', [0], new Uint8Array())])).toBeNull();
    expect([...numbersOf(makeTensor('uint8', [3], Uint8Array.of(100, 101, 103)))]).toEqual([0, 1, 3]);
    expect([...numbersOf(makeTensor('float16', [2], bytesOf(new Uint16Array([0x3c00, 0xc000]))))]).toEqual([1, -2]);
    const broken = embed(float32Tensor([1, 1, 8, 8], new Float32Array(64).fill(Number.NaN)));
    expect(likenessOf(broken, broken)).toBe(1);
  });
});

describe('labels', () => {
  const classifier = { kind: 'classifier', classes: ['ok', 'scratch'], reject: ['scratch'] } as unknown as Task;
  const anomaly = { kind: 'anomaly', score: null, mask: null } as Task;
  test('follow from the task where the file has none', () => {
    const named = (task: Task, labels: readonly string[] | null = null): string =>
      sampleLabels({ labels }, task)
        .map(({ name, isGood }) => `${name}${isGood ? '+' : ''}`)
        .join(' ');
    expect(named(anomaly)).toBe('good+ defect');
    expect(named(classifier)).toBe('ok+ scratch');
    expect(named({ kind: 'detector', classes: ['part', 'dent'], reject: ['dent'] } as unknown as Task)).toBe(
      'good+ dent',
    );
    expect(named(anomaly, ['good', 'dent', 'crack'])).toBe('good+ dent crack');
  });
  test.each([
    [['dent', 'crack'], /need 'good'/],
    [['good', 'good', 'dent'], /twice/],
  ])('%j is refused', (labels, message) => {
    const refused = (): unknown => sampleLabels({ labels }, anomaly);
    expect(refused).toThrow(message);
    expect(refused).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' } satisfies Partial<KerfError>));
  });
});

test('boxes lie about each region that the model marked, and nothing else', () => {
  // 4 x 3 cells: two regions that touch at a corner only, and one cell that is too faint.
  const mask = { width: 4, height: 3, runs: [15, 2, 0, 2, 0, 2, 9, 1, 0, 1, 3, 1, 0, 3] };
  expect(maskBoxes(mask, { width: 400, height: 300 })).toEqual([
    [0, 0, 200, 100],
    [200, 100, 100, 100],
  ]);
  expect(maskBoxes({ ...mask, area: { x: 100, y: 30, width: 40, height: 60 } }, { width: 400, height: 300 })).toEqual([
    [100, 30, 20, 20],
    [120, 50, 10, 20],
  ]);
  expect(maskBoxes({ width: 4, height: 3, runs: [15, 99] }, { width: 4, height: 3 })).toEqual([[0, 0, 4, 3]]);
  expect(maskBoxes({ width: 4, height: 3, runs: [] }, { width: 4, height: 3 })).toEqual([]);
});

describe('a data set', () => {
  const labels = [
    { name: 'good', isGood: true },
    { name: 'dent', isGood: false },
    { name: 'worn print', isGood: false },
  ];
  const sample = (id: string, label: string | null, more: Partial<ResultRecord> = {}): LabelledSample => ({
    id,
    file: `${id}.png`,
    width: 40,
    height: 30,
    record: record({ resultId: id, ...more }),
    label: label === null ? null : { name: label, by: 'ann', at: '2026-11-26T11:00:00.000Z' },
  });
  const samples = [
    sample('a', 'good'),
    sample('b', 'dent', { boxes: [{ x: 1, y: 2, width: 3, height: 4, label: 'dent', score: 0.9 }] }),
    sample('c', null),
    sample('d', 'worn print'),
    sample('e', 'dent', { mask: { width: 4, height: 3, runs: [15, 1, 0, 11] } }),
  ];

  test('in folders has a folder for each kind, and what is known of each part', () => {
    const files = exportSamples(samples, labels, 'mvtec');
    expect(files.map(({ path }) => path)).toEqual([
      'test/good/a.png',
      'test/dent/b.png',
      'test/worn_print/d.png',
      'test/dent/e.png',
      'samples.jsonl',
    ]);
    const lines = files.flatMap((file) => ('text' in file ? file.text.trim().split('\n') : []));
    expect(lines.map((line) => (JSON.parse(line) as { label: { name: string } }).label.name)).toEqual([
      'good',
      'dent',
      'worn print',
      'dent',
    ]);
  });

  test('in COCO has categories of defects, and boxes as the model marked them', () => {
    const files = exportSamples(samples, labels, 'coco');
    const text = files.flatMap((file) => ('text' in file ? [file.text] : []))[0] ?? '';
    const coco = JSON.parse(text) as Record<'images' | 'categories' | 'annotations', Record<string, unknown>[]>;
    expect(files.filter((file) => 'picture' in file).length).toBe(4);
    expect(coco.images.map(({ id, file_name: name, width, height }) => [id, name, width, height])).toEqual([
      [1, 'a.png', 40, 30],
      [2, 'b.png', 40, 30],
      [3, 'd.png', 40, 30],
      [4, 'e.png', 40, 30],
    ]);
    expect(coco.categories).toEqual([
      { id: 1, name: 'dent' },
      { id: 2, name: 'worn print' },
    ]);
    expect(coco.annotations).toEqual([
      { id: 1, image_id: 2, category_id: 1, iscrowd: 0, bbox: [1, 2, 3, 4], area: 12 },
      { id: 2, image_id: 3, category_id: 2, iscrowd: 0 },
      { id: 3, image_id: 4, category_id: 1, iscrowd: 0, bbox: [0, 0, 10, 10], area: 100 },
    ]);
  });
});
