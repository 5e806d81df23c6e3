// Metrics against counts by hand and against brute force over every pair.
import {
  bytesOf,
  float16Bits,
  float32Tensor,
  makeTensor,
  seededRandom,
  stringTensor,
  type Tensor,
} from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import {
  type Answered,
  characterAccuracy,
  countPixels,
  decodeCtc,
  editDistance,
  imageAuroc,
  iou,
  type Label,
  type Mask,
  metricFor,
  pixelAuroc,
  type Scored,
  taskKindOf,
  verdictOf,
  verdictRates,
} from '../../src/index.ts';

const random = seededRandom(7);
const maskTensor = (width: number, height: number, values: readonly number[]): Tensor =>
  makeTensor('uint8', [1, 1, height, width], Uint8Array.from(values));
const mask = (width: number, height: number, pixels: readonly number[]): Mask => ({
  width,
  height,
  pixels: Uint8Array.from(pixels),
});
const outputs = (entries: Record<string, Tensor>): ReadonlyMap<string, Tensor> => new Map(Object.entries(entries));
const answer = (label: Label | null, given: Record<string, Tensor>, reference = given): Answered => ({
  label,
  outputs: outputs(given),
  reference: outputs(reference),
});

/** The share of pairs that are in the right order; a tie is half a pair. */
function auroc(scored: readonly Scored[]): number {
  const defective = scored.filter(({ isDefective }) => isDefective);
  const sound = scored.filter(({ isDefective }) => !isDefective);
  let won = 0;
  for (const { score } of defective) {
    for (const other of sound) won += score > other.score ? 1 : score === other.score ? 0.5 : 0;
  }
  return won / (defective.length * sound.length);
}

describe('AUROC', () => {
  test('of images, by hand', () => {
    const scored = [0.1, 0.4, 0.35, 0.8].map((score, at) => ({ score, isDefective: at >= 2 }));
    expect(imageAuroc(scored)).toBe(0.75);
    expect(imageAuroc(scored.map((item) => ({ ...item, score: 1 })))).toBe(0.5);
    expect(imageAuroc(scored.map(({ isDefective }) => ({ score: isDefective ? 1 : 0, isDefective })))).toBe(1);
  });

  test('of images with many ties equals the share of ordered pairs', () => {
    for (let round = 0; round < 30; round++) {
      const scored = Array.from({ length: 40 }, () => ({
        score: Math.floor(random() * (round + 2)) / 4,
        isDefective: random() < 0.3,
      }));
      if (new Set(scored.map(({ isDefective }) => isDefective)).size < 2) continue;
      expect(imageAuroc(scored)).toBeCloseTo(auroc(scored), 12);
    }
  });

  test('infinite scores are in order; NaN is refused; one kind alone has none', () => {
    const score = (value: number, isDefective: boolean) => ({ score: value, isDefective });
    expect(imageAuroc([score(Number.POSITIVE_INFINITY, true), score(Number.NEGATIVE_INFINITY, false)])).toBe(1);
    expect(imageAuroc([score(1, true)])).toBeNaN();
    expect(() => imageAuroc([score(Number.NaN, true)])).toThrow(/not a number/);
  });

  test('of pixels equals the share of ordered pairs of pixels', () => {
    const samples = Array.from({ length: 3 }, () => {
      const pixels = Array.from({ length: 48 }, () => (random() < 0.2 ? 1 : 0));
      const drawn = pixels.map((pixel) => Math.floor(random() * 200) + (pixel === 1 ? 55 : 0));
      return { pixels, drawn };
    });
    const counts = samples.map(({ pixels, drawn }) => countPixels(maskTensor(8, 6, drawn), mask(8, 6, pixels)));
    const all = samples.flatMap(({ pixels, drawn }) =>
      pixels.map((pixel, at) => ({ isDefective: pixel === 1, score: drawn[at] as number })),
    );
    expect(pixelAuroc(counts)).toBeCloseTo(auroc(all), 12);
  });
});

describe('masks', () => {
  test('IoU by hand, over all samples together', () => {
    const first = countPixels(maskTensor(2, 2, [255, 200, 10, 127]), mask(2, 2, [1, 0, 1, 0]));
    expect(iou([first], 0.5)).toBeCloseTo(1 / 3, 12);
    const second = countPixels(maskTensor(2, 2, [128, 128, 128, 128]), mask(2, 2, [1, 1, 1, 1]));
    expect(iou([first, second], 0.5)).toBeCloseTo(5 / 7, 12);
  });

  test('the mask grows to the size of the label, in whole and in fractions', () => {
    const drawn = maskTensor(2, 1, [255, 0]);
    expect(iou([countPixels(drawn, mask(4, 2, [1, 1, 0, 0, 1, 1, 0, 0]))], 0.5)).toBe(1);
    // Centres at 1/6, 3/6 and 5/6: the middle one falls on the second pixel.
    expect(iou([countPixels(drawn, mask(3, 1, [1, 0, 0]))], 0.5)).toBe(1);
    expect(iou([countPixels(maskTensor(4, 1, [255, 255, 0, 0]), mask(2, 1, [1, 0]))], 0.5)).toBe(1);
  });

  test('probabilities of every float type are read; the threshold is met, not passed', () => {
    const values = [0.5, 0.4999, 1, 0];
    const truth = mask(2, 2, [1, 0, 1, 0]);
    const single = float32Tensor([1, 2, 2, 1], Float32Array.from(values));
    const double = makeTensor('float64', [2, 2], bytesOf(Float64Array.from(values)));
    const half = makeTensor('float16', [1, 2, 2], bytesOf(Uint16Array.from([0.5, 0.25, 1, 0].map(float16Bits))));
    for (const tensor of [single, double, half]) expect(iou([countPixels(tensor, truth)], 0.5)).toBe(1);
    expect(iou([countPixels(single, truth)], 0.51)).toBe(0.5);
    expect(iou([countPixels(single, truth)], 1)).toBe(0.5);
  });

  test('what is no mask says so', () => {
    const truth = mask(1, 1, [1]);
    expect(() => countPixels(float32Tensor([1, 1, 1, 1], Float32Array.of(3)), truth)).toThrow(/Sigmoid/);
    expect(() => countPixels(float32Tensor([1, 1], Float32Array.of(Number.NaN)), truth)).toThrow(/probabilities/);
    expect(() => countPixels(makeTensor('uint8', [1, 2, 2, 2], new Uint8Array(8)), truth)).toThrow(/is no mask/);
    expect(() => countPixels(makeTensor('int64', [1, 1], new Uint8Array(8)), truth)).toThrow(/is no mask/);
    expect(() =>
      pixelAuroc([
        countPixels(maskTensor(1, 1, [1]), truth),
        countPixels(float32Tensor([1, 1], Float32Array.of(1)), truth),
      ]),
    ).toThrow(/pooled/);
  });

  test('the metric pools samples, skips defects that nobody drew, and needs one that somebody drew', () => {
    const metric = metricFor('defect');
    const good = answer(
      { kind: 'defect', defect: null, mask: null },
      { mask: maskTensor(2, 1, [0, 255]), score: floats(1) },
    );
    const drawn = answer(
      { kind: 'defect', defect: 'dent', mask: mask(2, 1, [1, 0]) },
      { mask: maskTensor(2, 1, [255, 0]), score: floats(1) },
    );
    const undrawn = answer(
      { kind: 'defect', defect: 'dent', mask: null },
      { mask: maskTensor(2, 1, [255, 255]), score: floats(1) },
    );
    expect(metric.points([good, drawn, undrawn])).toBe(50);
    expect(() => metric.points([undrawn])).toThrow(/nothing to measure/);
    expect(() => metric.points([answer(null, {})])).toThrow(/kind defect/);
  });
});

const floats = (...values: number[]): Tensor => float32Tensor([1, values.length], Float32Array.from(values));

describe('classes', () => {
  test('accuracy, of logits or of an index', () => {
    const metric = metricFor('class');
    const of = (index: number, tensor: Tensor): Answered => answer({ kind: 'class', index }, { out: tensor });
    expect(
      metric.points([
        of(1, floats(0, 3, 1)),
        of(0, floats(0, 3, 1)),
        of(2, floats(-3, -2, -1)),
        of(1, floats(9, 1, 1)),
      ]),
    ).toBe(50);
    expect(metric.points([of(4, makeTensor('int64', [1], bytesOf(BigInt64Array.of(4n))))])).toBe(100);
    expect(metric.points([of(0, floats(Number.NaN, Number.NaN))])).toBe(0);
  });

  test.each([
    ['scores of a batch', float32Tensor([2, 2], Float32Array.of(0, 1, 1, 0))],
    ['a map of classes', float32Tensor([1, 3, 2, 2], new Float32Array(12))],
    ['one score', float32Tensor([1, 1], Float32Array.of(0.7))],
    ['several indices', makeTensor('int64', [2, 2], bytesOf(BigInt64Array.of(1n, 0n, 1n, 0n)))],
  ])('%s tell no class of a sample, and are refused', (_name, tensor) => {
    const label: Label = { kind: 'class', index: 1 };
    expect(() => metricFor('class').points([answer(label, { out: tensor })])).toThrow(
      /not the scores of the classes of one/,
    );
  });

  test('of several outputs, the one that is named or that its name tells', () => {
    const label: Label = { kind: 'class', index: 1 };
    const both = answer(label, { first: floats(1, 0), second: floats(0, 1) });
    expect(() => metricFor('class').points([both])).toThrow(/first, second; name one/);
    expect(metricFor('class', { output: 'second' }).points([both])).toBe(100);
    expect(() => metricFor('class', { output: 'third' }).points([both])).toThrow(/no output 'third'/);
    expect(metricFor('class').points([answer(label, { features: floats(1, 0), logits: floats(0, 1) })])).toBe(100);
  });
});

describe('text', () => {
  const steps = (...classes: number[]): Tensor =>
    float32Tensor(
      [1, classes.length, 4],
      Float32Array.from(classes.flatMap((best) => [0, 1, 2, 3].map((index) => (index === best ? 0.7 : 0.1)))),
    );

  test('repeats are joined, blanks part them, the class beyond the alphabet is a space', () => {
    expect(decodeCtc(steps(1, 1, 0, 1, 2, 3, 0), ['a', 'b', 'c'])).toBe('aabc');
    expect(decodeCtc(steps(1, 3, 2), ['a', 'b'])).toBe('a b');
    expect(() => decodeCtc(steps(1), ['a'])).toThrow(/alphabet of 1 characters does not fit 4 classes/);
    expect(() => decodeCtc(maskTensor(2, 2, [0, 0, 0, 0]), ['a'])).toThrow(/one text line/);
  });

  test('edit distances that are known', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abc', '')).toBe(3);
    expect(editDistance('flaw', 'lawn')).toBe(2);
    expect(editDistance('\u{1f600}a', 'a')).toBe(1);
  });

  test('edit distance equals plain recursion', () => {
    const recurse = (left: string, right: string): number => {
      if (left === '' || right === '') return left.length + right.length;
      const same = left[0] === right[0] ? 0 : 1;
      return Math.min(
        recurse(left.slice(1), right.slice(1)) + same,
        recurse(left.slice(1), right) + 1,
        recurse(left, right.slice(1)) + 1,
      );
    };
    const word = (): string =>
      Array.from({ length: Math.floor(random() * 6) }, () => 'ab'[Math.floor(random() * 2)]).join('');
    for (let round = 0; round < 50; round++) {
      const [left, right] = [word(), word()];
      expect(editDistance(left, right)).toBe(recurse(left, right));
    }
  });

  test('character accuracy over all lines, and as a metric that never falls below 0', () => {
    expect(
      characterAccuracy([
        { truth: 'abcd', read: 'abxd' },
        { truth: 'ab', read: 'ab' },
      ]),
    ).toBeCloseTo(5 / 6, 12);
    const metric = metricFor('text', { alphabet: ['a', 'b', 'c'] });
    const of = (text: string, ...classes: number[]): Answered =>
      answer({ kind: 'text', text }, { out: steps(...classes) });
    expect(metric.points([of('abc', 1, 2, 3), of('a', 2)])).toBe(75);
    expect(metric.points([of('a', 2, 3, 2, 3)])).toBe(0);
    expect(() => metricFor('text')).toThrow(/alphabet/);
  });
});

describe('without labels', () => {
  const metric = metricFor('none');

  test('100 for equal outputs, less by the mean relative distance', () => {
    expect(metric.points([answer(null, { out: floats(3, 4) })])).toBe(100);
    expect(metric.points([answer(null, { out: floats(3, 3) }, { out: floats(3, 4) })])).toBeCloseTo(80, 12);
    const two = answer(null, { a: floats(3, 3), b: floats(1) }, { a: floats(3, 4), b: floats(1) });
    expect(metric.points([two])).toBeCloseTo(90, 12);
    expect(metricFor('none', { output: 'a' }).points([two])).toBeCloseTo(80, 12);
  });

  test('never below 0, with zeros, NaN and infinities', () => {
    expect(metric.points([answer(null, { out: floats(1) }, { out: floats(0) })])).toBe(0);
    expect(metric.points([answer(null, { out: floats(-9) }, { out: floats(1) })])).toBe(0);
    expect(metric.points([answer(null, { out: floats(Number.NaN, 1) }, { out: floats(Number.NaN, 1) })])).toBe(100);
    expect(metric.points([answer(null, { out: floats(Number.NaN) }, { out: floats(1) })])).toBe(0);
    expect(metric.points([answer(null, { out: floats(1) }, { out: floats(Number.POSITIVE_INFINITY) })])).toBe(0);
    const words = (...values: string[]): Tensor => stringTensor([values.length], values);
    expect(metric.points([answer(null, { out: words('a', 'x') }, { out: words('a', 'b') })])).toBe(50);
  });

  test('no answers have no points', () => {
    expect(() => metric.points([])).toThrow(/no answers/);
  });
});

test('samples with labels of several kinds have no metric in common', () => {
  expect(taskKindOf([null, null])).toBe('none');
  expect(taskKindOf([{ kind: 'text', text: 'a' }])).toBe('text');
  expect(() => taskKindOf([null, { kind: 'text', text: 'a' }])).toThrow(/several kinds/);
});

describe('verdicts', () => {
  const thresholds = { passBelow: 0.3, ngAbove: 0.7 };

  test('below is PASS, from above on is NG, NaN is never PASS', () => {
    expect([0.29, 0.3, 0.69, 0.7, Number.NaN].map((score) => verdictOf(score, thresholds))).toEqual([
      'PASS',
      'REVIEW',
      'REVIEW',
      'NG',
      'REVIEW',
    ]);
  });

  test('escapes, overkill and review load by hand', () => {
    const good = [0.1, 0.2, 0.5, 0.9].map((score) => ({ score, isDefective: false }));
    const defective = [0.1, 0.5, 0.8, 0.9, 1].map((score) => ({ score, isDefective: true }));
    const rates = verdictRates([...good, ...defective], thresholds);
    expect(rates.escape).toMatchObject({ count: 1, of: 5, share: 0.2 });
    expect(rates.overkill).toMatchObject({ count: 1, of: 4, share: 0.25 });
    expect(rates.goodNotPassed).toMatchObject({ count: 2, of: 4, share: 0.5 });
    expect(rates.review).toMatchObject({ count: 2, of: 9 });
    expect(verdictRates(good, thresholds).escape).toEqual({
      count: 0,
      of: 0,
      share: null,
      interval: { low: 0, high: 1 },
    });
    expect(() => verdictRates(good, { passBelow: 0.7, ngAbove: 0.3 })).toThrow(/swap/);
  });
});

describe('boxes', () => {
  const box = (x: number, y: number, label = 'crack', score = 0.9) => ({ x, y, width: 10, height: 10, label, score });
  const given = new Map([
    ['whole', [box(0, 0), box(50, 50), box(20, 20, 'dent')]],
    ['same', [box(1, 0), box(50, 51), box(20, 20, 'dent')]],
    ['one is missed', [box(0, 0), box(20, 20, 'dent')]],
    ['one is too many', [box(0, 0), box(50, 50), box(20, 20, 'dent'), box(80, 80)]],
    ['another class', [box(0, 0), box(50, 50), box(20, 20, 'crack')]],
    ['too far off', [box(0, 0), box(50, 54), box(20, 20, 'dent')]],
    ['one place twice', [box(0, 0), box(1, 0, 'crack', 0.5), box(50, 50), box(20, 20, 'dent')]],
    ['none', []],
  ]);
  // The name of a case stands in for a detector's outputs.
  const named = (name: string): ReadonlyMap<string, Tensor> =>
    outputs({ [name]: float32Tensor([1], Float32Array.of(0)) });
  const metric = metricFor('boxes', { boxes: (found) => given.get([...found.keys()][0] ?? '') ?? [] });

  test.each([
    ['same', 100],
    ['one is missed', (100 * 4) / 5],
    ['one is too many', (100 * 6) / 7],
    ['another class', (100 * 4) / 6],
    ['too far off', (100 * 4) / 6],
    ['one place twice', (100 * 6) / 7],
    ['none', 0],
  ])('F1 where %s', (name, points) => {
    expect(metric.points([{ label: null, outputs: named(name), reference: named('whole') }])).toBeCloseTo(points, 9);
  });

  test('samples without a box on either side count for nothing, and alone have nothing to measure', () => {
    const empty = { label: null, outputs: named('none'), reference: named('none') };
    const missed = { label: null, outputs: named('one is missed'), reference: named('whole') };
    expect(metric.points([empty, missed])).toBeCloseTo(80, 9);
    expect(() => metric.points([empty])).toThrow(/no sample has a box/);
    expect(() => metricFor('boxes')).toThrow(/how they stand/);
  });
});
