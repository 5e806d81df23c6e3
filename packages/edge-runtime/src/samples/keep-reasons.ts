// A record -> why its part is worth a person's look; none where it is not.
import type { Thresholds } from '@kerf/splitter';
import type { ResultRecord } from '../station/result-record.ts';
import type { SamplesConfig } from './sample-config.ts';

/** `disagreement`: the provisional verdict and the final one differ. */
export type KeepReason = 'verdict' | 'near-threshold' | 'disagreement' | 'random';

/**
 * @param before the provisional record that this one replaces, or null
 * @param chance 0 to 1, drawn for the part
 */
export function keepReasons(
  record: ResultRecord,
  before: ResultRecord | null,
  { verdicts, near, random }: Pick<SamplesConfig, 'verdicts' | 'near' | 'random'>,
  thresholds: Thresholds,
  chance: number,
): readonly KeepReason[] {
  const reasons: KeepReason[] = [];
  if (verdicts.includes(record.verdict)) reasons.push('verdict');
  if (isNear(record, near, thresholds)) reasons.push('near-threshold');
  if (before !== null && before.verdict !== record.verdict) reasons.push('disagreement');
  if (chance < random) reasons.push('random');
  return reasons;
}

/** Only scores of the model that the thresholds are for. */
function isNear({ score, placement }: ResultRecord, near: number, { passBelow, ngAbove }: Thresholds): boolean {
  if (score === null || placement === 'small' || near === 0) return false;
  return Math.min(Math.abs(score - passBelow), Math.abs(score - ngAbove)) < near;
}
