// Samples at a cut and limits -> the codecs that were tried there, measured, and the smallest that keeps the limits.
import { type ActivationCodec, KerfError, systemClock, type Tensor } from '@kerf/protocol';
import { DEFAULT_CONFIDENCE_PERCENT } from '../task/loss-bound.ts';
import { type PairedLoss, pairedLoss, type Tally } from '../task/metric-for.ts';
import type { CalibrationLimits, CalibrationRequest, CutCalibration, MeasuredCodec } from './calibration.ts';
import { CodedCut } from './coded-cut.ts';
import { type CutSamples, talliesOf } from './cut-samples.ts';
import { CutStudy } from './cut-study.ts';
import { type FinishedTable, finishTable } from './finish-table.ts';
import { handCodec } from './hand-codec.ts';
import { type JudgedLevels, judgeLevels } from './judge-levels.ts';
import type { LevelDesign } from './level-design.ts';
import { searchWays, tryNotch } from './level-search.ts';
import { NO_LOSS, shownLoss } from './shown-loss.ts';

const MAX_LEVELS = 64;
/** Values of samples that priors are learned from. */
const PRIOR_VALUES = 1 << 24;

/** @throws {KerfError} as {@link CutStudy.open} and {@link calibrateStudied} */
export async function calibrateCut(request: CalibrationRequest): Promise<CutCalibration> {
  return await calibrateStudied(await CutStudy.open(request), request);
}

/**
 * For one limit of several.
 * @throws {KerfError} ACTIVATION_NOT_FINITE where that is refused; SAMPLES_UNUSABLE where no sample is finite and
 * lossless is not asked for; and what models and metrics throw.
 */
export async function calibrateStudied(study: CutStudy, limits: CalibrationLimits): Promise<CutCalibration> {
  const { codec, maxLossPoints, maxBytes = Number.POSITIVE_INFINITY } = limits;
  const run: Run = { study, limits };
  const measured: MeasuredCodec[] = [];
  const isFinite = study.seen.finite.length > 0;
  const mayBeLossless = (codec === 'auto' || codec === 'lossless') && limits.nonFinite !== 'refuse';
  if (!isFinite && !mayBeLossless) {
    throw new KerfError(
      'SAMPLES_UNUSABLE',
      'every sample makes NaN or infinity at this cut, which only lossless carries; look at the model and its input',
    );
  }
  for (const name of isFinite ? BY_HAND : (['lossless'] as const)) {
    if (codec === 'auto' || codec === name) measured.push(await measuredByHand(run, name));
  }
  if (codec === 'auto' || codec === 'levels') measured.push(...(await measuredLevels(run)));
  measured.sort((left, right) => left.totalBytes - right.totalBytes);
  const { chosenOn, judgedOn } = study;
  const { finite, nonFinite } = study.seen;
  return {
    metric: chosenOn.metric.name,
    chosenOnSamples: chosenOn.count,
    judgedOnSamples: judgedOn.count,
    measured,
    best:
      measured.find(({ upperLossPoints, totalBytes }) => upperLossPoints <= maxLossPoints && totalBytes <= maxBytes) ??
      null,
    nonFinite: { values: nonFinite, samples: chosenOn.count - finite.length },
  };
}

const BY_HAND = ['lossless', 'float16', 'uint8', 'uint8-channel'] as const;

interface Run {
  readonly study: CutStudy;
  readonly limits: CalibrationLimits;
}

const LABELS = {
  lossless: 'lossless',
  float16: 'float16',
  uint8: 'uint8',
  'uint8-channel': 'uint8 per channel',
} as const;

async function measuredByHand(run: Run, name: keyof typeof LABELS): Promise<MeasuredCodec> {
  const crossing = await run.study.judgedOn.crossing(0);
  const codecs = new Map(
    [...crossing].map(([tensor, value]): [string, ActivationCodec] => [tensor, handCodec(name, value)]),
  );
  return await measure(run, { label: LABELS[name], codecs, tables: new Map(), chosenLoss: null });
}

/** None where no tensor can be sent in levels. */
async function measuredLevels(run: Run): Promise<MeasuredCodec[]> {
  const { chosenOn, judgedOn, wholeOfChosen, wholeOfJudged } = run.study;
  const { maxLossPoints, confidencePercent = DEFAULT_CONFIDENCE_PERCENT, maxLevels = MAX_LEVELS } = run.limits;
  const onProgress = run.limits.onProgress ?? ((): void => {});
  const ways = await run.study.trials(maxLevels, onProgress);
  if (ways.length === 0) return [];
  const asked = { maxLossPoints, confidencePercent, judgedSamples: judgedOn.count, onProgress };
  const choosing = { ...asked, samples: chosenOn, whole: wholeOfChosen };
  const { trials, tried } = await searchWays(choosing, ways);
  const search = { ...choosing, trials };
  onProgress('from fine to coarse on samples not seen');
  const judged = await judgeLevels(search, { ...asked, trials, samples: judgedOn, whole: wholeOfJudged }, tried.notch);
  const chosen = await tryNotch(search, judged.tried.notch);
  return [await measure(run, await finished(run, judged.tried.design, chosen.loss), judged)];
}

type Unmeasured = Pick<MeasuredCodec, 'label' | 'codecs' | 'tables' | 'chosenLoss'>;

/** The design with priors, golden part and files; other tensors go lossless. */
async function finished(run: Run, design: LevelDesign, chosenLoss: PairedLoss): Promise<Unmeasured> {
  const { chosenOn, seen } = run.study;
  const { golden = null } = run.limits;
  const first = await chosenOn.crossing(0);
  const codecs = new Map<string, ActivationCodec>();
  const tables = new Map<string, Uint8Array>();
  let mostLevels = 1;
  for (const [name, tensor] of first) {
    const plain = design.tables.get(name);
    if (plain === undefined) {
      codecs.set(name, handCodec('lossless', tensor));
      continue;
    }
    const samples = await samplesOf(chosenOn, seen.finite, name);
    const bytes = (design.bitsPerValue * tensor.data.byteLength) / 32;
    const { table, bytes: file }: FinishedTable = await finishTable(plain, samples, golden?.get(name) ?? null, bytes);
    codecs.set(name, { kind: 'levels', table });
    tables.set(table.id, file);
    mostLevels = Math.max(mostLevels, ...table.channels.map(({ values }) => values.length));
  }
  return { label: `levels ${mostLevels}`, codecs, tables, chosenLoss };
}

async function samplesOf(samples: CutSamples, finite: readonly number[], name: string): Promise<Tensor[]> {
  const found: Tensor[] = [];
  let values = 0;
  for (const index of finite) {
    const tensor = (await samples.crossing(index)).get(name);
    if (tensor === undefined) continue;
    found.push(tensor);
    values += tensor.data.byteLength / 4;
    if (values >= PRIOR_VALUES) break;
  }
  return found;
}

/** Really encoded and decoded. @param judged where what comes back of the judging samples is known already */
async function measure(run: Run, codec: Unmeasured, judged?: JudgedLevels): Promise<MeasuredCodec> {
  const { judgedOn, wholeOfJudged } = run.study;
  const { nonFinite, clock = systemClock } = run.limits;
  const { metric } = judgedOn;
  const cut = new CodedCut(
    (name) => codec.codecs.get(name) ?? { kind: 'raw' },
    nonFinite === undefined ? {} : { nonFinite },
    clock,
  );
  const isLossless = [...codec.codecs.values()].every(({ kind }) => kind === 'lossless');
  const known = isLossless ? wholeOfJudged : judged?.tried.tallies;
  const tallies =
    known === undefined
      ? await talliesOf(judgedOn, (crossing) => cut.send(crossing))
      : await sent(judgedOn, cut, known);
  const shown = isLossless
    ? NO_LOSS
    : (judged?.shown ?? shownLoss(metric, { whole: wholeOfJudged, coded: tallies }, run.limits));
  const { bytes, frames, values, encodeMs, decodeMs } = cut.traffic;
  const totalBytes = [...bytes.values()].reduce((sum, one) => sum + one, 0) / frames;
  return {
    ...codec,
    loss: pairedLoss(metric, wholeOfJudged, tallies),
    upperLossPoints: shown.upperLossPoints,
    samplesToShow: shown.samplesToShow,
    bytesPerFrame: new Map([...bytes].map(([name, total]) => [name, total / frames])),
    totalBytes,
    bitsPerValue: (8 * totalBytes * frames) / values,
    encodeMs,
    decodeMs,
  };
}

async function sent(samples: CutSamples, cut: CodedCut, answers: readonly Tally[]): Promise<readonly Tally[]> {
  for (let index = 0; index < samples.count; index++) cut.send(await samples.crossing(index));
  return answers;
}
