// A part's record -> whether thresholds decided its verdict.
import type { ResultRecord } from '@kerf/edge-runtime';

/** Only verdicts that a score of the model alone decided: no thresholds change a part that could not be read. */
export function isByScore({ score, reason, placement }: ResultRecord): boolean {
  return score !== null && reason === null && placement !== 'small' && placement !== 'none';
}
