// About the coarsest levels that may do -> the coarsest that samples which no choice has seen show to do.
import { type SearchRequest, type TriedLevels, tryNotch } from './level-search.ts';
import { LEAST_BITS } from './level-trials.ts';
import { type ShownLoss, shownLoss } from './shown-loss.ts';

/** Notches from the one that the choice found, in the order in which levels are judged; the last goes on in short steps. */
const ORDER = [-12, -8, -5, -3, -2] as const;
/** A fifteenth of the bits. */
const SHORT_STEP = 0.5;
const MOST = 12;

/** Levels, and what judging samples say of them. */
export interface JudgedLevels {
  readonly tried: TriedLevels;
  /** By the judging samples and by all, whichever says less good of the levels. */
  readonly shown: ShownLoss;
}

/**
 * From fine to coarse, until levels fail: the order is fixed before the judging samples are looked at, and what comes
 * behind the first failure is not asked for. So the chance that levels pass which lose more than the limit is that of a
 * single question, however many are asked (fixed-sequence testing, as in Angelopoulos et al. 2021, "Learn then Test").
 *
 * Where few samples carry most of what is lost, judging samples without them show neither the loss nor how much it varies. So
 * levels have to keep the limit on all samples together as well. The choosing ones flatter, which is why they prove
 * nothing; that they hold back only makes the chance smaller.
 * @param chosen search over the choosing samples
 * @param judged search over the judging samples
 * @param around the notch that the choosing samples found
 * @returns the coarsest that passed; the finest that were asked about where none did
 */
export async function judgeLevels(chosen: SearchRequest, judged: SearchRequest, around: number): Promise<JudgedLevels> {
  let passed: JudgedLevels | null = null;
  for (const step of steps()) {
    const levels = await judge(chosen, judged, around + step);
    if (levels.shown.upperLossPoints > judged.maxLossPoints) return passed ?? levels;
    passed = levels;
    if (levels.tried.design.bitsPerValue < LEAST_BITS) break;
  }
  return passed as JudgedLevels;
}

async function judge(chosen: SearchRequest, judged: SearchRequest, notch: number): Promise<JudgedLevels> {
  const tried = await tryNotch(judged, notch);
  const others = await chosen.trials.tallies(chosen.samples, notch);
  const { metric } = judged.samples;
  const alone = shownLoss(metric, { whole: judged.whole, coded: tried.tallies }, judged);
  const all = { whole: [...chosen.whole, ...judged.whole], coded: [...others, ...tried.tallies] };
  const together = shownLoss(metric, all, judged);
  const judgingShare = judged.whole.length / all.whole.length;
  return {
    tried,
    shown: {
      upperLossPoints: Math.max(alone.upperLossPoints, together.upperLossPoints),
      samplesToShow:
        alone.samplesToShow === null || together.samplesToShow === null
          ? null
          : Math.max(alone.samplesToShow, Math.ceil(together.samplesToShow * judgingShare)),
    },
  };
}

function* steps(): Iterable<number> {
  yield* ORDER;
  for (let step = (ORDER.at(-1) as number) + SHORT_STEP; step <= MOST; step += SHORT_STEP) yield step;
}
