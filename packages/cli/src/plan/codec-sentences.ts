// What coding activations does in a plan -> sentences: what the codec is, what it costs, and what there is without it.
import type { Goal } from '@kerf/splitter';
import { formatBytes } from '../units.ts';
import type { PlanCalibration, PlannedReport, PlanRow } from './report.ts';
import { speed } from './sentences.ts';

/** `0.62 bit per value`, `32 bits per value`. */
export function rateText(bitsPerValue: number): string {
  const shown = Number(bitsPerValue.toFixed(bitsPerValue < 9.95 ? 2 : 0));
  return `${shown} ${shown <= 1 ? 'bit' : 'bits'} per value`;
}

/** `0.3 points of pixel IoU (95 %: 0.1 to 0.5, 100 samples)`; a gain is said to be one. */
export function calibrationText({ metric, samples, lossPoints, lossInterval }: PlanCalibration): string {
  const [low, high] = lossInterval.map(points);
  return `${points(lossPoints)} points of ${metric} (95 %: ${low} to ${high}, ${samples} samples)`;
}

/** Two decimals, without a negative zero. */
function points(value: number): string {
  return String(Number(value.toFixed(2)) + 0);
}

/** Nothing where no calibrated codec can be used. */
export function codingSentences({ coding, choice, goal }: Pick<PlannedReport, 'coding' | 'choice' | 'goal'>): string[] {
  const calibration = coding?.calibrated.calibration ?? null;
  if (coding === null || calibration === null) return [];
  const { calibrated, raw, lossless } = coding;
  const { bitsPerValue, uplinkBytes, codec } = calibrated;
  const rate = bitsPerValue === null ? '' : `${rateText(bitsPerValue)}, `;
  const instead = raw === null ? '' : ` instead of ${formatBytes(raw.uplinkBytes)} raw`;
  const costs = calibration.lossPoints > 0 ? 'It costs' : 'No loss was seen:';
  return [
    `${codec} at ${placeOf(calibrated)}: ${rate}${formatBytes(uplinkBytes)} a frame${instead}. ${costs} ` +
      `${calibrationText(calibration)}; the whole model has ${points(calibration.wholePoints)}.`,
    comparison({ calibrated, raw, lossless }, choice, goal),
  ];
}

function comparison(
  { calibrated, raw, lossless }: NonNullable<PlannedReport['coding']>,
  choice: PlanRow,
  goal: Goal,
): string {
  const own = `With it, the split there gives ${speed(calibrated, goal)}`;
  const bare = raw === null ? '' : `, raw ${speed(raw, goal)}`;
  if (calibrated.label !== choice.label) {
    return `${own}${bare}; that is not enough against ${choice.label} with ${speed(choice, goal)}.`;
  }
  const without =
    lossless === null
      ? ' Nothing that loses nothing keeps the limits.'
      : ` Without any loss the best is ${lossless.label}: ${speed(lossless, goal)}.`;
  return `${own}${bare}.${without}`;
}

function placeOf({ label, codec }: PlanRow): string {
  return label.replace(/^split at /, '').replace(`, ${codec}`, '');
}
