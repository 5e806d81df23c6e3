// About the coarsest levels that may do -> the coarsest that samples which no choice has seen show to do.
import { type SearchRequest, type TriedLevels, tryNotch } from './level-search.ts';
import { LEAST_BITS } from './level-trials.ts';

/** Notches from the one that the choice found, in the order in which levels are judged; the last goes on, one by one. */
const ORDER = [-8, -5, -3, -2] as const;
const MOST = 12;

export interface JudgedLevels {
  readonly tried: TriedLevels;
  /** Whether their loss is shown to keep the limit. */
  readonly isShown: boolean;
}

/**
 * From fine to coarse, until levels fail: the order is fixed before the judging samples are looked at, and what comes
 * behind the first failure is not asked for. So the chance that levels pass which lose more than the limit is that of a
 * single question, however many are asked (fixed-sequence testing, as in Angelopoulos et al. 2021, "Learn then Test").
 * @param search over the judging samples
 * @param around the notch that the choosing samples found
 */
export async function judgeLevels(search: SearchRequest, around: number): Promise<JudgedLevels> {
  let shown: TriedLevels | null = null;
  for (const step of steps()) {
    const tried = await tryNotch(search, around + step);
    if (tried.upperLossPoints > search.maxLossPoints) return { tried: shown ?? tried, isShown: shown !== null };
    shown = tried;
    if (tried.design.bitsPerValue < LEAST_BITS) break;
  }
  return { tried: shown as TriedLevels, isShown: true };
}

function* steps(): Iterable<number> {
  yield* ORDER;
  for (let step = (ORDER.at(-1) as number) + 1; step <= MOST; step++) yield step;
}
