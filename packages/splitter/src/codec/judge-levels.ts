// About the coarsest levels that may do -> the coarsest that samples which no choice has seen show to do.
import type { SearchRequest, TriedLevels } from './level-search.ts';
import { LEAST_BITS, tryPrice } from './level-search.ts';

/** Prices of a bit against the one that the choice found, in the order in which levels are judged ... */
const FINE = [1 / 16, 1 / 8, 1 / 4] as const;
/** ... and from there on in steps of about a twentieth of the bits. */
const STEP = Math.SQRT2;
const MOST_STEPS = 16;

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
 * @param around the price that the choosing samples found
 */
export async function judgeLevels(search: SearchRequest, around: number): Promise<JudgedLevels> {
  let shown: TriedLevels | null = null;
  for (const price of prices(around)) {
    const tried = await tryPrice(search, price);
    if (tried.upperLossPoints > search.maxLossPoints) return { tried: shown ?? tried, isShown: shown !== null };
    shown = tried;
    if (tried.design.bitsPerValue < LEAST_BITS) break;
  }
  return { tried: shown as TriedLevels, isShown: true };
}

function* prices(around: number): Iterable<number> {
  for (const share of FINE) yield around * share;
  for (let step = 1, price = (around * STEP) / 4; step <= MOST_STEPS; step++, price *= STEP) yield price;
}
