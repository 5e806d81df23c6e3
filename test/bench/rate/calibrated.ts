// Samples and an open cut -> level tables for several limits of loss.
import { type ActivationCodec, imageToTensor, type TensorMap } from '@kerf/protocol';
import { type CutSamples, CutStudy, calibrateStudied, runHead, runTail, type SplitFront } from '@kerf/splitter';
import type { OpenCut } from './cuts.ts';
import type { LossLimit, RateSample, RateSubject } from './subjects.ts';

export interface NamedCodec {
  readonly label: string;
  readonly family: 'plain' | 'uint8' | 'levels';
  /** By tensor of the cut. */
  readonly codecs: ReadonlyMap<string, ActivationCodec>;
}

export interface LevelRequest {
  readonly subject: RateSubject;
  readonly cut: OpenCut;
  readonly choosing: readonly RateSample[];
  readonly judging: readonly RateSample[];
  readonly limits: readonly LossLimit[];
  /** A good part in its usual pose; null for none. */
  readonly golden: RateSample | null;
}

/** One codec for each limit that levels can keep, and where there is a golden part one more. */
export async function calibratedLevels(request: LevelRequest): Promise<NamedCodec[]> {
  const { subject, cut, limits, golden } = request;
  const study = await CutStudy.open({
    chosenOn: cutSamples(subject, cut, request.choosing),
    judgedOn: cutSamples(subject, cut, request.judging),
  });
  const found: NamedCodec[] = [];
  for (const part of golden === null ? [null] : [null, golden]) {
    const reference = part === null ? null : (await frontOf(subject, cut, part)).crossing;
    for (const limit of limits) found.push(...(await levelsFor(study, limit, reference)));
  }
  return found;
}

async function levelsFor(
  study: CutStudy,
  { points: maxLossPoints, confidencePercent }: LossLimit,
  golden: TensorMap | null,
): Promise<NamedCodec[]> {
  const { measured } = await calibrateStudied(study, { maxLossPoints, confidencePercent, codec: 'levels', golden });
  const sure = confidencePercent === 95 ? '' : `, ${confidencePercent} % sure`;
  return measured.map(({ codecs, upperLossPoints }): NamedCodec => {
    const what = `${maxLossPoints} points${sure}${upperLossPoints <= maxLossPoints ? '' : ' not shown'}`;
    return { label: `levels, ${what}${golden === null ? '' : ', golden part'}`, family: 'levels', codecs };
  });
}

function cutSamples(subject: RateSubject, cut: OpenCut, samples: readonly RateSample[]): CutSamples {
  const fronts = new Map<number, Promise<SplitFront>>();
  const front = (index: number): Promise<SplitFront> => {
    const known = fronts.get(index) ?? frontOf(subject, cut, samples[index]!);
    fronts.set(index, known);
    return known;
  };
  return {
    count: samples.length,
    metric: subject.metric,
    crossing: async (index) => (await front(index)).crossing,
    answer: async (index, arrived) => runTail(cut.split, await front(index), arrived),
    tally: async (index, outputs) =>
      subject.metric.tally({ label: samples[index]!.label, outputs, reference: new Map() }),
  };
}

/** Without the input, which no tail asks for: a thousand fronts are kept. */
async function frontOf(
  { input, pixels }: RateSubject,
  { split }: OpenCut,
  { picture }: RateSample,
): Promise<SplitFront> {
  const inputs: TensorMap = new Map([[input, imageToTensor(picture, pixels, 'float32')]]);
  return { ...(await runHead(split, inputs)), inputs: new Map() };
}
