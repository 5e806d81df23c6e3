// Calibration over a tail in code: what it chooses, on what it judges, and what it refuses.
import { float32Tensor, readLevelTable, type Tensor, typedView } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { channelImportance } from '../../src/codec/channel-importance.ts';
import { codecFiles } from '../../src/codec/codec-files.ts';
import { type CutSamples, talliesOf } from '../../src/codec/cut-samples.ts';
import { lookAt } from '../../src/codec/level-tensors.ts';
import {
  type CalibrationRequest,
  CodedCut,
  CutStudy,
  calibrateCut,
  calibrateStudied,
  LEAST_SAMPLES,
  pairedLoss,
} from '../../src/index.ts';
import { sha256Hex } from '../../src/sha256.ts';
import { activation, madeUpCut, SHAPE } from './made-up-cut.ts';

const request = (more: Partial<CalibrationRequest> = {}): CalibrationRequest => ({
  chosenOn: madeUpCut(60, { seed: 1 }),
  judgedOn: madeUpCut(160, { seed: 2 }),
  maxLossPoints: 5,
  codec: 'auto',
  ...more,
});

/** The tensor with one value replaced. */
function withValue(tensor: Tensor, at: number, value: number): Tensor {
  const values = typedView(tensor as Tensor & { dtype: 'float32' }).slice();
  values[at] = value;
  return float32Tensor(tensor.shape, values);
}

describe('calibration of a cut', () => {
  test('levels are chosen where they are smallest, and judged on samples not seen', async () => {
    const { best, measured, ...rest } = await calibrateCut(request());
    expect(rest).toEqual({
      metric: 'accuracy',
      chosenOnSamples: 60,
      judgedOnSamples: 160,
      nonFinite: { values: 0, samples: 0 },
    });
    expect(measured.map(({ label }) => label).toSorted()).toEqual(
      ['float16', 'lossless', best?.label ?? '', 'uint8', 'uint8 per channel'].toSorted(),
    );
    expect(best?.label).toMatch(/^levels \d+$/);
    expect(best?.upperLossPoints).toBeLessThanOrEqual(5);
    expect(best?.loss.lossPoints).toBeLessThan(best?.upperLossPoints ?? 0);
    expect(best?.loss.wholePoints).toBe(100);
    expect(best?.chosenLoss?.lossPoints).toBeLessThanOrEqual(5);
    expect(best?.bitsPerValue).toBeLessThan(4);
    const uint8 = measured.find(({ label }) => label === 'uint8');
    expect(best?.totalBytes).toBeLessThan((uint8?.totalBytes ?? 0) / 2);
    expect(measured.map(({ totalBytes }) => totalBytes)).toEqual(
      measured.map((one) => one.totalBytes).toSorted((a, b) => a - b),
    );
  });

  test('its files are the tables, by their hash, and other tensors go lossless', async () => {
    const { best } = await calibrateCut(request({ codec: 'levels' }));
    if (best === null) throw new Error('levels keep the limit');
    const { tensors, tables } = codecFiles(best);
    expect(tensors.map(({ name, codec }) => [name, codec.kind])).toEqual([
      ['features', 'levels'],
      ['size', 'lossless'],
    ]);
    for (const { codec } of tensors) {
      if (codec.kind !== 'levels') continue;
      const bytes = tables.get(codec.table.file) ?? new Uint8Array(0);
      expect(await sha256Hex(bytes)).toBe(codec.table.sha256);
      const table = readLevelTable(bytes, codec.table.sha256);
      expect(best.codecs.get('features')).toEqual({ kind: 'levels', table });
    }
  });

  test('the same samples give the same codec', async () => {
    const [first, second] = [await calibrateCut(request()), await calibrateCut(request())];
    expect([...(first.best?.tables.keys() ?? [])]).toEqual([...(second.best?.tables.keys() ?? [])]);
    expect(first.best?.totalBytes).toBe(second.best?.totalBytes);
  });

  test('several limits share what was tried, and each finds what it would alone', async () => {
    let answers = 0;
    const counted = (samples: CutSamples): CutSamples => ({
      ...samples,
      answer: async (index, arrived) => {
        answers++;
        return await samples.answer(index, arrived);
      },
    });
    const { chosenOn, judgedOn } = request();
    const asked = { chosenOn: counted(chosenOn), judgedOn: counted(judgedOn) };
    const limits = [request({ codec: 'levels' }), request({ codec: 'levels', confidencePercent: 50 })];
    const alone = [];
    for (const limit of limits) alone.push(await calibrateCut({ ...limit, ...asked }));
    const ofTwo = answers;
    answers = 0;
    const study = await CutStudy.open(asked);
    for (const [at, limit] of limits.entries()) {
      const { best } = await calibrateStudied(study, limit);
      expect(best?.codecs).toEqual(alone[at]?.best?.codecs);
    }
    expect(answers).toBeLessThan(0.9 * ofTwo);
  });

  test('judging samples that happen to lose nothing do not pass what the choosing ones lose', async () => {
    const { judgedOn, ...rest } = request({ codec: 'levels' });
    const lucky: CutSamples = {
      ...judgedOn,
      answer: async (index) => judgedOn.answer(index, await judgedOn.crossing(index)),
    };
    const { best, chosenOnSamples, judgedOnSamples } = await calibrateCut({ ...rest, judgedOn: lucky });
    expect(best?.loss.lossPoints).toBe(0);
    const lostOfAll = ((best?.chosenLoss?.lossPoints ?? 100) * chosenOnSamples) / (chosenOnSamples + judgedOnSamples);
    expect(lostOfAll).toBeGreaterThan(0);
    expect(lostOfAll).toBeLessThan(best?.upperLossPoints ?? 0);
    expect(best?.upperLossPoints).toBeLessThanOrEqual(5);
  });

  test('what passes keeps the limit on samples that calibration never saw', async () => {
    let kept = 0;
    for (let seed = 10; seed < 14; seed++) {
      const samples = { chosenOn: madeUpCut(40, { seed }), judgedOn: madeUpCut(100, { seed: seed + 100 }) };
      const { best } = await calibrateCut(request({ ...samples, codec: 'levels', maxLossPoints: 8 }));
      if (best === null) throw new Error('levels keep the limit');
      const fresh = madeUpCut(500, { seed: seed + 1000 });
      const cut = new CodedCut((name) => best.codecs.get(name) ?? { kind: 'raw' });
      const whole = await talliesOf(fresh, () => new Map());
      const coded = await talliesOf(fresh, (crossing) => cut.send(crossing));
      if (pairedLoss(fresh.metric, whole, coded).lossPoints <= 8) kept++;
    }
    expect(kept).toBe(4);
  });

  test('few samples cannot show a small loss of accuracy: only what loses nothing passes', async () => {
    const { best, measured } = await calibrateCut(request({ judgedOn: madeUpCut(30, { seed: 2 }) }));
    expect(best?.label).toBe('lossless');
    expect(best?.upperLossPoints).toBe(0);
    expect(measured.find(({ label }) => label === 'float16')).toMatchObject({ loss: { lossPoints: 0 } });
    const less = await calibrateCut(request({ judgedOn: madeUpCut(30, { seed: 2 }), confidencePercent: 60 }));
    expect(less.best?.totalBytes).toBeLessThan(best?.totalBytes ?? 0);
  });

  test('less loss takes more bytes', async () => {
    const loose = await calibrateCut(request({ codec: 'levels', maxLossPoints: 40 }));
    const strict = await calibrateCut(request({ codec: 'levels', maxLossPoints: 10 }));
    expect(strict.best?.totalBytes).toBeGreaterThan(loose.best?.totalBytes ?? Number.POSITIVE_INFINITY);
  });

  test('bits go where the tail listens', async () => {
    const deaf = { weights: [0, 0, 1, 0, 0, 0] };
    const samples = madeUpCut(20, deaf);
    const { tensors, finite } = await lookAt(samples);
    for (const importance of Object.values(await channelImportance(samples, tensors, finite))) {
      const weights = importance.get('features') ?? new Float64Array(0);
      expect(weights.indexOf(Math.max(...weights))).toBe(2);
      expect(Math.min(...weights)).toBeGreaterThan(0);
    }
    const { best } = await calibrateCut(
      request({
        chosenOn: madeUpCut(60, { seed: 1, ...deaf }),
        judgedOn: madeUpCut(160, { seed: 2, ...deaf }),
        codec: 'levels',
      }),
    );
    const codec = best?.codecs.get('features');
    if (codec?.kind !== 'levels') throw new Error('levels are asked for');
    const counts = codec.table.channels.map(({ values }) => values.length);
    expect(Math.max(...counts)).toBe(counts[2]);
    expect(counts[0]).toBe(1);
    expect(codec.table.order[0]).toBe(2);
  });

  test('a golden part makes frames that resemble it smaller', async () => {
    const usual = activation(() => 0.9);
    let at = 0;
    const scene = activation(() => ((at = (at * 75 + 74) % 65537), at / 65537));
    const alike = (random: () => number): Tensor => {
      const noise = activation(random);
      const values = typedView(scene as Tensor & { dtype: 'float32' }).map(
        (value, index) => value + 0.02 * (typedView(noise as Tensor & { dtype: 'float32' })[index] as number),
      );
      return float32Tensor(SHAPE, values);
    };
    const fixture = {
      chosenOn: madeUpCut(40, { seed: 1, make: alike }),
      judgedOn: madeUpCut(100, { seed: 2, make: alike }),
    };
    const bytes = async (golden: Tensor | null): Promise<number> => {
      const map = golden === null ? null : new Map([['features', golden]]);
      const { best } = await calibrateCut(request({ ...fixture, codec: 'levels', golden: map }));
      return best?.totalBytes ?? Number.NaN;
    };
    const without = await bytes(null);
    expect(await bytes(scene)).toBeLessThan(without * 0.8);
    expect(await bytes(usual)).toBeLessThan(without * 1.5);
  });

  test('limits that nothing keeps leave nothing', async () => {
    const { best, measured } = await calibrateCut(request({ maxBytes: 10 }));
    expect(best).toBeNull();
    expect(measured.length).toBe(5);
    const coarse = await calibrateCut(request({ codec: 'levels', maxLevels: 2, maxLossPoints: 0 }));
    expect(coarse.best).toBeNull();
  });

  test('a codec that is asked for is the only one tried', async () => {
    for (const codec of ['lossless', 'float16', 'uint8', 'uint8-channel'] as const) {
      const { measured, best } = await calibrateCut(request({ codec }));
      expect(measured.length).toBe(1);
      expect(best?.label).toBe(codec === 'uint8-channel' ? 'uint8 per channel' : codec);
      expect(best?.chosenLoss).toBeNull();
    }
  });
});

describe('samples that are not what they should be', () => {
  test('too few', async () => {
    const few = madeUpCut(LEAST_SAMPLES - 1);
    await expect(calibrateCut(request({ chosenOn: few }))).rejects.toMatchObject({
      code: 'SAMPLES_UNUSABLE',
      message: expect.stringContaining(`at least ${LEAST_SAMPLES} each`),
    });
  });

  test('some with NaN or infinity are counted and go lossless', async () => {
    const broken = (random: () => number, index: number): Tensor =>
      index % 10 === 3
        ? withValue(withValue(activation(random), 5, Number.NaN), 6, Number.POSITIVE_INFINITY)
        : activation(random);
    const { best, nonFinite } = await calibrateCut(
      request({ chosenOn: madeUpCut(60, { make: broken }), codec: 'levels' }),
    );
    expect(nonFinite).toEqual({ values: 12, samples: 6 });
    expect(best?.label).toMatch(/^levels/);
    const judgedOn = madeUpCut(20, { make: broken });
    await expect(calibrateCut(request({ judgedOn, codec: 'levels', nonFinite: 'refuse' }))).rejects.toMatchObject({
      code: 'ACTIVATION_NOT_FINITE',
    });
  });
});

test('where every sample holds NaN or infinity only lossless is offered', async () => {
  const broken = { make: (random: () => number): Tensor => withValue(activation(random), 0, Number.NaN) };
  const samples = { chosenOn: madeUpCut(20, broken), judgedOn: madeUpCut(20, { seed: 2, ...broken }) };
  const { best, measured, nonFinite } = await calibrateCut(request(samples));
  expect(nonFinite).toEqual({ values: 20, samples: 20 });
  expect(measured.map(({ label }) => label)).toEqual(['lossless']);
  expect(best).toMatchObject({ label: 'lossless', upperLossPoints: 0 });
  for (const limits of [{ codec: 'levels' }, { codec: 'uint8' }, { nonFinite: 'refuse' }] as const) {
    await expect(calibrateCut(request({ ...samples, ...limits }))).rejects.toMatchObject({
      code: 'SAMPLES_UNUSABLE',
      message: expect.stringContaining('lossless'),
    });
  }
});

describe('the axis of channels', () => {
  /** Channel c holds values about 10 c. */
  const striped =
    (shape: readonly number[], axis: number) =>
    (random: () => number): Tensor => {
      const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
      const count = shape.reduce((product, size) => product * size, 1);
      const values = Float32Array.from(
        { length: count },
        (_, at) => 10 * (Math.floor(at / inner) % (shape[axis] as number)) + random(),
      );
      return float32Tensor(shape, values);
    };

  test.each([
    [[1, 8, 5, 5], 1, 1],
    [[1, 5, 5, 8], 3, 3],
    [[1, 12, 16], 2, 2],
    [[1, 16, 12], 1, 1],
    [[1, 80], 1, 1],
  ])('of %j with channels on %i is %i', async (shape, axis, expected) => {
    const samples = madeUpCut(10, { make: striped(shape, axis) });
    const { tensors } = await lookAt(samples);
    expect(tensors).toMatchObject([{ name: 'features', channelAxis: expected, rank: shape.length }]);
  });

  test('has one size in all samples; a tensor that is small or of changing rank is none for levels', async () => {
    const longer = (random: () => number, index: number): Tensor => striped([1, 10 + index, 16], 2)(random);
    expect((await lookAt(madeUpCut(10, { make: longer }))).tensors).toMatchObject([{ channelAxis: 2 }]);
    const tiny = madeUpCut(10, { make: striped([1, 4, 2], 1) });
    expect((await lookAt(tiny)).tensors).toEqual([]);
    const changing = madeUpCut(10, {
      make: (random, index) => striped(index % 2 === 0 ? [1, 80] : [1, 8, 10], 1)(random),
    });
    expect((await lookAt(changing)).tensors).toEqual([]);
  });
});
