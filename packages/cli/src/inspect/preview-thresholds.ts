// Recent records and two new thresholds -> which verdicts would have been others.
import type { ThresholdsPreview } from '@kerf/bridge';
import type { ResultRecord, Verdict } from '@kerf/edge-runtime';
import { type Thresholds, verdictOf, verdictRates } from '@kerf/splitter';

import { isByScore } from './is-by-score.ts';
import type { LabelledScore } from './labelled-scores.ts';

export function previewThresholds(
  records: readonly ResultRecord[],
  thresholds: Thresholds,
  labelled: readonly LabelledScore[] = [],
): ThresholdsPreview {
  const counts = new Map<string, { from: Verdict; to: Verdict; count: number }>();
  const judged = records.filter(isByScore);
  for (const { score, verdict: from } of judged) {
    const to = verdictOf(score ?? Number.NaN, thresholds);
    if (to === from) continue;
    const entry = counts.get(`${from} ${to}`) ?? { from, to, count: 0 };
    entry.count++;
    counts.set(`${from} ${to}`, entry);
  }
  const transitions = [...counts.values()].sort((a, b) => b.count - a.count);
  const changed = transitions.reduce((sum, { count }) => sum + count, 0);
  return { of: judged.length, changed, transitions, labelled: ratesOf(labelled, thresholds) };
}

function ratesOf(labelled: readonly LabelledScore[], thresholds: Thresholds): ThresholdsPreview['labelled'] {
  // Thresholds that overlap are no thresholds: the screen says so while they are dragged.
  if (labelled.length === 0 || !(thresholds.passBelow <= thresholds.ngAbove)) return null;
  return {
    all: verdictRates(labelled, thresholds),
    random: verdictRates(
      labelled.filter(({ isRandom }) => isRandom),
      thresholds,
    ),
  };
}
