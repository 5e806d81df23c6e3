// Samples at a cut and limits -> the codecs that were tried there, measured, and the smallest that keeps the limits.
import { type ActivationCodec, KerfError, systemClock, type Tensor } from '@kerf/protocol';
import { DEFAULT_CONFIDENCE_PERCENT, lossBound, samplesToShow } from '../task/loss-bound.ts';
import { type PairedLoss, pairedLoss, type Tally } from '../task/metric-for.ts';
import type { CalibrationRequest, CutCalibration, MeasuredCodec } from './calibration.ts';
import { channelImportance } from './channel-importance.ts';
import { CodedCut } from './coded-cut.ts';
import { type CutSamples, talliesOf } from './cut-samples.ts';
import { type FinishedTable, finishTable } from './finish-table.ts';
import { handCodec } from './hand-codec.ts';
import { judgeLevels } from './judge-levels.ts';
import type { LevelDesign } from './level-design.ts';
import { searchLevels, tryPrice } from './level-search.ts';
import { type LookedAt, lookAt } from './level-tensors.ts';
import { outputProbe } from './restored-design.ts';

/** Fewer show nothing of a loss of half a point, and too little of what activations hold. */
export const LEAST_SAMPLES = 8;
const MAX_LEVELS = 64;
/** Values of samples that priors are learned from. */
const PRIOR_VALUES = 1 << 24;

/**
 * @throws {KerfError} SAMPLES_UNUSABLE for fewer than {@link LEAST_SAMPLES} on either side, or none that is finite;
 * ACTIVATION_NOT_FINITE where that is refused; and what models and metrics throw.
 */
export async function calibrateCut(request: CalibrationRequest): Promise<CutCalibration> {
  const { chosenOn, judgedOn, codec, maxLossPoints, maxBytes = Number.POSITIVE_INFINITY } = request;
  checkCount(chosenOn.count, judgedOn.count);
  const nothing = (): Map<string, Tensor> => new Map();
  const run: Run = {
    request,
    wholeOfChosen: await talliesOf(chosenOn, nothing),
    wholeOfJudged: await talliesOf(judgedOn, nothing),
    seen: await lookAt(chosenOn),
  };
  checkMeasurable(run);
  const measured: MeasuredCodec[] = [];
  for (const name of ['lossless', 'float16', 'uint8', 'uint8-channel'] as const) {
    if (codec === 'auto' || codec === name) measured.push(await measuredByHand(run, name));
  }
  if (codec === 'auto' || codec === 'levels') measured.push(...(await measuredLevels(run)));
  measured.sort((left, right) => left.totalBytes - right.totalBytes);
  const { finite, nonFinite } = run.seen;
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

interface Run {
  readonly request: CalibrationRequest;
  readonly wholeOfChosen: readonly Tally[];
  readonly wholeOfJudged: readonly Tally[];
  readonly seen: LookedAt;
}

function checkCount(chosenOn: number, judgedOn: number): void {
  const least = Math.min(chosenOn, judgedOn);
  if (least >= LEAST_SAMPLES) return;
  throw new KerfError(
    'SAMPLES_UNUSABLE',
    `${chosenOn + judgedOn} samples are too few: some choose and the others judge, at least ${LEAST_SAMPLES} each`,
    { details: { samples: chosenOn + judgedOn, least: 2 * LEAST_SAMPLES } },
  );
}

/** A metric that has nothing to count on a half would call every codec free of loss. */
function checkMeasurable({ request, wholeOfChosen, wholeOfJudged, seen }: Run): void {
  for (const tallies of [wholeOfChosen, wholeOfJudged]) request.chosenOn.metric.pointsOf(tallies);
  if (seen.finite.length > 0) return;
  throw new KerfError(
    'SAMPLES_UNUSABLE',
    'every sample makes NaN or infinity at this cut; look at the model and its input',
  );
}

const LABELS = {
  lossless: 'lossless',
  float16: 'float16',
  uint8: 'uint8',
  'uint8-channel': 'uint8 per channel',
} as const;

async function measuredByHand(run: Run, name: keyof typeof LABELS): Promise<MeasuredCodec> {
  const { request } = run;
  const crossing = await request.judgedOn.crossing(0);
  const codecs = new Map(
    [...crossing].map(([tensor, value]): [string, ActivationCodec] => [tensor, handCodec(name, value)]),
  );
  return await measure(run, { label: LABELS[name], codecs, tables: new Map(), chosenLoss: null });
}

/** None where no tensor can be sent in levels. */
async function measuredLevels(run: Run): Promise<MeasuredCodec[]> {
  const { request, wholeOfChosen, wholeOfJudged, seen } = run;
  const { chosenOn, judgedOn, maxLossPoints, maxLevels = MAX_LEVELS } = request;
  const { tensors, finite } = seen;
  const onProgress = request.onProgress ?? ((): void => {});
  if (tensors.length === 0) return [];
  onProgress('what an error in each channel moves');
  const importance = await channelImportance(chosenOn, tensors, finite);
  const search = {
    samples: chosenOn,
    whole: wholeOfChosen,
    tensors,
    importance,
    maxLossPoints,
    confidencePercent: request.confidencePercent ?? DEFAULT_CONFIDENCE_PERCENT,
    judgedSamples: judgedOn.count,
    maxLevels,
    probe: await outputProbe(chosenOn, seen.finite),
    onProgress,
  };
  const { bitPrice } = await searchLevels(search);
  onProgress('from fine to coarse on samples not seen');
  const { tried } = await judgeLevels({ ...search, samples: judgedOn, whole: wholeOfJudged }, bitPrice);
  const chosen = await tryPrice(search, tried.bitPrice);
  return [await measure(run, await finished(run, tried.design, chosen.loss), tried.tallies)];
}

type Unmeasured = Pick<MeasuredCodec, 'label' | 'codecs' | 'tables' | 'chosenLoss'>;

/** The design with priors, golden part and files; other tensors go lossless. */
async function finished(run: Run, design: LevelDesign, chosenLoss: PairedLoss): Promise<Unmeasured> {
  const { chosenOn, golden = null } = run.request;
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
    const samples = await samplesOf(chosenOn, run.seen.finite, name);
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

/** Really encoded and decoded. @param answers of the judging samples, where what comes back is known already */
async function measure(run: Run, codec: Unmeasured, answers?: readonly Tally[]): Promise<MeasuredCodec> {
  const { judgedOn, nonFinite, confidencePercent, maxLossPoints, clock = systemClock } = run.request;
  const { metric } = judgedOn;
  const cut = new CodedCut(
    (name) => codec.codecs.get(name) ?? { kind: 'raw' },
    nonFinite === undefined ? {} : { nonFinite },
    clock,
  );
  const isLossless = [...codec.codecs.values()].every(({ kind }) => kind === 'lossless');
  const known = isLossless ? run.wholeOfJudged : answers;
  const tallies =
    known === undefined
      ? await talliesOf(judgedOn, (crossing) => cut.send(crossing))
      : await sent(judgedOn, cut, known);
  const { bytes, frames, values, encodeMs, decodeMs } = cut.traffic;
  const totalBytes = [...bytes.values()].reduce((sum, one) => sum + one, 0) / frames;
  return {
    ...codec,
    loss: pairedLoss(metric, run.wholeOfJudged, tallies),
    upperLossPoints: isLossless ? 0 : lossBound(metric, run.wholeOfJudged, tallies, { confidencePercent }),
    samplesToShow: isLossless
      ? 0
      : samplesToShow(metric, run.wholeOfJudged, tallies, { confidencePercent, maxLossPoints }),
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
