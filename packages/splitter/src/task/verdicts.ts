// Scores of good and defective parts, and two thresholds -> how many defects escape, good parts fail, people must look.
import { KerfError } from '@kerf/protocol';
import type { Scored } from './auroc.ts';
import { type Interval, wilsonInterval } from './intervals.ts';

export interface Thresholds {
  /** A part with a score below this is answered PASS. */
  readonly passBelow: number;
  /** A part with a score of this and above is answered NG; what lies between is REVIEW. */
  readonly ngAbove: number;
}

export type PartVerdict = 'PASS' | 'REVIEW' | 'NG';

export interface Rate {
  readonly count: number;
  readonly of: number;
  /** `count / of`, 0 to 1; null of none. */
  readonly share: number | null;
  /** Wilson's at 95 %. */
  readonly interval: Interval;
}

export interface VerdictRates {
  /** Defective parts answered PASS. */
  readonly escape: Rate;
  /** Good parts answered NG. */
  readonly overkill: Rate;
  /** Good parts not answered PASS: NG or REVIEW. */
  readonly goodNotPassed: Rate;
  /** All parts answered REVIEW. */
  readonly review: Rate;
}

/** A score that is NaN is never PASS: someone has to look. */
export function verdictOf(score: number, { passBelow, ngAbove }: Thresholds): PartVerdict {
  if (score >= ngAbove) return 'NG';
  return score < passBelow ? 'PASS' : 'REVIEW';
}

/** @throws {KerfError} INVALID_ARGUMENT when the thresholds are no numbers or the wrong way round. */
export function verdictRates(scored: readonly Scored[], thresholds: Thresholds): VerdictRates {
  const { passBelow, ngAbove } = thresholds;
  if (!(passBelow <= ngAbove)) {
    throw new KerfError('INVALID_ARGUMENT', `PASS below ${passBelow} and NG from ${ngAbove} on overlap: swap them`);
  }
  return ratesOfVerdicts(
    scored.map(({ score, isDefective }) => ({ isDefective, verdict: verdictOf(score, thresholds) })),
  );
}

/** The same of parts that have been judged, by whatever means. */
export function ratesOfVerdicts(
  answers: readonly { readonly isDefective: boolean; readonly verdict: PartVerdict }[],
): VerdictRates {
  const good = answers.filter(({ isDefective }) => !isDefective);
  const defective = answers.filter(({ isDefective }) => isDefective);
  const rate = (parts: typeof answers, counts: (verdict: PartVerdict) => boolean): Rate =>
    rateOf(parts.filter(({ verdict }) => counts(verdict)).length, parts.length);
  return {
    escape: rate(defective, (verdict) => verdict === 'PASS'),
    overkill: rate(good, (verdict) => verdict === 'NG'),
    goodNotPassed: rate(good, (verdict) => verdict !== 'PASS'),
    review: rate(answers, (verdict) => verdict === 'REVIEW'),
  };
}

/** A share with its interval. @throws {KerfError} INVALID_ARGUMENT for counts that are no counts. */
export function rateOf(count: number, of: number): Rate {
  return { count, of, share: of === 0 ? null : count / of, interval: wilsonInterval(count, of) };
}
