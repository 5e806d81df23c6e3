// Samples at a cut -> what calibration asks of them whatever the limits are: answers without loss, channels, trials of levels.
import { KerfError, type Tensor } from '@kerf/protocol';
import type { Tally } from '../task/metric-for.ts';
import type { CalibrationSamples } from './calibration.ts';
import { channelImportance } from './channel-importance.ts';
import { type CutSamples, talliesOf } from './cut-samples.ts';
import { type LookedAt, lookAt } from './level-tensors.ts';
import { LevelTrials } from './level-trials.ts';
import { WEIGHINGS } from './output-distance.ts';
import { outputProbe } from './restored-design.ts';

/** Fewer show nothing of a loss of half a point, and too little of what activations hold. */
export const LEAST_SAMPLES = 8;

export class CutStudy {
  readonly chosenOn: CutSamples;
  readonly judgedOn: CutSamples;
  readonly wholeOfChosen: readonly Tally[];
  readonly wholeOfJudged: readonly Tally[];
  readonly seen: LookedAt;
  readonly #trials = new Map<number, readonly LevelTrials[]>();

  /**
   * @throws {KerfError} SAMPLES_UNUSABLE for fewer than {@link LEAST_SAMPLES} on either side; and what models and metrics throw.
   */
  static async open({ chosenOn, judgedOn }: CalibrationSamples): Promise<CutStudy> {
    checkCount(chosenOn.count, judgedOn.count);
    const nothing = (): Map<string, Tensor> => new Map();
    const whole: [readonly Tally[], readonly Tally[]] = [
      await talliesOf(chosenOn, nothing),
      await talliesOf(judgedOn, nothing),
    ];
    const seen = await lookAt(chosenOn);
    // A metric that has nothing to count on a half would call every codec free of loss.
    for (const tallies of whole) chosenOn.metric.pointsOf(tallies);
    return new CutStudy({ chosenOn, judgedOn }, whole, seen);
  }

  private constructor(
    { chosenOn, judgedOn }: CalibrationSamples,
    [wholeOfChosen, wholeOfJudged]: [readonly Tally[], readonly Tally[]],
    seen: LookedAt,
  ) {
    this.chosenOn = chosenOn;
    this.judgedOn = judgedOn;
    this.wholeOfChosen = wholeOfChosen;
    this.wholeOfJudged = wholeOfJudged;
    this.seen = seen;
  }

  /**
   * Of levels, at most so many a channel, that all limits share; one for each way to weigh what an error moves.
   * @returns none where no tensor can be sent in levels
   */
  async trials(maxLevels: number, onProgress: (text: string) => void): Promise<readonly LevelTrials[]> {
    const { chosenOn, seen } = this;
    const { tensors, finite } = seen;
    if (tensors.length === 0) return [];
    const known = this.#trials.get(maxLevels);
    if (known !== undefined) return known;
    onProgress('what an error in each channel moves');
    const importance = await channelImportance(chosenOn, tensors, finite);
    const probe = await outputProbe(chosenOn, finite);
    const trials = WEIGHINGS.map(
      (weighing) => new LevelTrials({ tensors, importance: importance[weighing], weighing, maxLevels, probe }),
    );
    this.#trials.set(maxLevels, trials);
    return trials;
  }
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
