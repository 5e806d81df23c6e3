// Samples and an open cut -> level tables for several limits of loss.
import { type ActivationCodec, imageToTensor, type TensorMap } from '@kerf/protocol';
import { type CutSamples, calibrateCut, runHead, runTail, type SplitFront } from '@kerf/splitter';
import type { OpenCut } from './cuts.ts';
import type { LossLimit, RateSample, RateSubject } from './subjects.ts';

export interface NamedCodec {
  readonly label: string;
  readonly family: 'plain' | 'uint8' | 'levels';
  /** By tensor of the cut. */
  readonly codecs: ReadonlyMap<string, ActivationCodec>;
  /** Files of level tables. */
  readonly tables: readonly Uint8Array[];
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

/** One codec for each limit that levels can keep. */
export async function calibratedLevels(request: LevelRequest): Promise<NamedCodec[]> {
  const { subject, cut, limits, golden } = request;
  const chosenOn = cutSamples(subject, cut, request.choosing);
  const judgedOn = cutSamples(subject, cut, request.judging);
  const reference = golden === null ? null : (await frontOf(subject, cut, golden)).crossing;
  const found: NamedCodec[] = [];
  for (const { points: maxLossPoints, confidencePercent } of limits) {
    const { measured } = await calibrateCut({
      chosenOn,
      judgedOn,
      maxLossPoints,
      confidencePercent,
      codec: 'levels',
      golden: reference,
    });
    const [levels] = measured;
    if (levels === undefined) continue;
    const sure = confidencePercent === 95 ? '' : `, ${confidencePercent} % sure`;
    const what = `${maxLossPoints} points${sure}${levels.upperLossPoints <= maxLossPoints ? '' : ' not shown'}`;
    found.push({
      label: `levels, ${what}${golden === null ? '' : ', golden part'}`,
      family: 'levels',
      codecs: levels.codecs,
      tables: [...levels.tables.values()],
    });
  }
  return found;
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
