// Kept parts with a label -> scores that thresholds can be judged by.
import type { ScoreView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import type { StationSamples } from '@kerf/edge-runtime/node';
import { isByScore } from './is-by-score.ts';

export interface LabelledScore {
  readonly record: ResultRecord;
  readonly score: number;
  readonly isDefective: boolean;
  /** Drawn by chance, and so like all other parts. */
  readonly isRandom: boolean;
}

/** @param release scores of another model say nothing of this one's thresholds */
export function labelledScores(samples: StationSamples | null, release: string): readonly LabelledScore[] {
  if (samples === null) return [];
  const good = new Map(samples.labels.map(({ name, isGood }) => [name, isGood]));
  return samples.store.all.flatMap(({ record, reasons, label }) => {
    const isGood = label === null ? undefined : good.get(label.name);
    if (isGood === undefined || record.release !== release || !isByScore(record)) return [];
    const score = record.score ?? Number.NaN;
    return [{ record, score, isDefective: !isGood, isRandom: reasons.includes('random') }];
  });
}

/** Recent parts, newest last, and behind them those that are there for their label alone. */
export function scoreViews(recent: readonly ResultRecord[], labelled: readonly LabelledScore[]): readonly ScoreView[] {
  const known = new Map(labelled.map((one) => [one.record.resultId, one.isDefective]));
  const view = (record: ResultRecord, isRecent: boolean): ScoreView => ({
    resultId: record.resultId,
    score: record.score ?? Number.NaN,
    verdict: record.verdict,
    isRecent,
    isDefective: known.get(record.resultId) ?? null,
  });
  const ids = new Set(recent.map(({ resultId }) => resultId));
  const others = labelled.filter(({ record }) => !ids.has(record.resultId));
  return [
    ...recent.filter(isByScore).map((record) => view(record, true)),
    ...others.map(({ record }) => view(record, false)),
  ];
}
