// Two runs on the same samples and a limit -> what they show of the loss.
import { lossBound, samplesToShow } from '../task/loss-bound.ts';
import type { Tally, TallyMetric } from '../task/metric-for.ts';
import type { CalibrationLimits } from './calibration.ts';

export interface ShownLoss {
  /** See {@link lossBound}. */
  readonly upperLossPoints: number;
  /** See {@link samplesToShow}. */
  readonly samplesToShow: number | null;
}

/** Where every bit comes back. */
export const NO_LOSS: ShownLoss = { upperLossPoints: 0, samplesToShow: 0 };

export function shownLoss(
  metric: TallyMetric,
  { whole, coded }: { readonly whole: readonly Tally[]; readonly coded: readonly Tally[] },
  { confidencePercent, maxLossPoints }: Pick<CalibrationLimits, 'confidencePercent' | 'maxLossPoints'>,
): ShownLoss {
  return {
    upperLossPoints: lossBound(metric, whole, coded, { confidencePercent }),
    samplesToShow: samplesToShow(metric, whole, coded, { confidencePercent, maxLossPoints }),
  };
}
